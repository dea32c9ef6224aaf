//! Signed certificate timestamps: a log of certificates says in a certificate that it has it.
//!
//! Source: RFC 6962, sections 3.2 and 3.3.

use sha2::{Digest as _, Sha256};
use x509_cert::{
    der::{Decode as _, Encode as _, Tag, TagNumber, asn1::AnyRef, oid::AssociatedOid as _},
    ext::{
        Extension,
        pkix::{
            SignedCertificateTimestamp, SignedCertificateTimestampList as List,
            sct::{HashAlgorithm, SignatureAlgorithm},
        },
    },
};

use super::{certificate::Certificate, der, key::Hash, trust_root::TrustRoot};

/// The most timestamps that are looked at.
const MAX_SCTS: usize = 16;

/// Whether a log of the root says of a certificate, which `issuer` has issued, that it has it.
pub(super) fn is_in_log(leaf: &Certificate, issuer: &Certificate, root: &TrustRoot) -> bool {
    let (Ok(Some((_, list))), Some(precertificate)) = (leaf.extension::<List>(), precertificate(leaf)) else {
        return false;
    };
    let (Ok(scts), Some(key)) = (list.parse_timestamps(), issuer.spki()) else {
        return false;
    };
    let mut scts = scts.iter().take(MAX_SCTS).filter_map(|sct| sct.parse_timestamp().ok());
    scts.any(|sct| is_signed(&sct, &key, &precertificate, root))
}

fn is_signed(sct: &SignedCertificateTimestamp, issuer: &[u8], precertificate: &[u8], root: &TrustRoot) -> bool {
    let algorithm = &sct.signature.algorithm;
    let hash = match (&algorithm.hash, &algorithm.signature) {
        (HashAlgorithm::Sha256, SignatureAlgorithm::Ecdsa) => Hash::Sha256,
        (HashAlgorithm::Sha384, SignatureAlgorithm::Ecdsa) => Hash::Sha384,
        (HashAlgorithm::Sha512, SignatureAlgorithm::Ecdsa) | (_, SignatureAlgorithm::Ed25519) => Hash::Sha512,
        _ => return false,
    };
    let (Some(message), Ok(time)) = (
        message(sct, issuer, precertificate),
        i64::try_from(sct.timestamp / 1000),
    ) else {
        return false;
    };
    let signature = sct.signature.signature.as_slice();
    let mut logs = root.certificate_logs(&sct.log_id.key_id, time);
    logs.any(|log| log.key.verifies(hash, &message, signature))
}

/// What is signed: version 1, a timestamp, of a certificate before it had any.
fn message(sct: &SignedCertificateTimestamp, issuer: &[u8], precertificate: &[u8]) -> Option<Vec<u8>> {
    let [0, length @ ..] = u32::try_from(precertificate.len()).ok()?.to_be_bytes() else {
        return None;
    };
    let extensions = sct.extensions.as_slice();
    let message = [
        &[0, 0][..],
        &sct.timestamp.to_be_bytes(),
        &[0, 1],
        &Sha256::digest(issuer),
        &length,
        precertificate,
        &u16::try_from(extensions.len()).ok()?.to_be_bytes(),
        extensions,
    ];
    Some(message.concat())
}

/// What was signed of a certificate before it had the timestamps: the same without their extension. Extensions are its last field.
fn precertificate(leaf: &Certificate) -> Option<Vec<u8>> {
    let fields = der::sequence(leaf.signed())?;
    let (last, fields) = fields.split_last()?;
    let mut extensions: Vec<Extension> = Vec::from_der(last.value()).ok()?;
    let before = extensions.len();
    extensions.retain(|one| one.extn_id != List::OID);
    if !der::is_tagged(*last, 3) || extensions.len() + 1 != before {
        return None;
    }
    let extensions = extensions.to_der().ok()?;
    let tag = Tag::ContextSpecific {
        constructed: true,
        number: TagNumber(3),
    };
    let extensions = AnyRef::new(tag, &extensions).ok()?;
    let fields = fields.iter().chain([&extensions]).map(AnyRef::to_der);
    let content = fields.collect::<Result<Vec<_>, _>>().ok()?.concat();
    AnyRef::new(Tag::Sequence, &content).ok()?.to_der().ok()
}
