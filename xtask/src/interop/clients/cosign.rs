//! cosign: signatures and attestations, as bundles that refer to what they sign. With a key of its own it needs no other network.

use super::{Client, Does, Install, Step};
use crate::interop::versions::COSIGN as TOOL;

pub(super) const COSIGN: Client = Client {
    name: "cosign",
    about: "Signatures and attestations",
    install: Install::Go(TOOL),
    prepare: "tar -cf hello.tar hello.wasm",
    steps: &[
        Step {
            does: Does::Login,
            run: "cosign login $REGISTRY --username me --password-stdin <<< $TOKEN",
        },
        Step {
            does: Does::Also("sign"),
            run: "\
crane append --oci-empty-base --new_layer hello.tar --new_tag $REGISTRY/cosign/image:1 > image
COSIGN_PASSWORD= cosign generate-key-pair
COSIGN_PASSWORD= cosign sign --yes --key cosign.key --use-signing-config=false --tlog-upload=false $(cat image)",
        },
        Step {
            does: Does::Also("verify"),
            run: "\
cosign verify --key cosign.pub --insecure-ignore-tlog $REGISTRY/cosign/image:1
crane append --oci-empty-base --new_layer hello.tar --new_layer hello.tar --new_tag $REGISTRY/cosign/unsigned:1
! cosign verify --key cosign.pub --insecure-ignore-tlog $REGISTRY/cosign/unsigned:1",
        },
        Step {
            does: Does::Also("attest"),
            run: "\
echo '{\"built\":\"by hand\"}' > predicate.json
COSIGN_PASSWORD= cosign attest --yes --key cosign.key --use-signing-config=false --tlog-upload=false \\
  --type custom --predicate predicate.json $(cat image)",
        },
        Step {
            does: Does::Also("verify-attestation"),
            run: "cosign verify-attestation --key cosign.pub --insecure-ignore-tlog --type custom $REGISTRY/cosign/image:1",
        },
        Step {
            does: Does::Also("tree"),
            run: "\
cosign tree $REGISTRY/cosign/image:1 | grep https://sigstore.dev/cosign/sign/v1
cosign tree $REGISTRY/cosign/image:1 | grep https://cosign.sigstore.dev/attestation/v1",
        },
        Step {
            does: Does::Also("download"),
            run: "cosign download attestation $REGISTRY/cosign/image:1 | grep dsseEnvelope",
        },
        Step {
            does: Does::Copy,
            run: "\
cosign copy $REGISTRY/cosign/image:1 $REGISTRY/cosign/copy:1
cosign verify --key cosign.pub --insecure-ignore-tlog $REGISTRY/cosign/copy:1",
        },
        Step {
            does: Does::Also("verify what oras copied"),
            run: "\
oras cp --recursive $REGISTRY/cosign/image:1 $REGISTRY/cosign/copied:1
cosign verify --key cosign.pub --insecure-ignore-tlog $REGISTRY/cosign/copied:1",
        },
        Step {
            does: Does::Also("save"),
            run: "cosign save --dir saved $REGISTRY/cosign/image:1",
        },
        Step {
            does: Does::Also("load"),
            run: "\
cosign load --dir saved $REGISTRY/cosign/loaded:1
cosign verify --key cosign.pub --insecure-ignore-tlog $REGISTRY/cosign/loaded:1",
        },
        Step {
            does: Does::Also("load where references may be missing"),
            run: "\
crane append --oci-empty-base --new_layer hello.tar --new_tag $REGISTRY/cosign/sparse:0
curl --fail --user me:$TOKEN --request PATCH --data '{\"missing_references\":\"accept\"}' \\
  \"https://$REGISTRY/api/v1/repository?repository=cosign/sparse\"
cosign load --dir saved $REGISTRY/cosign/sparse:1
cosign verify --key cosign.pub --insecure-ignore-tlog $REGISTRY/cosign/sparse:1",
        },
        Step {
            does: Does::Also("tags of cosign 2"),
            run: "\
COSIGN_PASSWORD= cosign sign --yes --key cosign.key --use-signing-config=false --tlog-upload=false \\
  --new-bundle-format=false $REGISTRY/cosign/unsigned@$(crane digest $REGISTRY/cosign/unsigned:1)
cosign verify --key cosign.pub --insecure-ignore-tlog --new-bundle-format=false $REGISTRY/cosign/unsigned:1
crane ls $REGISTRY/cosign/unsigned | grep '^sha256-.*[.]sig$'",
        },
        Step {
            does: Does::Also("wreg sign"),
            run: "\
export WREG_REGISTRY=$REGISTRY WREG_TOKEN=$TOKEN
wreg key generate own
crane append --oci-empty-base --new_layer hello.tar --new_tag $REGISTRY/cosign/wreg:1
wreg --ca-file $SSL_CERT_FILE sign --key own.key $REGISTRY/cosign/wreg:1
cosign verify --key own.pub --insecure-ignore-tlog $REGISTRY/cosign/wreg:1
! cosign verify --key cosign.pub --insecure-ignore-tlog $REGISTRY/cosign/wreg:1
wreg --ca-file $SSL_CERT_FILE attest --key own.key --type https://example.org/built --predicate predicate.json $REGISTRY/cosign/wreg:1
cosign verify-attestation --key own.pub --insecure-ignore-tlog --type https://example.org/built $REGISTRY/cosign/wreg:1",
        },
        Step {
            does: Does::Also("what the registry signs"),
            run: "\
export WREG_REGISTRY=$REGISTRY WREG_TOKEN=$TOKEN
wreg --ca-file $SSL_CERT_FILE push hello.wasm $REGISTRY/cosign/signed:1.0.0
wreg --ca-file $SSL_CERT_FILE key show $REGISTRY > registry.pub
by=\"--key registry.pub --insecure-ignore-tlog $REGISTRY/cosign/signed:1.0.0\"
cosign verify $by
cosign verify --new-bundle-format=false $by
cosign verify-attestation --type urn:wreg:publish:v1 $by
(! cosign verify --key cosign.pub --insecure-ignore-tlog $REGISTRY/cosign/signed:1.0.0)
COSIGN_PASSWORD= cosign sign --yes --key cosign.key --use-signing-config=false --tlog-upload=false \\
  $REGISTRY/cosign/signed@$(crane digest $REGISTRY/cosign/signed:1.0.0)
cosign verify $by
cosign verify --key cosign.pub --insecure-ignore-tlog $REGISTRY/cosign/signed:1.0.0
wreg --ca-file $SSL_CERT_FILE verify $REGISTRY/cosign/signed:1.0.0
echo '{}' > config.json
oras push --config config.json:application/vnd.wasm.config.v0+json $REGISTRY/cosign/pushed:1.0.0 hello.wasm:application/wasm
wreg --ca-file $SSL_CERT_FILE verify $REGISTRY/cosign/pushed:1.0.0
cosign verify --key registry.pub --insecure-ignore-tlog $REGISTRY/cosign/pushed:1.0.0",
        },
        Step {
            does: Does::Also("wreg verify"),
            run: "\
export WREG_REGISTRY=$REGISTRY WREG_TOKEN=$TOKEN
wreg --ca-file $SSL_CERT_FILE verify --key cosign.pub $REGISTRY/cosign/image:1
wreg --ca-file $SSL_CERT_FILE verify --key cosign.pub --type https://cosign.sigstore.dev/attestation/v1 $REGISTRY/cosign/image:1
wreg --ca-file $SSL_CERT_FILE verify --key cosign.pub $REGISTRY/cosign/unsigned:1
! wreg --ca-file $SSL_CERT_FILE verify --key own.pub $REGISTRY/cosign/image:1",
        },
        // What cosign's developers have signed with the public instance: it lies beside cosign's tests, as does the trust root of then.
        Step {
            does: Does::Also("keyless"),
            run: "\
export WREG_REGISTRY=$REGISTRY WREG_TOKEN=$TOKEN
installed=$(dirname $(realpath $(command -v cosign)))
cp $installed/../modules/github.com/sigstore/cosign/v3@*/pkg/cosign/testdata/{oci-attestation.sigstore,trusted_root_pgi}.json .
printf '{\"architecture\":\"\",\"created\":\"0001-01-01T00:00:00Z\",\"os\":\"\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":null},\"config\":{}}' > config
docker=application/vnd.docker bundle=application/vnd.dev.sigstore.bundle.v0.3+json
printf '{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":{\"mediaType\":\"%s\",\"size\":115,\"digest\":\"sha256:%s\"},\"layers\":[]}' \
  $docker.distribution.manifest.v2+json $docker.container.image.v1+json $(sha256sum < config | cut -c -64) > empty
oras blob push $REGISTRY/cosign/keyless config
oras manifest push --media-type $docker.distribution.manifest.v2+json $REGISTRY/cosign/keyless:1 empty
oras attach --artifact-type $bundle $REGISTRY/cosign/keyless:1 oci-attestation.sigstore.json:$bundle
signer=$(grep -o '\"rawBytes\": *\"[^\"]*' oci-attestation.sigstore.json | head -1 | cut -d'\"' -f4 | base64 -d | grep -aoE '[a-z]+@[a-z]+[.]com')
by=\"--certificate-identity $signer --certificate-oidc-issuer https://github.com/login/oauth\"
cosign verify-attestation --trusted-root trusted_root_pgi.json $by --type https://cosign.sigstore.dev/attestation/v1 $REGISTRY/cosign/keyless:1
wreg --ca-file $SSL_CERT_FILE verify --trust-root trusted_root_pgi.json $by $REGISTRY/cosign/keyless:1
(! wreg --ca-file $SSL_CERT_FILE verify --trust-root trusted_root_pgi.json ${by/login/logout} $REGISTRY/cosign/keyless:1)
(! wreg --ca-file $SSL_CERT_FILE verify --key cosign.pub $REGISTRY/cosign/keyless:1)",
        },
        Step {
            does: Does::Delete,
            run: "\
cosign clean --force $REGISTRY/cosign/image:1
cosign tree $REGISTRY/cosign/image:1 | grep 'No Supply Chain Security Related Artifacts'
! cosign verify --key cosign.pub --insecure-ignore-tlog $REGISTRY/cosign/image:1",
        },
        Step {
            does: Does::PlainHttp,
            run: "\
cosign login $LOCAL --username me --password-stdin <<< $LOCAL_TOKEN
crane append --oci-empty-base --new_layer hello.tar --new_tag $LOCAL/cosign/image:1 > local
COSIGN_PASSWORD= cosign sign --yes --key cosign.key --use-signing-config=false --tlog-upload=false --allow-http-registry $(cat local)
cosign verify --key cosign.pub --insecure-ignore-tlog --allow-http-registry $LOCAL/cosign/image:1",
        },
    ],
};
