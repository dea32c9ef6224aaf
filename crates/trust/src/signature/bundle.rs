//! Sigstore bundles: an envelope with what it takes to check it, which is a key that the verifier has, or a certificate with what logs say.
//!
//! Source: sigstore protobuf-specs, `sigstore_bundle.proto`, version 0.3.

use serde::{Deserialize, Serialize};
use wreg_oci::{Digest, MediaType};

use super::{
    dsse::{Envelope, pae},
    key::{PublicKey, Signature, SigningKey},
    keyless::{self, Identity, TrustRoot, Untrusted, material::VerificationMaterial},
    statement::{self, Statement},
};

/// The most bytes of a bundle that are looked at.
pub const MAX_BUNDLE: usize = 4 << 20;

/// Why a bundle proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// It is no bundle of version 0.3 with an envelope, or a larger one than is looked at.
    #[error("it is no sigstore bundle of version 0.3 with a signed statement")]
    Malformed,
    /// None of the keys has signed it.
    #[error("none of the keys that are trusted has signed it")]
    Signature,
    /// Its certificate or what logs say of it is not what is trusted.
    #[error(transparent)]
    Keyless(#[from] Untrusted),
    /// What is signed is no statement.
    #[error("what is signed is no in-toto statement")]
    Statement,
    /// The statement is about something else.
    #[error("it is about another artifact")]
    Subject,
}

/// A statement that is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bundle {
    media_type: MediaType,
    verification_material: VerificationMaterial,
    dsse_envelope: Envelope,
}

impl Bundle {
    /// Signs a statement. The same statement and key give the same bytes.
    pub fn sign(statement: &Statement, key: &SigningKey) -> Self {
        let signature = key.sign(&Self::message(statement));
        Self::signed(statement, &key.public_key(), &signature)
    }

    /// What is signed of a statement.
    pub fn message(statement: &Statement) -> Vec<u8> {
        pae(statement::MEDIA_TYPE, &statement.to_bytes())
    }

    /// A statement whose [message](Self::message) has been signed with a key.
    pub fn signed(statement: &Statement, key: &PublicKey, signature: &Signature) -> Self {
        Self {
            media_type: MediaType::SIGSTORE_BUNDLE,
            verification_material: VerificationMaterial::of_key(key.hint()),
            dsse_envelope: Envelope::signed(statement::MEDIA_TYPE, &statement.to_bytes(), signature),
        }
    }

    /// Reads one.
    pub fn parse(bytes: &[u8]) -> Result<Self, Unproven> {
        if bytes.len() > MAX_BUNDLE {
            return Err(Unproven::Malformed);
        }
        let bundle: Self = serde_json::from_slice(bytes).map_err(|_| Unproven::Malformed)?;
        (bundle.media_type == MediaType::SIGSTORE_BUNDLE)
            .then_some(bundle)
            .ok_or(Unproven::Malformed)
    }

    /// The bundle as JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        // It has text for keys and nothing that could fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// What the bundle names its key by, if it does.
    pub fn hint(&self) -> Option<&str> {
        self.verification_material.public_key.as_ref().map(|key| &*key.hint)
    }

    /// How many signatures it has. Each is tried with each key.
    pub fn signatures(&self) -> usize {
        self.dsse_envelope.signatures()
    }

    /// The statement about the manifest with that digest, if one of these keys has signed it: with the place of the key.
    pub fn verify(&self, digest: &Digest, keys: &[PublicKey]) -> Result<(Statement, usize), Unproven> {
        if self.dsse_envelope.payload_type() != statement::MEDIA_TYPE {
            return Err(Unproven::Statement);
        }
        let (payload, key) = self.dsse_envelope.verify(keys).ok_or(Unproven::Signature)?;
        Ok((statement_about(digest, &payload)?, key))
    }

    /// Whether it has a certificate, so that it is not the key but the identity that it is for that counts.
    pub fn is_keyless(&self) -> bool {
        self.verification_material.leaf().is_some()
    }

    /// The statement about the manifest with that digest, if that identity has signed it, as the authorities and logs of `root` prove it.
    pub fn verify_keyless(
        &self,
        digest: &Digest,
        root: &TrustRoot,
        identity: &Identity,
    ) -> Result<Statement, Unproven> {
        if self.dsse_envelope.payload_type() != statement::MEDIA_TYPE {
            return Err(Unproven::Statement);
        }
        keyless::verify(&self.verification_material, &self.dsse_envelope, root, identity)?;
        let payload = self.dsse_envelope.unverified_payload().ok_or(Unproven::Statement)?;
        statement_about(digest, &payload)
    }
}

fn statement_about(digest: &Digest, payload: &[u8]) -> Result<Statement, Unproven> {
    let statement = Statement::parse(payload).ok_or(Unproven::Statement)?;
    statement.is_about(digest).then_some(statement).ok_or(Unproven::Subject)
}
