//! Statements: something that is said of artifacts.
//!
//! Source: in-toto attestation framework, Statement v1.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wreg_oci::Digest;

const TYPE: &str = "https://in-toto.io/Statement/v1";
/// The version before has the same members, and `cosign attest` writes it to this day.
const OLD_TYPE: &str = "https://in-toto.io/Statement/v0.1";
/// The media type of a statement as JSON.
pub const MEDIA_TYPE: &str = "application/vnd.in-toto+json";
/// The predicate of which nothing is said but that somebody signs.
pub const SIGNED: &str = "https://sigstore.dev/cosign/sign/v1";

/// What is said, and of what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    /// Of what.
    pub subject: Vec<Subject>,
    /// What kind of thing is said: a URI.
    pub predicate_type: String,
    /// What is said.
    pub predicate: Value,
}

/// An artifact, by its digests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// What it is called; for people.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// Digests in hexadecimal, by their algorithm: all name the same bytes.
    pub digest: BTreeMap<String, String>,
}

impl Statement {
    /// Something of the manifest with that digest.
    pub fn new(digest: &Digest, predicate_type: &str, predicate: Value) -> Self {
        let subject = Subject {
            name: None,
            digest: BTreeMap::from([(digest.algorithm().as_str().to_owned(), digest.encoded().to_owned())]),
        };
        Self {
            kind: TYPE.to_owned(),
            subject: vec![subject],
            predicate_type: predicate_type.to_owned(),
            predicate,
        }
    }

    /// The statement in the bytes of a payload; `None` if it is none of version 1 or 0.1.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let statement: Self = serde_json::from_slice(payload).ok()?;
        [TYPE, OLD_TYPE].contains(&&*statement.kind).then_some(statement)
    }

    /// The bytes that are signed.
    pub fn to_bytes(&self) -> Vec<u8> {
        // It has text for keys and nothing that could fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Whether it is about the manifest with that digest.
    pub fn is_about(&self, digest: &Digest) -> bool {
        let algorithm = digest.algorithm().as_str();
        let mut digests = self.subject.iter().filter_map(|subject| subject.digest.get(algorithm));
        digests.any(|hex| hex == digest.encoded())
    }
}
