//! Where WebAssembly packages are, as a registry says it of itself.
//!
//! Source: wasm-pkg-tools, "Registry metadata" (`wasm-pkg-common` 0.16.1).

use serde::Deserialize;

use super::Registry;
use crate::Error;

const PATH: &str = "/.well-known/wasm-pkg/registry.json";

const WHAT: &str = "description of where its packages are";

/// The most bytes of it.
const MAX_BYTES: u64 = 64 * 1024;

/// Where packages are, and how they are asked for. What is left out is [`None`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PackageMetadata {
    /// How packages are asked for: `oci`.
    pub preferred_protocol: Option<String>,
    oci: Option<OciMetadata>,
    oci_registry: Option<String>,
    oci_namespace_prefix: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OciMetadata {
    registry: Option<String>,
    namespace_prefix: Option<String>,
}

impl PackageMetadata {
    /// The address of the OCI registry that has the packages.
    pub fn oci_registry(&self) -> Option<&str> {
        // Where both are there, the older way to say it wins with wkg.
        self.oci_registry
            .as_deref()
            .or_else(|| self.oci.as_ref()?.registry.as_deref())
    }

    /// What the name of a package's repository begins with, before namespace and package.
    pub fn oci_namespace_prefix(&self) -> Option<&str> {
        self.oci_namespace_prefix
            .as_deref()
            .or_else(|| self.oci.as_ref()?.namespace_prefix.as_deref())
    }
}

impl Registry {
    /// `/.well-known/wasm-pkg/registry.json`, asked for once and without credentials. `None` where there is none.
    pub async fn package_metadata(&self) -> Result<Option<PackageMetadata>, Error> {
        let Some(body) = self.open_file(PATH, WHAT, MAX_BYTES).await? else {
            return Ok(None);
        };
        let metadata = serde_json::from_slice(&body);
        metadata
            .map(Some)
            .map_err(|error| self.connection.misunderstood(WHAT, error.to_string()))
    }
}
