//! Keyless signatures: a certificate says for some minutes whose key it is, and a log that it was used in that time.
//!
//! - [`TrustRoot`]: whom to believe, as a file. [`Identity`]: whose signature is wanted.
//! - `certificate`: from the certificate that a bundle has to an authority of the root. `sct`: that it is in a log of certificates.
//! - `rekor` and `body`: that this signature is in a transparency log. `timestamp`: when it was there.
//!
//! What is asked of a bundle: the signature is of the certificate's key; the certificate is of an authority, for signing code, in a log
//! of certificates, and valid at each time that is proven; there is such a time, promised by a log of version 1 (`integratedTime`) or
//! said by a timestamp authority; every entry that the bundle has is in a log and is of this signature, and there is one; and the
//! certificate is for exactly the identity and issuer that are asked for. No clock and no network take part: who revokes trust
//! does it in the file.
//!
//! Source: sigstore, Client Specification (sigstore/architecture-docs, `client-spec.md`); sigstore protobuf-specs, `sigstore_bundle.proto`
//! and `sigstore_trustroot.proto`; fulcio, `docs/oid-info.md`.

mod body;
mod certificate;
mod der;
mod key;
pub(super) mod material;
mod rekor;
mod sct;
mod timestamp;
mod trust_root;

use serde::{Deserialize, Serialize};

use self::{certificate::Certificate, material::VerificationMaterial};
use super::dsse::Envelope;

pub use trust_root::{InvalidTrustRoot, TrustRoot};

/// The most log entries, and the most timestamps, of a bundle.
const MAX_PROOFS: usize = 16;

/// Who has signed, as the certificate says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Who: an e-mail address, or the URI of a workflow.
    pub name: String,
    /// Who says so: the URL of an issuer of identities (OIDC).
    pub issuer: String,
}

/// Why a keyless signature is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// The bundle has no certificate, or none that can be read.
    #[error("it has no certificate that can be read")]
    NoCertificate,
    /// The certificate's key has not signed it.
    #[error("the key of its certificate has not signed it")]
    Signature,
    /// It is in no log that is trusted, or not as it is.
    #[error("no log of the trust root proves that it has this signature")]
    Log,
    /// Nothing proves when it was signed.
    #[error("nothing proves when it was signed")]
    Time,
    /// No authority has issued the certificate, for this purpose and time.
    #[error("its certificate is of no authority of the trust root, or not for signing at that time")]
    Certificate,
    /// The certificate is in no log of certificates.
    #[error("no log of the trust root proves that it has its certificate")]
    CertificateLog,
    /// The certificate is somebody else's.
    #[error("its certificate is for another identity or of another issuer")]
    Identity,
}

/// Whether it is a signature of that identity.
pub(super) fn verify(
    material: &VerificationMaterial,
    envelope: &Envelope,
    root: &TrustRoot,
    identity: &Identity,
) -> Result<(), Untrusted> {
    let der = material.leaf().ok_or(Untrusted::NoCertificate)?;
    let leaf = Certificate::parse(der).ok_or(Untrusted::NoCertificate)?;
    let key = leaf.key().ok_or(Untrusted::NoCertificate)?;
    let signed = envelope.only_signed().ok_or(Untrusted::Signature)?;
    if !key.verifies(key.own_hash(), &signed.message, &signed.signature) {
        return Err(Untrusted::Signature);
    }
    let (entries, timestamps) = (&material.tlog_entries, material.timestamps());
    if entries.is_empty() || entries.len() > MAX_PROOFS || timestamps.len() > MAX_PROOFS {
        return Err(Untrusted::Log);
    }
    if !entries.iter().all(|entry| body::is_of(entry, der, &signed)) {
        return Err(Untrusted::Log);
    }
    let mut times: Vec<i64> = timestamps
        .iter()
        .filter_map(|token| timestamp::time(token, &signed.signature, root))
        .collect();
    for entry in entries.iter().filter(|entry| entry.is_promised()) {
        times.push(rekor::promised_time(entry, root).ok_or(Untrusted::Log)?);
    }
    if times.is_empty() {
        return Err(Untrusted::Time);
    }
    if !entries.iter().all(|entry| rekor::is_in_log(entry, root, &times)) {
        return Err(Untrusted::Log);
    }
    let issuer = certificate::issuer(&leaf, root.authorities(), certificate::CODE_SIGNING, &times);
    let issuer = issuer.ok_or(Untrusted::Certificate)?;
    if !sct::is_in_log(&leaf, issuer, root) {
        return Err(Untrusted::CertificateLog);
    }
    (leaf.identity().as_ref() == Some(identity))
        .then_some(())
        .ok_or(Untrusted::Identity)
}
