//! skopeo: images from anywhere to anywhere.

use super::{Client, Does, Install, Step};

pub(super) const SKOPEO: Client = Client {
    name: "skopeo",
    about: "Images from anywhere to anywhere",
    install: Install::Debian("skopeo"),
    prepare: "\
mkdir -p ~/.config/containers
echo '{\"default\":[{\"type\":\"insecureAcceptAnything\"}]}' > ~/.config/containers/policy.json
tar -cf large.tar large.wasm
crane append --oci-empty-base --new_layer large.tar --new_tag image:1 --output image.tar",
    steps: &[
        Step {
            does: Does::Login,
            run: "skopeo login --username me --password-stdin $REGISTRY <<< $TOKEN",
        },
        Step {
            does: Does::Push,
            run: "skopeo copy docker-archive:image.tar docker://$REGISTRY/skopeo/image:1",
        },
        Step {
            does: Does::Pull,
            run: "\
skopeo copy docker://$REGISTRY/skopeo/image:1 dir:pulled
skopeo copy docker://$REGISTRY/skopeo/image:1 oci:layout:1
skopeo manifest-digest pulled/manifest.json | grep -x $(skopeo inspect --format '{{.Digest}}' docker://$REGISTRY/skopeo/image:1)",
        },
        Step {
            does: Does::Also("inspect"),
            run: "\
skopeo inspect docker://$REGISTRY/skopeo/image:1 | grep RepoTags
skopeo inspect --raw docker://$REGISTRY/skopeo/image:1 | cmp - pulled/manifest.json
skopeo inspect --config docker://$REGISTRY/skopeo/image:1 | grep rootfs",
        },
        Step {
            does: Does::Copy,
            run: "\
skopeo copy docker://$REGISTRY/skopeo/image:1 docker://$REGISTRY/skopeo/nested/copy:1
skopeo inspect --raw docker://$REGISTRY/skopeo/nested/copy:1 | cmp - pulled/manifest.json
skopeo copy --all --format oci docker://$REGISTRY/skopeo/image:1 docker://$REGISTRY/skopeo/image:oci",
        },
        Step {
            does: Does::Also("sync"),
            run: "\
skopeo sync --src docker --dest dir $REGISTRY/skopeo/image synced
skopeo sync --src dir --dest docker synced $REGISTRY/skopeo/mirror
skopeo sync --src docker --dest docker $REGISTRY/skopeo/image $REGISTRY/skopeo/mirror
skopeo inspect --raw docker://$REGISTRY/skopeo/mirror/image:1 | cmp - pulled/manifest.json",
        },
        Step {
            does: Does::List,
            run: "test \"$(skopeo list-tags docker://$REGISTRY/skopeo/image | grep -E '\"(1|oci)\"' | xargs)\" = '1, oci'",
        },
        Step {
            does: Does::Delete,
            run: "\
skopeo delete docker://$REGISTRY/skopeo/nested/copy:1
skopeo list-tags docker://$REGISTRY/skopeo/nested/copy | grep '\"Tags\": \\[\\]'",
        },
        Step {
            does: Does::PlainHttp,
            run: "\
skopeo login --tls-verify=false --username me --password-stdin $LOCAL <<< $LOCAL_TOKEN
skopeo copy --dest-tls-verify=false oci:layout:1 docker://$LOCAL/skopeo/image:1
skopeo copy --src-tls-verify=false docker://$LOCAL/skopeo/image:1 dir:local
cmp local/manifest.json layout/blobs/sha256/$(sha256sum < local/manifest.json | cut -c -64)",
        },
    ],
};
