//! Tags: `1.2.0`, `latest`.
//!
//! Source: OCI distribution specification, "Pulling manifests": `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// The longest tag, in bytes (all of them ASCII).
pub const MAX_LEN: usize = 128;

/// A tag: 1 to 128 letters, digits, `_`, `.` and `-`, not beginning with `.` or `-`. Tags are ordered by their bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(extend("pattern" = r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$"))
)]
#[serde(try_from = "String", into = "String")]
pub struct Tag(Box<str>);

impl Tag {
    /// The tag that is meant when people name none: `latest`.
    pub fn latest() -> Self {
        Self("latest".into())
    }

    /// The tag under which clients keep an index of the manifests about `subject` where a registry cannot list them: `sha256-<hex>`,
    /// the encoded part cut off after 64 characters.
    ///
    /// Source: OCI distribution specification, "Referrers Tag Schema".
    pub fn of_referrers(subject: &Digest) -> Self {
        let encoded = &subject.encoded()[..subject.encoded().len().min(64)];
        Self(format!("{}-{encoded}", subject.algorithm()).into())
    }

    /// Whether it is one under which clients attach something to a manifest and write it again with every further thing: `sha256-<hex>`,
    /// with `.sig`, `.att` or `.sbom` behind it (cosign) or alone (the specification's referrers tag).
    pub fn is_attachment(&self) -> bool {
        let Some((algorithm, rest)) = self.0.split_once('-') else {
            return false;
        };
        let (encoded, suffix) = rest.split_once('.').unwrap_or((rest, ""));
        matches!(algorithm, "sha256" | "sha512")
            && encoded.len() == 64
            && encoded
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
            && matches!(suffix, "" | "sig" | "att" | "sbom")
    }

    /// The whole tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Tag {
    type Err = InvalidTag;

    fn from_str(text: &str) -> Result<Self, InvalidTag> {
        let is_first = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
        let is_later = |b: &u8| is_first(b) || matches!(b, b'.' | b'-');
        let bytes = text.as_bytes();
        if bytes.first().is_some_and(is_first) && bytes.iter().all(is_later) && bytes.len() <= MAX_LEN {
            Ok(Self(text.into()))
        } else {
            Err(InvalidTag)
        }
    }
}

impl TryFrom<String> for Tag {
    type Error = InvalidTag;

    fn try_from(text: String) -> Result<Self, InvalidTag> {
        text.parse()
    }
}

impl From<Tag> for String {
    fn from(tag: Tag) -> Self {
        tag.0.into()
    }
}

/// A text that is not a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tag has 1 to 128 letters, digits, _ . and -, and begins with none of . and -")]
pub struct InvalidTag;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tags_outside_the_grammar_are_refused() {
        for tag in [
            "",
            ".a",
            "-a",
            "a:b",
            "a@b",
            "a/b",
            "a b",
            "1.0+build",
            "ä",
            &"a".repeat(129),
        ] {
            assert_eq!(tag.parse::<Tag>(), Err(InvalidTag), "{tag}");
        }
    }

    #[test]
    fn the_tag_for_what_is_about_a_digest_is_cut_off() {
        let (sha256, sha512) = ("a1".repeat(32), "b2".repeat(64));
        for (digest, tag) in [
            (format!("sha256:{sha256}"), format!("sha256-{sha256}")),
            (format!("sha512:{sha512}"), format!("sha512-{}", &sha512[..64])),
        ] {
            let digest: Digest = digest.parse().expect("a digest");
            assert_eq!(Tag::of_referrers(&digest).as_str(), tag);
        }
    }

    proptest! {
        #[test]
        fn display_and_parse_are_inverse(text in "[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}") {
            let tag: Tag = text.parse().expect("generated from the grammar");
            prop_assert_eq!(tag.to_string(), text);
        }
    }
}
