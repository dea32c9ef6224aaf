//! Repositories and their settings.

use serde::{Deserialize, Serialize};
use wreg_oci::RepositoryName;

use crate::words::words;

/// A repository as its readers see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// What happens to components that are not what they should be.
    #[serde(default)]
    pub components: ComponentPolicy,
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RepositoryList {
    /// Ordered by name.
    pub repositories: Vec<Repository>,
}

/// The settings to change; what is left out stays. Unknown members are refused.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// What happens to components that are not what they should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub components: Option<ComponentPolicy>,
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

words! {
    /// What happens to WebAssembly that is not valid, or not what its config, its repository or its tag says.
    #[derive(Default)]
    ComponentPolicy {
        /// What its namespace says.
        #[default]
        Inherit = "inherit",
        /// Nothing: it is only indexed.
        Off = "off",
        /// It is taken, and the pusher is told.
        Warn = "warn",
        /// It is refused.
        Enforce = "enforce",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::UnknownWord;

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
