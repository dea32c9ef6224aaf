//! The statement of a registry that it has accepted a version: who published what, when, and what it was found to be.
//!
//! It is the predicate of an in-toto statement about the manifest. The same publication gives the same bytes, whenever it is signed.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wreg_oci::{Digest, RepositoryName, Tag};

use crate::signature::{Statement, Subject};

/// The type of the predicate.
pub const PREDICATE_TYPE: &str = "urn:wreg:publish:v1";
/// The most imports, and the most exports, that are named.
pub const MAX_NAMES: usize = 1000;

/// That a registry has accepted a manifest under a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Publication {
    /// Where it was published: the repository, without the host.
    pub repository: RepositoryName,
    /// Under which tag; for a version, the version.
    pub tag: Tag,
    /// By whom: the id of a token.
    pub publisher: String,
    /// From where, if an identity of a continuous integration published it. Not given yet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub identity: Option<Value>,
    /// When, in milliseconds since 1970.
    pub published: i64,
    /// What it was found to be, if it is WebAssembly.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub component: Option<Component>,
}

/// What a layer of WebAssembly was found to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Component {
    /// The layer.
    pub layer: Digest,
    /// Whether it is valid; not given where that could not be found out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub valid: Option<bool>,
    /// `component`, `module` or `wit-package`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub kind: Option<String>,
    /// The world that it is built for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub world: Option<String>,
    /// What it imports, at most [`MAX_NAMES`].
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub imports: Vec<String>,
    /// What it exports, at most [`MAX_NAMES`].
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub exports: Vec<String>,
}

impl Publication {
    /// As a statement about the manifest that was published.
    pub fn statement(&self, digest: &Digest) -> Statement {
        // It has text for keys and nothing that could fail.
        let predicate = serde_json::to_value(self).unwrap_or_default();
        let mut statement = Statement::new(digest, PREDICATE_TYPE, predicate);
        for Subject { name, .. } in &mut statement.subject {
            *name = Some(self.repository.to_string());
        }
        statement
    }

    /// What a statement says, if it is one of these.
    pub fn of(statement: &Statement) -> Option<Self> {
        (statement.predicate_type == PREDICATE_TYPE)
            .then(|| serde_json::from_value(statement.predicate.clone()).ok())
            .flatten()
    }
}
