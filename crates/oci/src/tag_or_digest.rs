//! What follows `/manifests/` in a URL: a tag or a digest.
//!
//! Source: OCI distribution specification, end-3, end-7 and end-9. A tag cannot hold a colon and a digest must.

use std::{fmt, str::FromStr};

use crate::{
    digest::{Digest, InvalidDigest},
    tag::{InvalidTag, Tag},
};

/// Selects a manifest in a repository.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TagOrDigest {
    /// By a name that may move.
    Tag(Tag),
    /// By content, which never changes.
    Digest(Digest),
}

impl fmt::Display for TagOrDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(f),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}

impl FromStr for TagOrDigest {
    type Err = InvalidTagOrDigest;

    fn from_str(text: &str) -> Result<Self, InvalidTagOrDigest> {
        Ok(if text.contains(':') {
            Self::Digest(text.parse()?)
        } else {
            Self::Tag(text.parse()?)
        })
    }
}

impl From<Tag> for TagOrDigest {
    fn from(tag: Tag) -> Self {
        Self::Tag(tag)
    }
}

impl From<Digest> for TagOrDigest {
    fn from(digest: Digest) -> Self {
        Self::Digest(digest)
    }
}

/// A text that is neither a tag nor a digest. One with a colon is meant as a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTagOrDigest {
    /// It has no colon and is not a tag.
    #[error(transparent)]
    Tag(#[from] InvalidTag),
    /// It has a colon and is not a digest.
    #[error(transparent)]
    Digest(#[from] InvalidDigest),
}
