//! Repositories and their settings.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use wreg_oci::RepositoryName;

/// A repository as its readers see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// Its name.
    pub name: RepositoryName,
    /// Who may pull.
    pub visibility: Visibility,
    /// Which tags, once there, keep their manifest.
    pub immutable_tags: ImmutableTags,
    /// What happens to manifests that name content which is not here.
    pub missing_references: MissingReferences,
    /// Whether tags, manifests and blobs can be deleted.
    pub deletable: bool,
    /// The number of tags.
    pub tags: u64,
    /// The number of manifests.
    pub manifests: u64,
    /// The bytes of its blobs, each counted once in this repository.
    pub size: u64,
    /// When it was made, in milliseconds since 1970-01-01T00:00:00Z.
    pub created_at: i64,
}

/// A page of repositories.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RepositoryList {
    /// Ordered by name.
    pub repositories: Vec<Repository>,
}

/// The settings to change; what is left out stays. Unknown members are refused.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepositorySettings {
    /// Who may pull.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
    /// Which tags, once there, keep their manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub immutable_tags: Option<ImmutableTags>,
    /// What happens to manifests that name content which is not here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_references: Option<MissingReferences>,
    /// Whether tags, manifests and blobs can be deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletable: Option<bool>,
}

/// An enumeration that is written as one lower-case word, in JSON, in configuration, in the database and on the command line.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_meta])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// Every value, as it is written.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// As it is written.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                match text { $($word => Ok(Self::$variant),)+ _ => Err(UnknownWord(Self::WORDS)) }
            }
        }
    };
}

words! {
    /// Who may pull from a repository without having been given access.
    Visibility {
        /// Nobody.
        Private = "private",
        /// Everybody, without credentials too.
        Public = "public",
    }
}

words! {
    /// Which tags, once there, keep their manifest.
    ImmutableTags {
        /// None: every tag may move.
        None = "none",
        /// Those that are semantic versions: `1.2.0` stays, `latest` moves.
        Semver = "semver",
        /// All.
        All = "all",
    }
}

words! {
    /// What happens to a manifest that names blobs or manifests which the repository does not hold.
    MissingReferences {
        /// It is refused.
        Reject = "reject",
        /// It is taken, for sparse copies.
        Accept = "accept",
    }
}

/// A word that is not among those allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected one of {}", .0.join(", "))]
pub struct UnknownWord(pub &'static [&'static str]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_same_in_json_and_in_text() {
        for word in ImmutableTags::WORDS {
            let parsed: ImmutableTags = word.parse().expect("a word of the list");
            assert_eq!(
                serde_json::to_string(&parsed).expect("a string"),
                format!("\"{parsed}\"")
            );
        }
        assert_eq!("Public".parse::<Visibility>(), Err(UnknownWord(&["private", "public"])));
    }

    #[test]
    fn unknown_settings_are_refused() {
        assert!(serde_json::from_str::<RepositorySettings>(r#"{"visibility":"public","is_admin":true}"#).is_err());
        assert_eq!(
            serde_json::from_str::<RepositorySettings>("{}").expect("nothing to change"),
            RepositorySettings::default()
        );
    }
}
