//! podman: what docker does, with no daemon.

use super::{Client, Does, Install, Step};

pub(super) const PODMAN: Client = Client {
    name: "podman",
    about: "Images, and what runs them",
    install: Install::Debian("podman"),
    prepare: super::CONTAINERS,
    steps: &[
        Step {
            does: Does::Login,
            run: "podman login --username me --password-stdin $REGISTRY <<< $TOKEN",
        },
        Step {
            does: Does::Push,
            run: "\
tar -cf large.tar large.wasm
podman import large.tar $REGISTRY/podman/image:1
podman push $REGISTRY/podman/image:1
podman push $REGISTRY/podman/image:1 $REGISTRY/podman/image:2",
        },
        Step {
            does: Does::Pull,
            run: "\
podman rmi --all --force
podman pull $REGISTRY/podman/image:1
cmp $(podman image mount $REGISTRY/podman/image:1)/large.wasm large.wasm",
        },
        Step {
            does: Does::Copy,
            run: "\
podman pull $REGISTRY/podman/image:2
podman push $REGISTRY/podman/image:2 $REGISTRY/podman/copy:2",
        },
        Step {
            does: Does::List,
            run: "\
podman search --list-tags $REGISTRY/podman/image | grep -c podman/image | grep -x 2
podman search --format '{{.Name}}' $REGISTRY/podman | grep -x $REGISTRY/podman/copy",
        },
        Step {
            does: Does::Also("manifest lists"),
            run: "\
podman manifest create $REGISTRY/podman/image:list docker://$REGISTRY/podman/image:1
podman manifest push --all $REGISTRY/podman/image:list docker://$REGISTRY/podman/image:list
podman manifest inspect $REGISTRY/podman/image:list | grep digest",
        },
        Step {
            does: Does::PlainHttp,
            run: "\
podman login --tls-verify=false --username me --password-stdin $LOCAL <<< $LOCAL_TOKEN
podman push --tls-verify=false $REGISTRY/podman/image:1 $LOCAL/podman/image:1
podman pull --tls-verify=false $LOCAL/podman/image:1",
        },
    ],
};
