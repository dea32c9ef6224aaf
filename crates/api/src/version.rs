//! Versions: tags that are semantic versions, and what has been said of them since.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use wreg_oci::{Digest, MediaType, RepositoryName, Tag};

/// One version of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Version {
    /// The version: that of the tag, with `+` where the tag has `_`.
    pub version: semver::Version,
    /// The tag.
    pub tag: Tag,
    /// The digest of the manifest.
    pub digest: Digest,
    /// When the tag was put there, in milliseconds since 1970-01-01T00:00:00Z.
    pub created_at: i64,
    /// The size of its WebAssembly, in bytes, if it is some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// What has been said of it since.
    #[serde(flatten)]
    pub marks: Marks,
}

/// All versions of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VersionList {
    /// The repository.
    pub repository: RepositoryName,
    /// The highest first.
    pub versions: Vec<Version>,
}

/// The version that a requirement resolves to.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Resolved {
    /// The repository.
    pub repository: RepositoryName,
    /// The version.
    #[serde(flatten)]
    pub version: Version,
    /// The type of its manifest.
    pub media_type: MediaType,
    /// Its manifest: the very bytes that the digest is of, unless they are no JSON text that can stand here as it is.
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
    pub manifest: Box<RawValue>,
}

/// What has been said of a version after it was pushed. Every client is told, whatever it pulls it by.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Marks {
    /// It is not resolved to any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yanked: Option<Yanked>,
    /// It should not be used any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<Deprecated>,
    /// What is known to be wrong with it, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advisories: Vec<Advisory>,
}

/// That a version is not to be resolved to, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Yanked {
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Since when, in milliseconds since 1970-01-01T00:00:00Z.
    pub at: i64,
}

/// That a version should not be used, why, and what instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Deprecated {
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What to use instead: a reference or package, as people write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replacement: Option<String>,
    /// Since when, in milliseconds since 1970-01-01T00:00:00Z.
    pub at: i64,
}

/// Something that is known to be wrong with a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Advisory {
    /// What it is known as: `CVE-2026-1234`.
    pub id: String,
    /// In words.
    pub text: String,
    /// Since when, in milliseconds since 1970-01-01T00:00:00Z.
    pub at: i64,
}

/// The longest text of a mark, in characters.
pub const MAX_MARK: usize = 500;

/// What texts of marks are: without control characters, and not all of spaces.
#[cfg(feature = "schema")]
const TEXT: &str = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$";

/// How many advisories a version can have.
pub const MAX_ADVISORIES: usize = 20;

/// What to say of a version, or to take back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "action", rename_all = "kebab-case", deny_unknown_fields)]
pub enum MarkChange {
    /// It is not to be resolved to. Pulls go on.
    Yank {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(extend("pattern" = TEXT, "minLength" = 1, "maxLength" = MAX_MARK)))]
        reason: Option<String>,
    },
    /// It is to be resolved to again.
    Unyank {},
    /// It should not be used any more.
    Deprecate {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(extend("pattern" = TEXT, "minLength" = 1, "maxLength" = MAX_MARK)))]
        reason: Option<String>,
        /// What to use instead.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(extend("pattern" = TEXT, "minLength" = 1, "maxLength" = MAX_MARK)))]
        replacement: Option<String>,
    },
    /// It can be used again.
    Undeprecate {},
    /// Something is wrong with it; what was said under the same id is replaced.
    Advise {
        /// What it is known as.
        #[cfg_attr(feature = "schema", schemars(extend("pattern" = "^[!-~]{1,100}$")))]
        id: String,
        /// In words.
        #[cfg_attr(feature = "schema", schemars(extend("pattern" = TEXT, "minLength" = 1, "maxLength" = MAX_MARK)))]
        text: String,
    },
    /// Nothing is, after all.
    Unadvise {
        /// What it was known as.
        #[cfg_attr(feature = "schema", schemars(extend("pattern" = "^[!-~]{1,100}$")))]
        id: String,
    },
}

