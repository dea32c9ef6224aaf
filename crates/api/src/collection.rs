//! Collection: what nothing refers to any more, and what became of it.

use serde::{Deserialize, Serialize};

/// A part of a collection: what it took or, in a dry run, would take.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Collected {
    /// Whether nothing was taken, because nothing was to be.
    pub dry_run: bool,
    /// Another server, or this one by itself, is collecting now, so nothing was done: ask again.
    pub busy: bool,
    /// Nothing is taken before this time, because the clock jumped; milliseconds since 1970-01-01T00:00:00Z.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_until: Option<i64>,
    /// How much.
    #[serde(flatten)]
    pub counts: Counts,
    /// In a dry run: the blobs that would go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub loose: Vec<LooseBlob>,
    /// Where the next part goes on; nothing if this was the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// How much a collection took, or would take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Counts {
    /// Manifests that followed their deleted subject. They can be brought back with it.
    pub followers: u64,
    /// Deleted manifests that can no longer be brought back.
    pub purged: u64,
    /// Blobs that a repository held and no manifest there is made of; counted for each repository.
    pub links: u64,
    /// Blobs that no repository holds.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Blobs whose bytes have been removed: small ones as they were given up, for others that is with the next collection.
    pub removed: u64,
    /// Their bytes.
    pub freed: u64,
    /// Rows that cannot be read. They stay, with all that they might refer to; `fsck` names them.
    pub quarantined: u64,
    /// Blobs whose bytes the store failed to remove. The next collection tries again.
    pub failed: u64,
}

impl Counts {
    /// Adds another part.
    pub fn add(&mut self, other: &Self) {
        self.followers += other.followers;
        self.purged += other.purged;
        self.links += other.links;
        self.blobs += other.blobs;
        self.bytes += other.bytes;
        self.removed += other.removed;
        self.freed += other.freed;
        self.quarantined += other.quarantined;
        self.failed += other.failed;
    }
}

/// A blob that a dry run found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LooseBlob {
    /// Its digest.
    pub digest: String,
    /// Its size in bytes.
    pub size: u64,
}
