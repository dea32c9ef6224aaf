//! What a bundle has beside its envelope: a key's name, or a certificate with what logs and timestamp authorities say.
//!
//! Source: sigstore protobuf-specs, `sigstore_bundle.proto` and `sigstore_rekor.proto`, in the JSON form of protocol buffers.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// What it takes to check a signature. A part that is not there is not written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::signature) struct VerificationMaterial {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(in crate::signature) public_key: Option<KeyName>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    certificate: Option<RawBytes>,
    /// As older tools write it: the leaf is the first.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    x509_certificate_chain: Option<CertificateChain>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(super) tlog_entries: Vec<Entry>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    timestamp_verification_data: Option<Timestamps>,
}

impl VerificationMaterial {
    /// That of a key that the verifier has.
    pub(in crate::signature) fn of_key(hint: String) -> Self {
        Self {
            public_key: Some(KeyName { hint }),
            ..Self::default()
        }
    }

    /// The certificate of who signed, in DER.
    pub(in crate::signature) fn leaf(&self) -> Option<&[u8]> {
        let chain = self.x509_certificate_chain.as_ref();
        let leaf = self
            .certificate
            .as_ref()
            .or_else(|| chain.and_then(|chain| chain.certificates.first()));
        leaf.map(|leaf| &*leaf.raw_bytes.0)
    }

    /// What timestamp authorities have answered.
    pub(super) fn timestamps(&self) -> Vec<&[u8]> {
        let data = self.timestamp_verification_data.iter();
        data.flat_map(|data| &data.rfc3161_timestamps)
            .map(|one| &*one.signed_timestamp.0)
            .collect()
    }
}

/// What names a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::signature) struct KeyName {
    pub(in crate::signature) hint: String,
}

/// Something in DER.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawBytes {
    pub(super) raw_bytes: Bytes,
}

/// Certificates, from the leaf on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CertificateChain {
    pub(super) certificates: Vec<RawBytes>,
}

/// Which log, or which key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogId {
    pub(super) key_id: Bytes,
}

/// An entry of a transparency log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    #[serde(default)]
    pub(super) log_index: Int,
    pub(super) log_id: LogId,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) integrated_time: Option<Int>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) inclusion_promise: Option<InclusionPromise>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) inclusion_proof: Option<InclusionProof>,
    pub(super) canonicalized_body: Bytes,
}

impl Entry {
    /// Whether the log has promised to take it up.
    pub(super) fn is_promised(&self) -> bool {
        self.inclusion_promise.is_some()
    }
}

/// What a log of version 1 signs when it takes an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InclusionPromise {
    pub(super) signed_entry_timestamp: Bytes,
}

/// What proves that an entry is in the tree that a checkpoint is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InclusionProof {
    #[serde(default)]
    pub(super) log_index: Int,
    pub(super) root_hash: Bytes,
    pub(super) tree_size: Int,
    #[serde(default)]
    pub(super) hashes: Vec<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) checkpoint: Option<CheckpointNote>,
}

/// A signed note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CheckpointNote {
    pub(super) envelope: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Timestamps {
    #[serde(default, rename = "rfc3161Timestamps")]
    rfc3161_timestamps: Vec<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Timestamp {
    signed_timestamp: Bytes,
}

/// Bytes, which are written in base64.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64_STANDARD.encode(&self.0))
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64_STANDARD.decode(text).map(Self).map_err(de::Error::custom)
    }
}

/// A number, which is written as text and read as a number too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Int(pub(super) i64);

impl Serialize for Int {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            Number(i64),
        }
        match Written::deserialize(deserializer)? {
            Written::Text(text) => text.parse().map(Self).map_err(de::Error::custom),
            Written::Number(number) => Ok(Self(number)),
        }
    }
}
