//! What was deleted and can be brought back.

use serde::{Deserialize, Serialize};
use wreg_oci::{Digest, Tag};

/// Something that was deleted and can be brought back for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Deleted {
    /// What it is.
    pub kind: DeletedKind,
    /// The manifest's digest, or the tag.
    pub name: String,
    /// The manifest's digest, or where the tag pointed.
    pub digest: Digest,
    /// When it was deleted, in milliseconds since 1970-01-01T00:00:00Z.
    pub deleted_at: i64,
    /// Until when it can be brought back at least.
    pub kept_until: i64,
}

/// What was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum DeletedKind {
    /// A manifest.
    Manifest,
    /// A tag.
    Tag,
}

/// A page of what can be brought back.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeletedList {
    /// Manifests by digest, then tags by name.
    pub deleted: Vec<Deleted>,
    /// What to give as `last` for the next page; nothing if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What was brought back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Undeleted {
    /// The manifest that was asked for, by itself or by a tag.
    pub digest: Digest,
    /// The number of manifests: itself, what it is made of, and what is about it.
    pub manifests: u64,
    /// The tags.
    pub tags: Vec<Tag>,
}
