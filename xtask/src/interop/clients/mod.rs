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

/// What a distribution puts into `/etc/containers`, and storage that needs nothing of the kernel, in the folder of the run.
const CONTAINERS: &str = "\
mkdir -p ~/.config/containers
cd ~/.config/containers
echo '{\"default\":[{\"type\":\"insecureAcceptAnything\"}]}' > policy.json
printf '[storage]\\ndriver = \"vfs\"\\ngraphroot = \"%s\"\\nrunroot = \"%s\"\\n' ~/storage ~/running > storage.conf
printf '[engine]\\ntmp_dir = \"%s\"\\nevents_logger = \"file\"\\n' ~/running > containers.conf
echo 'export CONTAINERS_STORAGE_CONF=~/.config/containers/storage.conf CONTAINERS_CONF=~/.config/containers/containers.conf' > ~/.env
cd -";
