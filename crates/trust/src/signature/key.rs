//! Keys.

use std::{fmt, str::FromStr};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use p256::{
    ecdsa::{
        self, DerSignature, VerifyingKey,
        signature::{Signer as _, Verifier as _, hazmat::PrehashVerifier as _},
    },
    elliptic_curve::Generate as _,
    pkcs8::{DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _, LineEnding},
};
use sha2::{Digest as _, Sha256};

/// A text that is no key of this kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// No private key.
    #[error("it is no private key for signing: PKCS#8 in PEM, of ECDSA over P-256, is")]
    Private,
    /// No public key.
    #[error("it is no public key for signatures: SPKI in PEM, of ECDSA over P-256, is")]
    Public,
}

/// A private key. It shows itself to nobody but by [`SigningKey::to_pem`].
pub struct SigningKey(ecdsa::SigningKey);

impl SigningKey {
    /// A new one, of the system's randomness.
    pub fn generate() -> Self {
        Self(ecdsa::SigningKey::generate())
    }

    /// From PKCS#8 in PEM.
    pub fn from_pem(pem: &str) -> Result<Self, InvalidKey> {
        ecdsa::SigningKey::from_pkcs8_pem(pem)
            .map(Self)
            .map_err(|_| InvalidKey::Private)
    }

    /// The secret itself, as PKCS#8 in PEM.
    pub fn to_pem(&self) -> Result<String, InvalidKey> {
        let pem = self.0.to_pkcs8_pem(LineEnding::LF).map_err(|_| InvalidKey::Private)?;
        Ok(pem.as_str().to_owned())
    }

    /// Who checks its signatures.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(*self.0.verifying_key())
    }

    /// Its signature of a message, which for the same message is always the same. Source: RFC 6979.
    pub fn sign(&self, message: &[u8]) -> Signature {
        let signature: DerSignature = self.0.sign(message);
        Signature(signature.as_bytes().to_vec())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public_key().hint())
    }
}

/// A signature: ASN.1 in DER. As text base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature(pub Vec<u8>);

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64_STANDARD.encode(&self.0))
    }
}

impl FromStr for Signature {
    type Err = base64::DecodeError;

    fn from_str(text: &str) -> Result<Self, base64::DecodeError> {
        BASE64_STANDARD.decode(text).map(Self)
    }
}

/// A public key. As text SPKI in PEM, as `cosign verify --key` takes it.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// What bundles name it by: the base64 of the SHA-256 of its SPKI in DER.
    pub fn hint(&self) -> String {
        let der = self.0.to_public_key_der();
        BASE64_STANDARD.encode(der.map(|der| Sha256::digest(der.as_bytes())).unwrap_or_default())
    }

    /// The place of the first of `keys` that has made one of these signatures of a message, which is hashed once for all of them.
    pub fn signer_of(keys: &[Self], message: &[u8], signatures: &[Signature]) -> Option<usize> {
        let hash = Sha256::digest(message);
        let signatures: Vec<_> = signatures
            .iter()
            .filter_map(|signature| DerSignature::try_from(&*signature.0).ok())
            .collect();
        let made = |key: &Self| {
            let mut signatures = signatures.iter();
            signatures.any(|signature| key.0.verify_prehash(&hash, signature).is_ok())
        };
        keys.iter().position(made)
    }

    /// Whether it is the key's signature of that message.
    pub fn verifies(&self, message: &[u8], signature: &Signature) -> bool {
        DerSignature::try_from(&*signature.0).is_ok_and(|signature| self.0.verify(message, &signature).is_ok())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pem = self.0.to_public_key_pem(LineEnding::LF).map_err(|_| fmt::Error)?;
        f.write_str(&pem)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.hint())
    }
}

impl FromStr for PublicKey {
    type Err = InvalidKey;

    fn from_str(pem: &str) -> Result<Self, InvalidKey> {
        VerifyingKey::from_public_key_pem(pem)
            .map(Self)
            .map_err(|_| InvalidKey::Public)
    }
}
