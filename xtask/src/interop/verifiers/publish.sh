# What is lied about: the same component, by whoever can push one. The lies are about the first; the log goes on after it.
export WREG_TOKEN=$TOKEN COSIGN_PASSWORD=
wreg push hello.wasm $REGISTRY/acme/wreg:1.0.0
wreg push hello.wasm $REGISTRY/acme/own:1.0.0
oras login --plain-http $REGISTRY --username me --password-stdin <<< $TOKEN
echo '{}' > config.json
oras push --plain-http --config config.json:application/vnd.wasm.config.v0+json \
  $REGISTRY/acme/oras:1.0.0 hello.wasm:application/wasm
wkg oci push --insecure $REGISTRY $REGISTRY/acme/wkg:1.0.0 hello.wasm
for one in wreg own oras wkg; do
  curl --silent --show-error --fail "http://$REGISTRY/api/v1/publication?repository=acme/$one&reference=1.0.0&wait=30" |
    grep '"signed":true'
done

# A signature of somebody's own beside the registry's, in both forms.
cosign generate-key-pair
own=$REGISTRY/acme/own@$(oras resolve --plain-http $REGISTRY/acme/own:1.0.0)
sign="cosign sign --yes --key cosign.key --use-signing-config=false --tlog-upload=false --allow-http-registry"
$sign $own
$sign --new-bundle-format=false $own
cosign verify --key cosign.pub --insecure-ignore-tlog --allow-http-registry $own
cosign verify --key cosign.pub --insecure-ignore-tlog --allow-http-registry --new-bundle-format=false $own
rm ~/.docker/config.json
unset WREG_TOKEN

# What a verifier is given before the first lie.
wreg trust init $REGISTRY
wreg key show $REGISTRY > registry.pub
echo '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}' > root.json
printf '{"default":[{"type":"reject"}],"transports":{"docker":{"%s":[%s]}}}' $REGISTRY \
  '{"type":"sigstoreSigned","keyPath":"registry.pub","signedIdentity":{"type":"matchRepository"}}' > policy.json
mkdir registries.d
printf 'docker:\n  "%s":\n    use-sigstore-attachments: true\n' $REGISTRY > registries.d/wreg.yaml
