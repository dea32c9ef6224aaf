//! What an entry of a registry's log says: one change, as one line of JSON.
//!
//! Members are sorted by name and there are no spaces, so that one change has one text. `v` is the version of this format, 1: a later one
//! may say more, and a reader passes over entries of a version that it does not know, and says so.
//!
//! | `op` | of what | beside `actor`, `event`, `op`, `time`, `v` |
//! |---|---|---|
//! | `tag-put` | a tag of a repository | `repository`, `tag`, `digest`; `previous` where it pointed elsewhere before |
//! | `tag-delete` | the same | `repository`, `tag`, `previous` |
//! | `mark` | a manifest that is yanked, deprecated, or is so no longer | `repository`, `digest`, `new`, `old` |
//! | `delete`, `undelete` | a manifest | `repository`, `digest` |
//! | `repository` | a repository that is made, or whose settings change: visibility among them | `repository`, `new`, `old` |
//! | `namespace` | the settings of a namespace | `namespace`, `new`, `old` |
//! | `key` | a key that signs artifacts: announced, active, retired | `key`, `new` |
//!
//! A repository that is not public when the entry is made is named by `sha256:` and the hexadecimal hash of its salt and its name: who has
//! the salt can tell, and nobody else. `actor` is the id of a token, and no name of a person.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use wreg_oci::{Digest, RepositoryName, Tag};

/// The version of the format.
pub const VERSION: u32 = 1;
/// The most bytes of an entry. What it holds is bounded by the registry far below.
pub const MAX_LEN: usize = 8 << 10;
const HASHED: &str = "sha256:";

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Who made it: the id of a token, `anonymous` or `server`.
    pub actor: String,
    /// The manifest that it is about, or that the tag points to now.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub digest: Option<Digest>,
    /// The number that the registry's feed of changes gives it.
    pub event: i64,
    /// The key: the hint that bundles name it by.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key: Option<String>,
    /// The namespace.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub namespace: Option<String>,
    /// What was set, in words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub new: Option<String>,
    /// What it was before, in words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub old: Option<String>,
    /// What was done.
    pub op: Op,
    /// Where the tag pointed before.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub previous: Option<Digest>,
    /// The repository, by its name or its [hash](hashed).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub repository: Option<String>,
    /// The tag.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tag: Option<Tag>,
    /// When, in milliseconds since 1970.
    pub time: i64,
    /// [`VERSION`].
    pub v: u32,
}

/// What was done. See the table above.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Op {
    /// A tag was made or moved.
    TagPut,
    /// A tag was deleted.
    TagDelete,
    /// A manifest was marked.
    Mark,
    /// A manifest was deleted.
    Delete,
    /// A manifest was brought back.
    Undelete,
    /// A repository was made, or its settings were changed.
    Repository,
    /// The settings of a namespace were changed.
    Namespace,
    /// A key was announced, activated or retired.
    Key,
}

/// Bytes that are no entry of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no entry of a registry's log, version {VERSION}")]
pub struct NoEntry;

impl Entry {
    /// An entry that says nothing but what was done, when and by whom.
    pub fn new(op: Op, event: i64, actor: &str, time: i64) -> Self {
        Self {
            actor: actor.to_owned(),
            digest: None,
            event,
            key: None,
            namespace: None,
            new: None,
            old: None,
            op,
            previous: None,
            repository: None,
            tag: None,
            time,
            v: VERSION,
        }
    }

    /// The bytes that the log holds.
    pub fn to_bytes(&self) -> Vec<u8> {
        // It has text for keys and nothing that could fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads one. What says the same in other bytes is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoEntry> {
        if bytes.len() > MAX_LEN {
            return Err(NoEntry);
        }
        let entry: Self = serde_json::from_slice(bytes).map_err(|_| NoEntry)?;
        (entry.v == VERSION && entry.to_bytes() == bytes)
            .then_some(entry)
            .ok_or(NoEntry)
    }

    /// Whether it is about that repository, which is hashed with `salt` where the entry does not name it.
    pub fn is_about(&self, repository: &RepositoryName, salt: Option<&str>) -> bool {
        let Some(named) = &self.repository else { return false };
        named == repository.as_str() || salt.is_some_and(|salt| *named == hashed(repository, salt))
    }

    /// Whether the entry tells the repository by its hash only.
    pub fn is_hashed(&self) -> bool {
        self.repository.as_ref().is_some_and(|named| named.starts_with(HASHED))
    }
}

/// What a repository is called in a log that anybody can read, if not everybody may know of it. No name holds a colon.
pub fn hashed(repository: &RepositoryName, salt: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(salt.as_bytes());
    hasher.update([0]);
    hasher.update(repository.as_str().as_bytes());
    let hash: [u8; 32] = hasher.finalize().into();
    hash.iter().fold(HASHED.to_owned(), |mut text, byte| {
        use std::fmt::Write as _;
        let _ = write!(text, "{byte:02x}");
        text
    })
}
