//! Dead simple signing envelopes.
//!
//! Source: secure-systems-lab/dsse, protocol.md and envelope.md.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

use super::key::{PublicKey, Signature, SigningKey};

/// What is signed in place of a payload: both lengths are part of it, so that no other pair of type and payload has the same bytes.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// A payload with signatures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// The payload, in base64.
    payload: String,
    payload_type: String,
    signatures: Vec<EnvelopeSignature>,
}

/// One of them. What names the key is left out: verifiers disagree about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct EnvelopeSignature {
    sig: String,
}

/// A signature, and what it is of.
pub(super) struct Signed {
    /// The bytes that are signed.
    pub(super) message: Vec<u8>,
    /// The payload that they are made of.
    pub(super) payload: Vec<u8>,
    /// The signature, in the form that the key has.
    pub(super) signature: Vec<u8>,
}

impl Envelope {
    /// Signs a payload.
    pub fn sign(payload_type: &str, payload: &[u8], key: &SigningKey) -> Self {
        Self::signed(payload_type, payload, &key.sign(&pae(payload_type, payload)))
    }

    /// A payload whose [`pae`] has been signed.
    pub fn signed(payload_type: &str, payload: &[u8], signature: &Signature) -> Self {
        Self {
            payload: BASE64_STANDARD.encode(payload),
            payload_type: payload_type.to_owned(),
            signatures: vec![EnvelopeSignature {
                sig: signature.to_string(),
            }],
        }
    }

    /// What the payload is.
    pub fn payload_type(&self) -> &str {
        &self.payload_type
    }

    /// The payload, if it is base64. Nothing vouches for it.
    pub fn unverified_payload(&self) -> Option<Vec<u8>> {
        BASE64_STANDARD.decode(&self.payload).ok()
    }

    /// How many signatures it has.
    pub fn signatures(&self) -> usize {
        self.signatures.len()
    }

    /// What its only signature is of; none if it has another number of them. Nothing vouches for it.
    pub(super) fn only_signed(&self) -> Option<Signed> {
        let [signature] = &*self.signatures else {
            return None;
        };
        let payload = self.unverified_payload()?;
        Some(Signed {
            message: pae(&self.payload_type, &payload),
            signature: BASE64_STANDARD.decode(&signature.sig).ok()?,
            payload,
        })
    }

    /// The payload, if one of these keys has signed it: with the place of the key.
    pub fn verify(&self, keys: &[PublicKey]) -> Option<(Vec<u8>, usize)> {
        let payload = self.unverified_payload()?;
        let message = pae(&self.payload_type, &payload);
        let signatures: Vec<_> = self
            .signatures
            .iter()
            .filter_map(|signature| BASE64_STANDARD.decode(&signature.sig).ok().map(Signature))
            .collect();
        let place = PublicKey::signer_of(keys, &message, &signatures)?;
        Some((payload, place))
    }
}
