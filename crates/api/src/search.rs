//! Search: components by words, and by what they import and export.

use serde::{Deserialize, Serialize};
use wreg_oci::{Digest, RepositoryName, Tag};

/// A component that was found: the version of it that search shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Found {
    /// The repository.
    pub repository: RepositoryName,
    /// The tag of the version: the highest that is neither yanked nor a pre-release, if there is one.
    pub tag: Tag,
    /// The digest of its manifest.
    pub digest: Digest,
    /// `module`, `component` or `wit-package`.
    pub kind: String,
    /// The world that it targets, if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub world: Option<String>,
    /// What it does, as it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its licences, as it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licenses: Option<String>,
    /// The languages that it was made from, as it says.
    pub languages: Vec<String>,
    /// The size of its WebAssembly, in bytes.
    pub size: u64,
    /// When the tag was put there, in milliseconds since 1970-01-01T00:00:00Z.
    pub updated_at: i64,
}

/// A page of what was found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FoundList {
    /// Without words by name; with words the best match first.
    pub components: Vec<Found>,
}
