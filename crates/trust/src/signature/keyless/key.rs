//! The keys of authorities, logs and certificates: ECDSA over P-256 or P-384, and Ed25519.
//!
//! Source: RFC 5480 and RFC 8410, for how keys are written; RFC 5758, section 3.2, for the hashes that ECDSA is used with.

use ed25519_dalek::VerifyingKey as Ed25519;
use p256::{
    ecdsa::{VerifyingKey as P256, signature::hazmat::PrehashVerifier as _},
    pkcs8::DecodePublicKey as _,
};
use p384::ecdsa::VerifyingKey as P384;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use x509_cert::{
    der::{Decode as _, asn1::ObjectIdentifier},
    spki::SubjectPublicKeyInfoRef,
};

const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// What a message is hashed with before it is signed. Ed25519 does it by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// That of an algorithm of signatures.
    pub(super) fn of_signature(algorithm: &ObjectIdentifier) -> Option<Self> {
        match &*algorithm.to_string() {
            "1.2.840.10045.4.3.2" => Some(Self::Sha256),
            "1.2.840.10045.4.3.3" => Some(Self::Sha384),
            // Ed25519 hashes with nothing else.
            "1.2.840.10045.4.3.4" | "1.3.101.112" => Some(Self::Sha512),
            _ => None,
        }
    }

    /// That of an algorithm of digests.
    pub(super) fn of_digest(algorithm: &ObjectIdentifier) -> Option<Self> {
        match &*algorithm.to_string() {
            "2.16.840.1.101.3.4.2.1" => Some(Self::Sha256),
            "2.16.840.1.101.3.4.2.2" => Some(Self::Sha384),
            "2.16.840.1.101.3.4.2.3" => Some(Self::Sha512),
            _ => None,
        }
    }

    /// The hash of a message.
    pub(super) fn digest(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(message).to_vec(),
            Self::Sha384 => Sha384::digest(message).to_vec(),
            Self::Sha512 => Sha512::digest(message).to_vec(),
        }
    }
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    P256(P256),
    P384(P384),
    Ed25519(Ed25519),
}

impl Key {
    /// From its SPKI in DER; none if it is of another kind.
    pub(super) fn from_spki(der: &[u8]) -> Option<Self> {
        let spki = SubjectPublicKeyInfoRef::from_der(der).ok()?;
        if spki.algorithm.oid == ED25519 {
            let bytes = spki.subject_public_key.as_bytes()?.try_into().ok()?;
            return Ed25519::from_bytes(bytes).ok().map(Self::Ed25519);
        }
        let p256 = P256::from_public_key_der(der).ok().map(Self::P256);
        p256.or_else(|| P384::from_public_key_der(der).ok().map(Self::P384))
    }

    /// The hash that it signs with where nothing names one.
    pub(super) fn own_hash(&self) -> Hash {
        match self {
            Self::P256(_) => Hash::Sha256,
            Self::P384(_) => Hash::Sha384,
            Self::Ed25519(_) => Hash::Sha512,
        }
    }

    /// Whether it is the key's signature of that message: of ECDSA ASN.1 in DER, of Ed25519 64 bytes.
    pub(super) fn verifies(&self, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::P256(key) => p256::ecdsa::DerSignature::try_from(signature)
                .is_ok_and(|signature| key.verify_prehash(&hash.digest(message), &signature).is_ok()),
            Self::P384(key) => p384::ecdsa::DerSignature::try_from(signature)
                .is_ok_and(|signature| key.verify_prehash(&hash.digest(message), &signature).is_ok()),
            Self::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| hash == Hash::Sha512 && key.verify_strict(message, &signature).is_ok()),
        }
    }
}
