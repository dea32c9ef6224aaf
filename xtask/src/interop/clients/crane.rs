//! crane, of go-containerregistry: the library that ko, cosign and many others speak to registries with.

use super::{Client, Does, Install, Step};
use crate::interop::versions::CRANE as TOOL;

pub(super) const CRANE: Client = Client {
    name: "crane",
    about: "go-containerregistry's command",
    install: Install::Go(TOOL),
    prepare: "",
    steps: &[
        Step {
            does: Does::Login,
            run: "crane auth login $REGISTRY --username me --password-stdin <<< $TOKEN",
        },
        Step {
            does: Does::Push,
            run: "\
tar -cf hello.tar hello.wasm
crane append --oci-empty-base --new_layer hello.tar --new_tag $REGISTRY/crane/image:1
crane pull --format oci $REGISTRY/crane/image:1 layout
crane push layout $REGISTRY/crane/pushed:1
crane digest $REGISTRY/crane/pushed:1 | grep -x $(crane digest $REGISTRY/crane/image:1)",
        },
        Step {
            does: Does::Pull,
            run: "\
crane export $REGISTRY/crane/pushed:1 - | tar -xO hello.wasm | cmp - hello.wasm
crane manifest $REGISTRY/crane/pushed:1 | sha256sum | grep $(crane digest $REGISTRY/crane/pushed:1 | cut -d: -f2)",
        },
        Step {
            does: Does::Also("components"),
            run: "\
printf '{\"architecture\":\"wasm\",\"os\":\"wasip2\",\"layerDigests\":[\"sha256:%s\"]}' $(sha256sum < hello.wasm | cut -c -64) > config.json
oras push --oci-layout wasm:1.0.0 --config config.json:application/vnd.wasm.config.v0+json hello.wasm:application/wasm
crane push wasm $REGISTRY/crane/component:1.0.0
analysis crane/component > theirs
analysis > ours
cmp theirs ours",
        },
        Step {
            does: Does::Also("append"),
            run: "\
tar -cf large.tar large.wasm
crane append --base $REGISTRY/crane/image:1 --new_layer large.tar --new_tag $REGISTRY/crane/image:2
crane export $REGISTRY/crane/image:2 - | tar -xO large.wasm | cmp - large.wasm",
        },
        Step {
            does: Does::Also("mutate"),
            run: "crane mutate --annotation org.example=yes --tag $REGISTRY/crane/image:3 $REGISTRY/crane/image:2",
        },
        Step {
            does: Does::Also("index"),
            run: "\
crane index append --manifest $REGISTRY/crane/image:1 --manifest $REGISTRY/crane/image:2 --tag $REGISTRY/crane/image:both
crane validate --remote $REGISTRY/crane/image:both",
        },
        Step {
            does: Does::Also("validate"),
            run: "crane validate --remote $REGISTRY/crane/image:2",
        },
        Step {
            does: Does::Copy,
            run: "\
crane copy $REGISTRY/crane/image:2 $REGISTRY/crane/copy:2
crane copy --all-tags $REGISTRY/crane/image $REGISTRY/crane/all
crane digest $REGISTRY/crane/copy:2 | grep -x $(crane digest $REGISTRY/crane/all:2)",
        },
        Step {
            does: Does::Also("tag"),
            run: "\
crane tag $REGISTRY/crane/image:2 latest
crane digest $REGISTRY/crane/image:latest | grep -x $(crane digest $REGISTRY/crane/image:2)",
        },
        Step {
            does: Does::List,
            run: "\
test \"$(crane ls $REGISTRY/crane/image | xargs)\" = '1 2 3 both latest'
crane catalog $REGISTRY | grep -x crane/copy",
        },
        Step {
            does: Does::Delete,
            run: "\
crane delete $REGISTRY/crane/image:1
test \"$(crane ls $REGISTRY/crane/image | xargs)\" = '2 3 both latest'
crane delete $REGISTRY/crane/copy@$(crane digest $REGISTRY/crane/copy:2)
crane ls $REGISTRY/crane/copy > tags
test ! -s tags",
        },
        Step {
            does: Does::Also("token that may only pull"),
            run: "\
curl --fail --user me:$TOKEN --data '{\"name\":\"reader\",\"scopes\":[\"crane/image:pull\"]}' https://$REGISTRY/api/v1/tokens |
  grep -o 'wreg_pat_[0-9A-Za-z]*' | crane auth login $REGISTRY --username me --password-stdin
crane pull $REGISTRY/crane/image:2 reader.tar
test \"$(crane catalog $REGISTRY)\" = crane/image
! crane tag $REGISTRY/crane/image:2 mine",
        },
        Step {
            does: Does::PlainHttp,
            run: "\
crane auth login $LOCAL --username me --password-stdin <<< $LOCAL_TOKEN
crane push layout $LOCAL/crane/image:1
crane export $LOCAL/crane/image:1 - | tar -xO hello.wasm | cmp - hello.wasm",
        },
    ],
};
