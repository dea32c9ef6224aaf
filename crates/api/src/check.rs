//! The check of the store against the database.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Finding {
    /// What kind of thing.
    pub kind: FindingKind,
    /// What it is about: a digest, a place in the store, a manifest as `repository@digest`.
    pub subject: String,
    /// What was found, in words.
    pub detail: String,
    /// Whether it has been made good.
    pub repaired: bool,
}

/// What can be found, and what a repair does about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// A blob's row says no place in the store. Not repaired: pushing the content again does.
    LocationUnreadable,
    /// The store has no bytes, or too few or too many, where the row says. Repaired where the store has the right bytes in another
    /// place, which are read to be sure; else pushing the content again does.
    BlobMissing,
    /// The bytes are not those that the digest names. Not repaired.
    ContentDiffers,
    /// Bytes that no row knows. Left alone: they may be of a newer database than this one.
    BytesUnknown,
    /// Something in the store that wreg did not put there. Left alone.
    ObjectUnknown,
    /// A manifest's bytes are not those that its digest names, or no manifest. Not repaired.
    ManifestDiffers,
    /// The database does not know what a manifest is made of. Repaired: the manifest says it.
    EdgeMissing,
    /// The repository lacks what a manifest is made of. Not repaired: pushing it again does.
    ReferenceMissing,
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LocationUnreadable => "location-unreadable",
            Self::BlobMissing => "blob-missing",
            Self::ContentDiffers => "content-differs",
            Self::BytesUnknown => "bytes-unknown",
            Self::ObjectUnknown => "object-unknown",
            Self::ManifestDiffers => "manifest-differs",
            Self::EdgeMissing => "edge-missing",
            Self::ReferenceMissing => "reference-missing",
        })
    }
}

/// How much was looked at, and what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Checked {
    /// Rows of blobs.
    pub blobs: u64,
    /// Objects in the store.
    pub objects: u64,
    /// Manifests.
    pub manifests: u64,
    /// What was found.
    pub findings: u64,
    /// What of it has been made good.
    pub repaired: u64,
}

/// One line of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum CheckLine {
    /// Something was found.
    Finding(Finding),
    /// The check is over. Without this line it could not tell.
    Checked(Checked),
    /// The check broke off; the server's log has the reason.
    Failed,
}
