//! Which repositories: all, one, or all below a name.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use wreg_oci::RepositoryName;

/// Which repositories a scope is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum RepositoryPattern {
    /// `*`: every one, of whatever depth.
    All,
    /// `acme/*`: every one below `acme`, of whatever depth; not `acme` itself, and not `acme-labs/hello`.
    Below(RepositoryName),
    /// `acme/hello`: this one.
    One(RepositoryName),
}

impl RepositoryPattern {
    /// Whether `repository` is among them.
    pub fn matches(&self, repository: &RepositoryName) -> bool {
        match self {
            Self::All => true,
            Self::Below(parent) => is_below(repository.as_str(), parent),
            Self::One(name) => name == repository,
        }
    }

    /// Whether every repository that `other` matches is among these.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, _) => true,
            (_, Self::All) | (Self::One(_), Self::Below(_)) => false,
            (_, Self::One(name)) => self.matches(name),
            (Self::Below(parent), Self::Below(name)) => parent == name || is_below(name.as_str(), parent),
        }
    }
}

fn is_below(name: &str, parent: &RepositoryName) -> bool {
    name.strip_prefix(parent.as_str())
        .is_some_and(|rest| rest.starts_with('/'))
}

impl fmt::Display for RepositoryPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Below(parent) => write!(f, "{parent}/*"),
            Self::One(name) => write!(f, "{name}"),
        }
    }
}

impl FromStr for RepositoryPattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let parsed = match text.strip_suffix("/*") {
            _ if text == "*" => return Ok(Self::All),
            Some(parent) => parent.parse().map(Self::Below),
            None => text.parse().map(Self::One),
        };
        parsed.map_err(|_| InvalidPattern(text.chars().take(MAX_SHOWN).collect()))
    }
}

impl TryFrom<String> for RepositoryPattern {
    type Error = InvalidPattern;

    fn try_from(text: String) -> Result<Self, InvalidPattern> {
        text.parse()
    }
}

impl From<RepositoryPattern> for String {
    fn from(pattern: RepositoryPattern) -> Self {
        pattern.to_string()
    }
}

/// How much of a wrong pattern its error repeats, in characters.
const MAX_SHOWN: usize = 80;

/// A text that is no pattern; its beginning.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no pattern of repositories: write a name (acme/hello), a name and /* for all below it (acme/*), or * for all"
)]
pub struct InvalidPattern(pub String);
