//! How far a registry is with vouching for what was pushed.

use serde::{Deserialize, Serialize};
use wreg_oci::Digest;

/// What has become of a push under a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Publication {
    /// What the tag or digest selects.
    pub digest: Digest,
    /// The place of the tag's last change in the log, once it is there.
    pub place: Option<u64>,
    /// Whether the registry has signed it; signatures, statement and proof are among the referrers then.
    pub signed: bool,
    /// Whether nothing more is to come.
    pub done: bool,
}

/// What the name of a repository is hashed with in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LogSalt {
    /// The salt, if the repository was ever logged while it was not public.
    pub salt: Option<String>,
}
