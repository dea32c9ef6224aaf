//! The results of `wreg push`, `pull`, `copy` and `delete`.

use std::fmt;

use serde::Serialize;
use wreg_oci::{Digest, Reference};

/// A blob that was sent or fetched.
#[derive(Debug, Serialize)]
pub(crate) struct Content {
    pub(crate) digest: Digest,
    /// In bytes.
    pub(crate) size: u64,
}

/// The result of `wreg push`.
#[derive(Debug, Serialize)]
pub(crate) struct Pushed {
    /// `host/repository@digest`.
    pub(crate) reference: String,
    /// The manifest's.
    pub(crate) digest: Digest,
    /// The tags that point to it now.
    pub(crate) tags: Vec<String>,
    /// The WebAssembly binary.
    pub(crate) layer: Content,
    /// Whether the registry had the binary already.
    pub(crate) existed: bool,
    /// The list of packages that was pushed beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sbom: Option<Digest>,
    /// Whether the registry has signed it by now, and shown that its log has it.
    pub(crate) signed: bool,
}

impl fmt::Display for Pushed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.reference)
    }
}

/// The result of `wreg pull`.
#[derive(Debug, Serialize)]
pub(crate) struct Pulled {
    /// `host/repository@digest`.
    pub(crate) reference: String,
    /// The manifest's.
    pub(crate) digest: Digest,
    /// The WebAssembly binary.
    pub(crate) layer: Content,
    /// The file that was written.
    pub(crate) file: String,
    /// Whether the binary came from the local store.
    pub(crate) from_store: bool,
    /// Where manifest, config and bytes contradict each other, in sentences; empty where they agree.
    pub(crate) mismatches: Vec<String>,
    /// What was proven of it, in sentences; empty where nothing was asked for.
    pub(crate) verified: Vec<String>,
}

impl fmt::Display for Pulled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.reference)
    }
}

/// The result of `wreg copy`.
#[derive(Debug, Serialize)]
pub(crate) struct Copied {
    /// `host/repository@digest` of the copy.
    pub(crate) reference: String,
    /// The manifest's, in both places.
    pub(crate) digest: Digest,
    /// The tag that points to the copy now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tag: Option<String>,
    /// Manifests copied: itself, those that an index lists, and referrers.
    pub(crate) manifests: u64,
    /// Blobs that were sent.
    pub(crate) blobs_sent: u64,
    /// Blobs that were there already or that the registry took from the other repository itself.
    pub(crate) blobs_there: u64,
}

impl fmt::Display for Copied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.reference)
    }
}

/// The result of `wreg delete`.
#[derive(Debug, Serialize)]
pub(crate) struct Deleted {
    /// What was deleted, as a reference.
    pub(crate) reference: String,
    /// `tag` or `manifest`.
    #[serde(rename = "deleted")]
    pub(crate) kind: &'static str,
    /// The manifest that was deleted, or that the tag pointed to.
    pub(crate) digest: Digest,
}

impl Deleted {
    /// `reference` names the tag, or the manifest by its digest.
    pub(crate) fn new(reference: &Reference, digest: Digest) -> Self {
        let kind = if reference.digest.is_some() { "manifest" } else { "tag" };
        Self {
            reference: reference.to_string(),
            kind,
            digest,
        }
    }
}

impl fmt::Display for Deleted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.reference)
    }
}
