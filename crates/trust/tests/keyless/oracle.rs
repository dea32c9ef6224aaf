//! What another implementation, `sigstore-verify`, says of a bundle.

use serde_json::Value;
use sigstore_trust_root::TrustedRoot;
use sigstore_verify::{
    VerificationPolicy,
    types::{Artifact, ArtifactDigest, Bundle, HashAlgorithm},
};
use wreg_oci::{Algorithm, Digest};
use wreg_trust::signature::Identity;

/// Whose it is, if it is proven to be of that artifact and of `wanted`, or of anybody.
pub(crate) fn verify(
    root: &str,
    bundle: &Value,
    digest: &Digest,
    wanted: Option<&Identity>,
) -> Result<Identity, String> {
    let root = TrustedRoot::from_json(root).map_err(|error| error.to_string())?;
    let bundle = Bundle::from_json(&bundle.to_string()).map_err(|error| error.to_string())?;
    let policy = match wanted {
        Some(Identity { name, issuer }) => VerificationPolicy::new(name.as_str(), issuer.as_str()),
        None => VerificationPolicy::any_identity(),
    };
    let bytes: Vec<u8> = (0..digest.encoded().len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digest.encoded()[at..at + 2], 16).expect("hexadecimal"))
        .collect();
    let algorithm = match digest.algorithm() {
        Algorithm::Sha256 => HashAlgorithm::Sha2256,
        Algorithm::Sha512 => HashAlgorithm::Sha2512,
    };
    let artifact = Artifact::from(ArtifactDigest::new(algorithm, bytes).map_err(|error| error.to_string())?);
    let found = sigstore_verify::verify(artifact, &bundle, &policy, &root).map_err(|error| error.to_string())?;
    Ok(Identity {
        name: found.identity().ok_or("nobody")?.as_str().to_owned(),
        issuer: found.issuer().ok_or("no issuer")?.to_owned(),
    })
}