impl Marks {
    /// Whether nothing has been said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Changed at the time `at`, in milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn changed(mut self, change: &MarkChange, at: i64) -> Self {
        match change.clone() {
            MarkChange::Yank { reason } => self.yanked = Some(Yanked { reason, at }),
            MarkChange::Unyank {} => self.yanked = None,
            MarkChange::Deprecate { reason, replacement } => {
                self.deprecated = Some(Deprecated {
                    reason,
                    replacement,
                    at,
                });
            }
            MarkChange::Undeprecate {} => self.deprecated = None,
            MarkChange::Advise { id, text } => {
                self.advisories.retain(|advisory| advisory.id != id);
                self.advisories.push(Advisory { id, text, at });
                self.advisories.sort_by(|a, b| a.id.cmp(&b.id));
            }
            MarkChange::Unadvise { id } => self.advisories.retain(|advisory| advisory.id != id),
        }
        self
    }

    /// What to tell whoever uses it, a sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let because = |reason: &Option<String>| reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let yanked = self
            .yanked
            .iter()
            .map(|yanked| format!("yanked{}", because(&yanked.reason)));
        let deprecated = self.deprecated.iter().map(|deprecated| {
            let instead = deprecated
                .replacement
                .as_ref()
                .map(|other| format!("; use {other} instead"));
            format!(
                "deprecated{}{}",
                because(&deprecated.reason),
                instead.unwrap_or_default()
            )
        });
        let advisories = self
            .advisories
            .iter()
            .map(|advisory| format!("{}: {}", advisory.id, advisory.text));
        yanked.chain(deprecated).chain(advisories).collect()
    }
}

impl MarkChange {
    /// Whether its texts are such as can be kept: no longer than [`MAX_MARK`], without control characters, and an id without spaces.
    pub fn is_valid(&self) -> bool {
        let is_text = |text: &str| {
            !text.trim().is_empty() && text.chars().count() <= MAX_MARK && !text.chars().any(char::is_control)
        };
        let is_optional = |text: &Option<String>| text.as_deref().is_none_or(is_text);
        match self {
            Self::Unyank {} | Self::Undeprecate {} => true,
            Self::Yank { reason } => is_optional(reason),
            Self::Deprecate { reason, replacement } => is_optional(reason) && is_optional(replacement),
            Self::Advise { id, text } => is_id(id) && is_text(text),
            Self::Unadvise { id } => is_id(id),
        }
    }
}

fn is_id(id: &str) -> bool {
    (1..=100).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_can_be_taken_back() {
        let yank: MarkChange = serde_json::from_str(r#"{"action":"yank","reason":"it loses data"}"#).expect("a change");
        let advise = MarkChange::Advise {
            id: "CVE-2026-1".to_owned(),
            text: "old".to_owned(),
        };
        let again = MarkChange::Advise {
            id: "CVE-2026-1".to_owned(),
            text: "it leaks".to_owned(),
        };
        let marks = Marks::default()
            .changed(&yank, 1)
            .changed(&advise, 2)
            .changed(&again, 3);
        assert_eq!(marks.warnings(), ["yanked: it loses data", "CVE-2026-1: it leaks"]);
        let unadvise = MarkChange::Unadvise {
            id: "CVE-2026-1".to_owned(),
        };
        assert!(
            marks
                .changed(&MarkChange::Unyank {}, 4)
                .changed(&unadvise, 5)
                .is_empty()
        );
    }

    #[test]
    fn unknown_changes_and_bad_texts_are_refused() {
        for text in [
            r#"{"action":"erase"}"#,
            r#"{"action":"yank","why":"x"}"#,
            r#"{"action":"unyank","reason":"x"}"#,
            r#"{"action":"advise","id":"a"}"#,
        ] {
            assert!(serde_json::from_str::<MarkChange>(text).is_err(), "{text}");
        }
        for reason in ["", " ", "two\nlines", &"a".repeat(MAX_MARK + 1)] {
            let reason = Some(reason.to_owned());
            assert!(!MarkChange::Yank { reason }.is_valid());
        }
        let reason = Some("\u{e4}".repeat(MAX_MARK));
        assert!(MarkChange::Yank { reason }.is_valid(), "characters count, not bytes");
        let id = "CVE 1".to_owned();
        assert!(!MarkChange::Unadvise { id }.is_valid());
    }
}
