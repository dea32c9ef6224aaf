//! oci-client: the library, by a small program that has a subcommand for each of its calls.

use super::{Client, Does, Install, Step};

pub(super) const OCI_CLIENT: Client = Client {
    name: "oci-client",
    about: "The Rust library, here by `crates/client/examples/oci_client.rs`, which takes the token from `TOKEN`",
    install: Install::Library {
        name: "oci-client",
        example: "oci_client",
    },
    prepare: "\
oras login $REGISTRY --username me --password-stdin <<< $TOKEN",
    steps: &[
        Step {
            does: Does::Push,
            run: "\
oci-client push $REGISTRY/oci-client/hello:1.0.0 hello.wasm
oci-client push $REGISTRY/oci-client/hello:large large.wasm",
        },
        Step {
            does: Does::Pull,
            run: "\
oci-client pull $REGISTRY/oci-client/hello:1.0.0 pulled.wasm
cmp pulled.wasm hello.wasm
oci-client pull $REGISTRY/oci-client/hello:large pulled.wasm
cmp pulled.wasm large.wasm",
        },
        Step {
            does: Does::Copy,
            run: "\
oci-client copy $REGISTRY/oci-client/hello:large $REGISTRY/oci-client/copy:large
oci-client pull $REGISTRY/oci-client/copy:large copy.wasm
cmp copy.wasm large.wasm",
        },
        Step {
            does: Does::List,
            run: "oci-client list $REGISTRY/oci-client/hello | grep -v ^sha256- | xargs | grep -x '1.0.0 large'",
        },
        Step {
            does: Does::Also("referrers"),
            run: "\
oras attach --artifact-type application/vnd.example.note $REGISTRY/oci-client/hello:1.0.0 --annotation note=yes
oci-client referrers $REGISTRY/oci-client/hello:1.0.0 | grep application/vnd.example.note",
        },
        Step {
            does: Does::PlainHttp,
            run: "\
export TOKEN=$LOCAL_TOKEN PLAIN_HTTP=yes
oci-client push $LOCAL/oci-client/hello:1.0.0 hello.wasm
oci-client pull $LOCAL/oci-client/hello:1.0.0 local.wasm
cmp local.wasm hello.wasm",
        },
    ],
};
