//! oras: artifacts of any kind, and what refers to them.

use super::{Client, Does, Install, Step};
use crate::interop::versions::ORAS as TOOL;

pub(super) const ORAS: Client = Client {
    name: "oras",
    about: "Artifacts of any kind, and what refers to them",
    install: Install::Go(TOOL),
    prepare: "",
    steps: &[
        Step {
            does: Does::Login,
            run: "oras login $REGISTRY --username me --password-stdin <<< $TOKEN",
        },
        Step {
            does: Does::Push,
            run: "\
oras push $REGISTRY/oras/hello:1.0.0 hello.wasm:application/wasm
oras push $REGISTRY/oras/hello:large large.wasm:application/wasm",
        },
        Step {
            does: Does::Pull,
            run: "\
oras pull --output pulled $REGISTRY/oras/hello:1.0.0
oras pull --output pulled $REGISTRY/oras/hello:large
cmp pulled/hello.wasm hello.wasm
cmp pulled/large.wasm large.wasm",
        },
        Step {
            does: Does::Also("components"),
            run: "\
analysis oras/hello > theirs
analysis > ours
cmp theirs ours",
        },
        Step {
            does: Does::Also("attach"),
            run: "\
echo '{\"packages\":[]}' > sbom.json
oras attach --artifact-type application/vnd.example.sbom $REGISTRY/oras/hello:1.0.0 sbom.json:application/json",
        },
        Step {
            does: Does::Also("discover"),
            run: "\
oras discover $REGISTRY/oras/hello:1.0.0 | grep application/vnd.example.sbom
oras discover --artifact-type application/vnd.example.sbom --format json $REGISTRY/oras/hello:1.0.0 | grep sha256",
        },
        Step {
            does: Does::Copy,
            run: "\
oras cp --recursive $REGISTRY/oras/hello:1.0.0 $REGISTRY/oras/copy:1.0.0
oras discover $REGISTRY/oras/copy:1.0.0 | grep application/vnd.example.sbom
oras resolve $REGISTRY/oras/copy:1.0.0 | grep -x $(oras resolve $REGISTRY/oras/hello:1.0.0)",
        },
        Step {
            does: Does::Also("backup"),
            run: "oras backup --include-referrers --output backup.tar $REGISTRY/oras/hello:1.0.0,large",
        },
        Step {
            does: Does::Also("restore"),
            run: "\
oras restore --input backup.tar $REGISTRY/oras/restored
oras discover $REGISTRY/oras/restored:1.0.0 | grep application/vnd.example.sbom
oras resolve $REGISTRY/oras/restored:large | grep -x $(oras resolve $REGISTRY/oras/hello:large)",
        },
        Step {
            does: Does::Also("tag"),
            run: "\
oras tag $REGISTRY/oras/hello:1.0.0 latest stable
oras resolve $REGISTRY/oras/hello:stable | grep -x $(oras resolve $REGISTRY/oras/hello:1.0.0)",
        },
        Step {
            does: Does::Also("blobs"),
            run: "\
oras blob push $REGISTRY/oras/blobs large.wasm
oras blob fetch --output blob $REGISTRY/oras/blobs@sha256:$(sha256sum < large.wasm | cut -c -64)
cmp blob large.wasm
oras blob delete --force $REGISTRY/oras/blobs@sha256:$(sha256sum < large.wasm | cut -c -64)",
        },
        Step {
            does: Does::Also("index"),
            run: "\
oras manifest index create $REGISTRY/oras/hello:both 1.0.0 large
oras manifest fetch $REGISTRY/oras/hello:both | grep $(oras resolve $REGISTRY/oras/hello:large)",
        },
        Step {
            does: Does::List,
            run: "\
test \"$(oras repo tags $REGISTRY/oras/hello | grep -v ^sha256- | xargs)\" = '1.0.0 both large latest stable'
oras repo ls $REGISTRY | grep -x oras/restored",
        },
        Step {
            does: Does::Delete,
            run: "\
oras manifest delete --force $REGISTRY/oras/copy:1.0.0
oras repo tags $REGISTRY/oras/copy > tags
(! grep -v ^sha256- tags)",
        },
        Step {
            does: Does::PlainHttp,
            run: "\
oras login --plain-http $LOCAL --username me --password-stdin <<< $LOCAL_TOKEN
oras push --plain-http $LOCAL/oras/hello:1.0.0 hello.wasm:application/wasm
oras pull --plain-http --output local $LOCAL/oras/hello:1.0.0
cmp local/hello.wasm hello.wasm",
        },
    ],
};
