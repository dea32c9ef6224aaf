//! wkg: WebAssembly packages by name and version, and components by reference.

use super::{Client, Does, Install, Step};
use crate::interop::versions::WKG as TOOL;

pub(super) const WKG: Client = Client {
    name: "wkg",
    about: "WebAssembly packages by name and version",
    install: Install::Cargo(TOOL),
    prepare: "\
mkdir -p greet/wit app/wit
cat > greet/wit/greet.wit <<'END'
package acme:greet@1.0.0;

interface greeting {
  greet: func(name: string) -> string;
}
END
cat > app/wit/app.wit <<'END'
package acme:app@0.1.0;

world app {
  import acme:greet/greeting@1.0.0;
}
END",
    steps: &[
        // It has no login of its own: it reads what docker and its kin have stored.
        Step {
            does: Does::Login,
            run: "oras login $REGISTRY --username me --password-stdin <<< $TOKEN",
        },
        Step {
            does: Does::Push,
            run: "\
wkg oci push $REGISTRY/wkg/hello:1.0.0 hello.wasm
wkg oci push $REGISTRY/wkg/large:1.0.0 large.wasm",
        },
        Step {
            does: Does::Pull,
            run: "\
wkg oci pull --output pulled.wasm $REGISTRY/wkg/hello:1.0.0
cmp pulled.wasm hello.wasm
wkg oci pull --output pulled.wasm $REGISTRY/wkg/large:1.0.0
cmp pulled.wasm large.wasm",
        },
        Step {
            does: Does::Also("components"),
            run: "\
analysis wkg/hello > theirs
analysis > ours
cmp theirs ours",
        },
        Step {
            does: Does::Also("what the registry signs"),
            run: "WREG_TOKEN=$TOKEN wreg --ca-file $SSL_CERT_FILE verify $REGISTRY/wkg/hello:1.0.0",
        },
        Step {
            does: Does::Also("discovery"),
            run: "curl --silent --fail https://$REGISTRY/.well-known/wasm-pkg/registry.json | grep \"\\\"registry\\\":\\\"$REGISTRY\\\"\"",
        },
        Step {
            does: Does::Also("publish"),
            run: "\
export WKG_REGISTRY=$REGISTRY
wkg build --wit-dir greet/wit --output greet.wasm
wkg publish greet.wasm
! wkg publish greet.wasm
curl --silent --fail --user me:$TOKEN \"https://$REGISTRY/api/v1/search?q=greeting\" | grep acme/greet",
        },
        Step {
            does: Does::Also("get"),
            run: "\
export WKG_REGISTRY=$REGISTRY
RUST_LOG=debug wkg get acme:greet@1.0.0 --output ./got.wasm | grep 'Got registry metadata'
cmp got.wasm greet.wasm
wkg get acme:greet --format wit --output ./got.wit
grep 'greet: func(name: string) -> string' got.wit",
        },
        Step {
            does: Does::Also("fetch"),
            run: "\
mkdir -p ~/.config/wasm-pkg
echo \"default_registry = \\\"$REGISTRY\\\"\" > ~/.config/wasm-pkg/config.toml
cd app
wkg wit fetch
grep 'greet: func(name: string) -> string' wit/deps/acme-greet-1.0.0/package.wit",
        },
        Step {
            does: Does::PlainHttp,
            run: "\
oras login --plain-http $LOCAL --username me --password-stdin <<< $LOCAL_TOKEN
wkg oci push --insecure $LOCAL $LOCAL/wkg/hello:1.0.0 hello.wasm
wkg oci pull --insecure $LOCAL --output local.wasm $LOCAL/wkg/hello:1.0.0
cmp local.wasm hello.wasm
cat > ~/.config/wasm-pkg/config.toml <<END
default_registry = \"$LOCAL\"
[registry.\"$LOCAL\".oci]
protocol = \"http\"
END
wkg publish greet.wasm
wkg get acme:greet@1.0.0 --output ./greet-local.wasm
cmp greet-local.wasm greet.wasm",
        },
        Step {
            does: Does::Also("one wkg.lock"),
            run: "\
cd app
rm -r wkg.lock wit/deps
wkg wit fetch
cp wkg.lock before
wreg lock --check
wreg fetch
cmp wkg.lock before
wkg wit fetch
cmp wkg.lock before",
        },
    ],
};
