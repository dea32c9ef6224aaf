//! The specification's error codes and the body that carries them.
//!
//! Source: OCI distribution specification, "Error Codes": code-1 to code-14. wreg's own code goes into `detail`, because
//! clients know a closed list.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A code of the specification's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorCode {
    /// code-1: the repository holds no such blob.
    BlobUnknown,
    /// code-2: the upload cannot go on.
    BlobUploadInvalid,
    /// code-3: there is no such upload session.
    BlobUploadUnknown,
    /// code-4: the digest does not match or cannot be read.
    DigestInvalid,
    /// code-5: the manifest names a blob or manifest that is not here.
    ManifestBlobUnknown,
    /// code-6: the manifest cannot be accepted.
    ManifestInvalid,
    /// code-7: the repository holds no such manifest.
    ManifestUnknown,
    /// code-8: the repository name is outside the grammar.
    NameInvalid,
    /// code-9: there is no such repository, or none that the caller may see.
    NameUnknown,
    /// code-10: the length does not match.
    SizeInvalid,
    /// code-11: credentials are needed.
    Unauthorized,
    /// code-12: the caller may not do this.
    Denied,
    /// code-13: the registry does not do this.
    Unsupported,
    /// code-14: too many requests.
    #[serde(rename = "TOOMANYREQUESTS")]
    TooManyRequests,
}

/// The body of every answer of 4xx and 5xx: `{"errors":[…]}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ErrorBody {
    /// At least one error.
    pub errors: Vec<ErrorEntry>,
}

/// One error of a body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ErrorEntry {
    /// The specification's code.
    pub code: ErrorCode,
    /// A sentence for people.
    #[serde(default)]
    pub message: String,
    /// Data for programs; `wreg_code` in it is wreg's own, finer code.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub detail: Value,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_spelled_as_in_the_specification() {
        let spelled = |code: ErrorCode| serde_json::to_string(&code).expect("a string");
        assert_eq!(spelled(ErrorCode::BlobUploadUnknown), "\"BLOB_UPLOAD_UNKNOWN\"");
        assert_eq!(spelled(ErrorCode::TooManyRequests), "\"TOOMANYREQUESTS\"");
        assert_eq!(spelled(ErrorCode::ManifestBlobUnknown), "\"MANIFEST_BLOB_UNKNOWN\"");
    }
}
