//! Simple signing: the form of cosign up to version 2, and of containers/image.
//!
//! Source: cosign, `specs/SIGNATURE_SPEC.md`; containers/image, `docs/containers-signature.5.md`.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wreg_oci::Digest;

use super::key::{PublicKey, Signature};

/// The most bytes of a payload that are looked at.
pub const MAX_PAYLOAD: u64 = 64 << 10;
/// The annotation of the layer that holds the payload with the signature, in base64.
pub const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const TYPE: &str = "cosign container image signature";

/// What is signed. Its bytes are those of this order, which is all that the form asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimpleSigning {
    critical: Critical,
    #[serde(default)]
    optional: Option<Value>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Critical {
    identity: Identity,
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Identity {
    docker_reference: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Image {
    docker_manifest_digest: String,
}

impl SimpleSigning {
    /// That the manifest with that digest belongs to a repository, which is written with its host: `reg.example/acme/hello`.
    pub fn new(repository: &str, digest: &Digest) -> Self {
        Self {
            critical: Critical {
                identity: Identity {
                    docker_reference: repository.to_owned(),
                },
                image: Image {
                    docker_manifest_digest: digest.to_string(),
                },
                kind: TYPE.to_owned(),
            },
            optional: None,
        }
    }

    /// The bytes that are signed.
    pub fn to_bytes(&self) -> Vec<u8> {
        // It has text for keys and nothing that could fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// What a payload says, if one of these keys has signed it and it is about that manifest.
    pub fn verify(payload: &[u8], signature: &Signature, digest: &Digest, keys: &[PublicKey]) -> Option<Self> {
        PublicKey::signer_of(keys, payload, std::slice::from_ref(signature))?;
        let signed: Self = serde_json::from_slice(payload).ok()?;
        let critical = &signed.critical;
        let is_about = critical.kind == TYPE && critical.image.docker_manifest_digest == digest.to_string();
        is_about.then_some(signed)
    }

    /// The repository that it names, with its host.
    pub fn repository(&self) -> &str {
        &self.critical.identity.docker_reference
    }
}
