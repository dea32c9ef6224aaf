//! notation: signatures by certificates.

use super::{Client, Does, Install, Step};
use crate::interop::versions::NOTATION as TOOL;

pub(super) const NOTATION: Client = Client {
    name: "notation",
    about: "Signatures by certificates",
    install: Install::Go(TOOL),
    // It keeps passwords in a credential helper or not at all: the smallest one that keeps to the helpers' protocol.
    prepare: "\
mkdir -p ~/bin ~/.config/notation
cat > ~/bin/docker-credential-file <<'END'
#!/bin/sh
case $1 in
store) cat > ~/credential ;;
get) cat ~/credential ;;
erase) rm -f ~/credential ;;
list) echo '{}' ;;
esac
END
chmod +x ~/bin/docker-credential-file
echo '{\"credsStore\":\"file\"}' > ~/.config/notation/config.json
oras login $REGISTRY --username me --password-stdin <<< $TOKEN
oras push $REGISTRY/notation/hello:1.0.0 hello.wasm:application/wasm
oras login --plain-http $LOCAL --username me --password-stdin <<< $LOCAL_TOKEN
oras push --plain-http $LOCAL/notation/hello:1.0.0 hello.wasm:application/wasm
echo $REGISTRY/notation/hello@$(oras resolve $REGISTRY/notation/hello:1.0.0) > hello
cat > trustpolicy.json <<'END'
{
  \"version\": \"1.0\",
  \"trustPolicies\": [{
    \"name\": \"all\",
    \"registryScopes\": [\"*\"],
    \"signatureVerification\": { \"level\": \"strict\" },
    \"trustStores\": [\"ca:wreg.example\"],
    \"trustedIdentities\": [\"*\"]
  }]
}
END",
    steps: &[
        Step {
            does: Does::Login,
            run: "notation login --username me --password-stdin $REGISTRY <<< $TOKEN",
        },
        Step {
            does: Does::Also("sign"),
            run: "\
notation cert generate-test --default wreg.example
notation sign $(cat hello)
notation sign --signature-format cose $(cat hello)",
        },
        Step {
            does: Does::Also("verify"),
            run: "\
notation policy import trustpolicy.json
notation verify $(cat hello)",
        },
        Step {
            does: Does::Also("inspect"),
            run: "notation inspect $(cat hello) | grep CN=wreg.example",
        },
        Step {
            does: Does::Also("sign by tags"),
            run: "\
notation sign --force-referrers-tag $(cat hello)
test $(notation list $(cat hello) | grep -c sha256:.*) = 4",
        },
        Step {
            does: Does::List,
            run: "notation list $(cat hello) | grep application/vnd.cncf.notary.signature",
        },
        Step {
            does: Does::PlainHttp,
            run: "\
notation login --insecure-registry --username me --password-stdin $LOCAL <<< $LOCAL_TOKEN
notation sign --insecure-registry $LOCAL/notation/hello:1.0.0
notation verify --insecure-registry $LOCAL/notation/hello:1.0.0",
        },
    ],
};
