//! The result of `wreg sbom`.

use std::fmt;

use serde::Serialize;
use serde_json::Value;
use wreg_oci::Digest;

use super::text::one_line;

/// What a component is made from.
#[derive(Debug, Serialize)]
pub(crate) struct Sbom {
    /// Of the bytes that it is about.
    pub(crate) digest: Digest,
    /// The file that it was written to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
    /// The document, if it was not written to a file.
    #[serde(rename = "sbom", skip_serializing_if = "Option::is_none")]
    pub(crate) document: Option<Value>,
}

impl fmt::Display for Sbom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.file.iter().try_for_each(|file| writeln!(f, "{}", one_line(file)))
    }
}
