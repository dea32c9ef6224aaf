//! Where the clients come from, and their versions: the one place. Debian's packages have the version that Debian has.

use crate::{cargo_tools::CargoTool, go_tools::GoTool};

pub(crate) const CRANE: GoTool = GoTool {
    package: "github.com/google/go-containerregistry/cmd/crane",
    version: "v0.22.1",
    program: "crane",
    unlisted: false,
};
pub(super) const ORAS: GoTool = GoTool {
    package: "oras.land/oras/cmd/oras",
    version: "v1.3.6",
    program: "oras",
    unlisted: false,
};
pub(super) const REGCTL: GoTool = GoTool {
    package: "github.com/regclient/regclient/cmd/regctl",
    version: "v0.11.7",
    program: "regctl",
    unlisted: false,
};
pub(super) const COSIGN: GoTool = GoTool {
    package: "github.com/sigstore/cosign/v3/cmd/cosign",
    version: "v3.1.3",
    program: "cosign",
    unlisted: false,
};
/// What is still the cosign of many.
pub(super) const COSIGN_2: GoTool = GoTool {
    package: "github.com/sigstore/cosign/v2/cmd/cosign",
    version: "v2.6.5",
    program: "cosign",
    unlisted: false,
};
pub(super) const NOTATION: GoTool = GoTool {
    package: "github.com/notaryproject/notation/cmd/notation",
    version: "v1.3.2",
    program: "notation",
    unlisted: true,
};
pub(super) const HELM: GoTool = GoTool {
    package: "helm.sh/helm/v4/cmd/helm",
    version: "v4.3.1",
    program: "helm",
    unlisted: false,
};
pub(super) const WKG: CargoTool = CargoTool {
    name: "wkg",
    version: "0.16.1",
};
