//! Every client, one file each.

mod buildah;
mod cosign;
mod crane;
mod helm;
mod notation;
mod oci_client;
mod oras;
mod podman;
mod regctl;
mod skopeo;
mod wkg;

use super::client::{Client, Does, Install, Step};

/// In the order of the page.
pub(super) const CLIENTS: &[Client] = &[
    crane::CRANE,
    oras::ORAS,
    regctl::REGCTL,
    skopeo::SKOPEO,
    buildah::BUILDAH,
    podman::PODMAN,
    cosign::COSIGN,
    notation::NOTATION,
    helm::HELM,
    wkg::WKG,
    oci_client::OCI_CLIENT,
];

/// `analysis REPOSITORY`: what the registry says of the component that is version 1.0.0 there. `wreg` pushes `hello.wasm` to
/// `wreg/hello`, for comparison.
const ANALYSIS: &str = "\
mkdir -p ~/bin
cat > ~/bin/analysis <<'END'
#!/bin/sh -e
export WREG_REGISTRY=$REGISTRY WREG_TOKEN=$TOKEN
wreg show --format json $REGISTRY/$1:1.0.0 | grep -o '\"analysis\":.*,\"findings\"'
END
chmod +x ~/bin/analysis
WREG_REGISTRY=$REGISTRY WREG_TOKEN=$TOKEN wreg push hello.wasm $REGISTRY/wreg/hello:1.0.0";

/// What a distribution puts into `/etc/containers`, and storage that needs nothing of the kernel, in the folder of the run.
const CONTAINERS: &str = "\
mkdir -p ~/.config/containers
cd ~/.config/containers
echo '{\"default\":[{\"type\":\"insecureAcceptAnything\"}]}' > policy.json
printf '[storage]\\ndriver = \"vfs\"\\ngraphroot = \"%s\"\\nrunroot = \"%s\"\\n' ~/storage ~/running > storage.conf
printf '[engine]\\ntmp_dir = \"%s\"\\nevents_logger = \"file\"\\n' ~/running > containers.conf
echo 'export CONTAINERS_STORAGE_CONF=~/.config/containers/storage.conf CONTAINERS_CONF=~/.config/containers/containers.conf' > ~/.env
cd -";
