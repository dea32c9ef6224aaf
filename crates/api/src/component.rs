//! WebAssembly in a registry: what it is, and what is not as it should be.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use wreg_oci::{Digest, Layout, RepositoryName};

use crate::words::words;

/// A Wasm artifact, as the registry sees it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Component {
    /// The repository.
    pub repository: RepositoryName,
    /// The digest of the manifest.
    pub digest: Digest,
    /// How it is laid out.
    pub layout: Layout,
    /// The digest of the layer with the WebAssembly.
    pub layer: Digest,
    /// The layer's size, in bytes.
    pub size: u64,
    /// How far the registry has looked into the layer.
    pub state: ComponentState,
    /// What it is and says of itself, once it is known: `Analysis` of the crate `wreg-component`, without the WIT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")
    )]
    pub analysis: Option<Box<RawValue>>,
    /// What is not as it should be.
    pub findings: Vec<ComponentFinding>,
}

words! {
    /// How far the registry has looked into a layer.
    ComponentState {
        /// It is still to do so.
        Pending = "pending",
        /// It is valid WebAssembly, and `analysis` says what it is.
        Analysed = "analysed",
        /// It is no valid WebAssembly.
        Invalid = "invalid",
        /// It could not be found out within the limits.
        Failed = "failed",
    }
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ComponentFinding {
    /// Of which kind.
    pub code: ComponentFindingCode,
    /// In words.
    pub message: String,
    /// The offset of the first byte of the layer that is wrong, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
}

words! {
    /// What can be not as it should be.
    ComponentFindingCode {
        /// The layer is no valid WebAssembly.
        InvalidWasm = "invalid-wasm",
        /// It could not be found out within the limits whether it is.
        NotAnalysed = "not-analysed",
        /// The config says something else than the bytes.
        ConfigDiffers = "config-differs",
        /// A WIT package is called otherwise than its repository.
        PackageDiffers = "package-differs",
        /// The tag is another version than the artifact says that it is.
        VersionDiffers = "version-differs",
        /// A version changes more than its number says.
        BreaksCompatibility = "breaks-compatibility",
        /// An advisory is about a package that it was made from.
        Advisory = "advisory",
    }
}
