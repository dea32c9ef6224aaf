//! regctl, of regclient: it uses most of what the specification has.

use super::{Client, Does, Install, Step};
use crate::interop::versions::REGCTL as TOOL;

pub(super) const REGCTL: Client = Client {
    name: "regctl",
    about: "regclient's command",
    install: Install::Go(TOOL),
    prepare: "",
    steps: &[
        Step {
            does: Does::Login,
            run: "regctl registry login --user me --pass-stdin $REGISTRY <<< $TOKEN",
        },
        Step {
            does: Does::Push,
            run: "\
regctl artifact put --artifact-type application/wasm --file hello.wasm --file-media-type application/wasm $REGISTRY/regctl/hello:1.0.0
regctl artifact put --artifact-type application/wasm --file large.wasm --file-media-type application/wasm $REGISTRY/regctl/hello:large",
        },
        Step {
            does: Does::Pull,
            run: "\
regctl artifact get $REGISTRY/regctl/hello:1.0.0 | cmp - hello.wasm
regctl artifact get $REGISTRY/regctl/hello:large | cmp - large.wasm",
        },
        Step {
            does: Does::Also("subjects"),
            run: "\
echo '{\"packages\":[]}' | regctl artifact put --artifact-type application/vnd.example.sbom --subject $REGISTRY/regctl/hello:1.0.0
regctl artifact list $REGISTRY/regctl/hello:1.0.0 | grep application/vnd.example.sbom
regctl artifact list --filter-artifact-type application/vnd.example.sbom $REGISTRY/regctl/hello:1.0.0 | grep Digest
regctl artifact tree $REGISTRY/regctl/hello:1.0.0 | grep application/vnd.example.sbom",
        },
        Step {
            does: Does::Copy,
            run: "\
regctl image copy --referrers --digest-tags $REGISTRY/regctl/hello:1.0.0 $REGISTRY/regctl/copy:1.0.0
regctl artifact list $REGISTRY/regctl/copy:1.0.0 | grep application/vnd.example.sbom
regctl image digest $REGISTRY/regctl/copy:1.0.0 | grep -x $(regctl image digest $REGISTRY/regctl/hello:1.0.0)",
        },
        Step {
            does: Does::Also("archives"),
            run: "\
regctl image export $REGISTRY/regctl/hello:large image.tar
regctl image import $REGISTRY/regctl/imported:large image.tar
regctl image digest $REGISTRY/regctl/imported:large | grep -x $(regctl image digest $REGISTRY/regctl/hello:large)",
        },
        Step {
            does: Does::Also("blobs in chunks"),
            run: "\
regctl registry set --blob-chunk 1000000 --blob-max 1 $REGISTRY
regctl blob put $REGISTRY/regctl/chunks < large.wasm > digest
regctl blob get $REGISTRY/regctl/chunks $(cat digest) | cmp - large.wasm
regctl blob copy $REGISTRY/regctl/chunks $REGISTRY/regctl/hello $(cat digest)
regctl blob delete $REGISTRY/regctl/chunks $(cat digest)",
        },
        Step {
            does: Does::Also("index"),
            run: "\
regctl index create --ref $REGISTRY/regctl/hello:1.0.0 --ref $REGISTRY/regctl/hello:large $REGISTRY/regctl/index:1
regctl manifest get --format raw-body $REGISTRY/regctl/index:1 | grep $(regctl image digest $REGISTRY/regctl/hello:large)",
        },
        Step {
            does: Does::List,
            run: "\
test \"$(regctl tag ls $REGISTRY/regctl/hello | grep -v ^sha256- | xargs)\" = '1.0.0 large'
test \"$(regctl tag ls --limit 1 --last 1.0.0 $REGISTRY/regctl/hello)\" = large
regctl repo ls $REGISTRY | grep -x regctl/imported",
        },
        Step {
            does: Does::Delete,
            run: "\
regctl tag delete $REGISTRY/regctl/imported:large
regctl tag ls $REGISTRY/regctl/imported > tags
(! grep -v ^sha256- tags)
regctl manifest delete --force-tag-dereference --referrers $REGISTRY/regctl/copy:1.0.0
regctl tag ls $REGISTRY/regctl/copy > tags
(! grep -v ^sha256- tags)",
        },
        Step {
            does: Does::PlainHttp,
            run: "\
regctl registry set --tls disabled $LOCAL
regctl registry login --user me --pass-stdin $LOCAL <<< $LOCAL_TOKEN
regctl artifact put --artifact-type application/wasm --file hello.wasm $LOCAL/regctl/hello:1.0.0
regctl artifact get $LOCAL/regctl/hello:1.0.0 | cmp - hello.wasm",
        },
    ],
};
