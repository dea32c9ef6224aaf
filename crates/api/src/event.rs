//! The feed of changes, and the history of a tag.

use serde::{Deserialize, Serialize};
use wreg_oci::{Digest, RepositoryName, Tag};

/// Something that has changed in a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Event {
    /// Its number. Later ones are higher; numbers may be missing.
    pub sequence: i64,
    /// When, in milliseconds since 1970-01-01T00:00:00Z.
    pub at: i64,
    /// What: `repository-created`, `settings-changed`, `manifest-put`, `manifest-deleted`, `manifest-undeleted`, `manifest-marked`,
    /// `tag-put`, `tag-deleted` or `blob-deleted`. There may be others one day.
    pub kind: String,
    /// Where.
    pub repository: RepositoryName,
    /// What it is about: a tag or a digest, or the repository.
    pub subject: String,
    /// What was before, if there was something: for a tag, the digest that it pointed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// What is now, if there is something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
}

/// A page of the feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EventList {
    /// Those that the caller may know of, in their order.
    pub events: Vec<Event>,
    /// What to ask for next with `after`: later changes have higher numbers, also where nothing is listed.
    pub next: i64,
}

/// One step in the history of a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TagChange {
    /// When, in milliseconds since 1970-01-01T00:00:00Z.
    pub at: i64,
    /// Where it pointed before; `None` where it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Digest>,
    /// Where it points since; `None` where it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Digest>,
}

/// The history of a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TagHistory {
    /// The tag.
    pub tag: Tag,
    /// The latest change first; at most 1000.
    pub changes: Vec<TagChange>,
}
