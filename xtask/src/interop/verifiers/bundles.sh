#!/bin/sh -e
# `bundles REFERENCE`: the digest of an artifact in the file `digest`, and the bundles beside it in the folder `bundles`.
kind=application/vnd.dev.sigstore.bundle.v0.3+json
mkdir bundles
oras resolve --plain-http "$1" > digest
oras discover --plain-http --artifact-type $kind --format go-template \
  --template '{{range .referrers}}{{println .digest}}{{end}}' "$1" |
  while read -r referrer; do
    layer=$(oras manifest fetch --plain-http --format go-template \
      --template '{{(index .content.layers 0).digest}}' "${1%:*}@$referrer")
    oras blob fetch --plain-http --output "bundles/${layer#sha256:}" "${1%:*}@$layer"
  done
