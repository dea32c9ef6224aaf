//! Repository names: `acme/hello`.
//!
//! Source: OCI distribution specification, "Pulling manifests": the grammar of `<name>`, and its advice to keep host and name
//! within 255 characters, which wreg applies to the name alone because a server cannot know every host that it is reached by.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The longest name, in bytes (all of them ASCII).
pub const MAX_LEN: usize = 255;

/// A repository name: lower-case path components, joined by `/`, of letters and digits with single `.`, `_`, `__` or any
/// number of `-` between them. At most 255 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(extend("pattern" = r"^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$", "maxLength" = MAX_LEN))
)]
#[serde(try_from = "String", into = "String")]
pub struct RepositoryName(Box<str>);

impl RepositoryName {
    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows the last `/`: `hello` of `acme/hello`.
    pub fn last_component(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

impl RepositoryName {
    /// What stands before the first `/`, or all of a name without one.
    pub fn namespace(&self) -> Namespace {
        Namespace(self.0.split('/').next().unwrap_or(&self.0).into())
    }
}

/// The first component of repository names: `acme` of `acme/hello`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "NamespaceName", extend("pattern" = r"^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*$", "maxLength" = MAX_LEN))
)]
#[serde(try_from = "String", into = "String")]
pub struct Namespace(Box<str>);

impl Namespace {
    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Namespace {
    type Err = InvalidRepositoryName;

    fn from_str(text: &str) -> Result<Self, InvalidRepositoryName> {
        if text.len() <= MAX_LEN && is_component(text.as_bytes()) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidRepositoryName)
        }
    }
}

impl TryFrom<String> for Namespace {
    type Error = InvalidRepositoryName;

    fn try_from(text: String) -> Result<Self, InvalidRepositoryName> {
        text.parse()
    }
}

impl From<Namespace> for String {
    fn from(name: Namespace) -> Self {
        name.0.into()
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RepositoryName {
    type Err = InvalidRepositoryName;

    fn from_str(text: &str) -> Result<Self, InvalidRepositoryName> {
        let fits = text.len() <= MAX_LEN;
        if fits && text.split('/').all(|component| is_component(component.as_bytes())) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidRepositoryName)
        }
    }
}

/// Whether `component` matches `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`.
fn is_component(component: &[u8]) -> bool {
    let is_word = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends_in_words = component.first().is_some_and(is_word) && component.last().is_some_and(is_word);
    let mut separators = component.split(is_word).filter(|separator| !separator.is_empty());
    ends_in_words && separators.all(|s| matches!(s, b"." | b"_" | b"__") || s.iter().all(|b| *b == b'-'))
}

impl TryFrom<String> for RepositoryName {
    type Error = InvalidRepositoryName;

    fn try_from(text: String) -> Result<Self, InvalidRepositoryName> {
        text.parse()
    }
}

impl From<RepositoryName> for String {
    fn from(name: RepositoryName) -> Self {
        name.0.into()
    }
}

/// A text that is not a repository name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a repository name has lower-case letters and digits, separated by single . or _ or __ or any number of -, in parts joined by /, and at most 255 characters"
)]
pub struct InvalidRepositoryName;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// **N01** Names outside the grammar: upper case, a separator at an end, doubled separators, dot segments → refused.
    #[test]
    fn names_outside_the_grammar_are_refused() {
        for name in [
            "", "Foo/bar", ".a", "-a", "a/", "/a", "a//b", "a/../b", "a___b", "a._b", "a-_b", "a..b", "ä", "a b",
        ] {
            assert_eq!(name.parse::<RepositoryName>(), Err(InvalidRepositoryName), "{name}");
        }
    }

    /// **N02** Every legal separator → accepted.
    #[test]
    fn legal_separators_are_accepted() {
        for name in ["a", "a__b", "a--b", "a---b", "a.b_c/d", "0/1/2", "acme/hello"] {
            assert!(name.parse::<RepositoryName>().is_ok(), "{name}");
        }
    }

    /// **N03** A name of 256 characters, or of 200 components → refused.
    #[test]
    fn long_names_are_refused() {
        assert!("a".repeat(255).parse::<RepositoryName>().is_ok());
        assert!("a".repeat(256).parse::<RepositoryName>().is_err());
        assert!(vec!["a"; 200].join("/").parse::<RepositoryName>().is_err());
    }

    /// **N04** Look-alike letters, direction marks, NUL, newlines, emoji → refused.
    #[test]
    fn characters_beyond_ascii_and_controls_are_refused() {
        for name in [
            "асме/hello",
            "acme/\u{202e}hello",
            "acme\0",
            "acme\n",
            "acme/\u{1f980}",
            "acme/hello\r\n",
        ] {
            assert!(name.parse::<RepositoryName>().is_err(), "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn the_hand_written_grammar_is_the_specifications(text in "[a-c0-1._/-]{0,12}|[a-z0-9]{1,3}(([.]|_|__|-{1,3})[a-z0-9]{1,3}){0,3}(/[a-z0-9]{1,3}){0,2}") {
            let component = |c: &str| {
                // The specification's expression, read literally: words, then (separator word)*.
                let mut rest = c.trim_start_matches(|ch: char| ch.is_ascii_lowercase() || ch.is_ascii_digit());
                if rest.len() == c.len() { return false; }
                while !rest.is_empty() {
                    let after = ["__", "_", "."].iter().find_map(|s| rest.strip_prefix(s)).unwrap_or_else(|| rest.trim_start_matches('-'));
                    if after.len() == rest.len() { return false; }
                    let next = after.trim_start_matches(|ch: char| ch.is_ascii_lowercase() || ch.is_ascii_digit());
                    if next.len() == after.len() { return false; }
                    rest = next;
                }
                true
            };
            let expected = text.split('/').all(component);
            prop_assert_eq!(text.parse::<RepositoryName>().is_ok(), expected, "{}", text);
        }

        #[test]
        fn display_and_parse_are_inverse(text in "[a-z0-9]{1,9}(/[a-z0-9]{1,9}){0,3}") {
            let name: RepositoryName = text.parse().expect("generated from the grammar");
            prop_assert_eq!(name.to_string(), text);
        }
    }
}
