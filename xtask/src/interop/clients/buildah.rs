//! buildah: builds images, with no daemon.

use super::{Client, Does, Install, Step};

pub(super) const BUILDAH: Client = Client {
    name: "buildah",
    about: "Builds images",
    install: Install::Debian("buildah"),
    prepare: super::CONTAINERS,
    steps: &[
        Step {
            does: Does::Login,
            run: "buildah login --username me --password-stdin $REGISTRY <<< $TOKEN",
        },
        Step {
            does: Does::Push,
            run: "\
container=$(buildah from scratch)
buildah copy $container large.wasm
buildah commit $container $REGISTRY/buildah/image:1
buildah push $REGISTRY/buildah/image:1
buildah push $REGISTRY/buildah/image:1 docker://$REGISTRY/buildah/image:2",
        },
        Step {
            does: Does::Pull,
            run: "\
buildah rmi --all --force
container=$(buildah from $REGISTRY/buildah/image:1)
cmp $(buildah mount $container)/large.wasm large.wasm",
        },
        Step {
            does: Does::Also("build"),
            run: "\
printf 'FROM %s/buildah/image:1\\nCOPY hello.wasm /\\n' $REGISTRY > Containerfile
buildah build --isolation chroot --tag $REGISTRY/buildah/built:1 .
buildah push $REGISTRY/buildah/built:1",
        },
        Step {
            does: Does::Also("manifest lists"),
            run: "\
buildah manifest create list $REGISTRY/buildah/image:1
buildah manifest add list $REGISTRY/buildah/built:1
buildah manifest push --all --format oci list docker://$REGISTRY/buildah/image:list
buildah manifest inspect $REGISTRY/buildah/image:list | grep -c digest | grep 2",
        },
        Step {
            does: Does::PlainHttp,
            run: "\
buildah login --tls-verify=false --username me --password-stdin $LOCAL <<< $LOCAL_TOKEN
buildah push --tls-verify=false $REGISTRY/buildah/built:1 $LOCAL/buildah/built:1
buildah pull --tls-verify=false $LOCAL/buildah/built:1",
        },
    ],
};
