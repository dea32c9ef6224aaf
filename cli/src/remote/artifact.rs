//! One artifact: its manifest, and its config where that is the Wasm layout's.

use wreg_client::{Error, Registry};
use wreg_oci::{
    Descriptor, Digest, Manifest, MediaType, Reference,
    manifest::Content,
    wasm::{TITLE, WasmConfig},
};

use crate::error::CliError;

/// The largest config that is read, in bytes.
const MAX_CONFIG: u64 = 4 << 20;

/// The types that a WebAssembly layer has: the layout's, and those that were in use before it.
const WASM_LAYERS: [&str; 4] = [
    "application/wasm",
    "application/vnd.wasm.content.layer.v1+wasm",
    "application/vnd.module.wasm.content.layer.v1+wasm",
    "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm",
];

/// How many parts of another kind of artifact are listed.
const MAX_LISTED: usize = 10;

/// An artifact that was found.
pub(crate) struct Artifact {
    /// Where it is: repository and digest, no tag.
    pub(crate) reference: Reference,
    /// Describes the manifest.
    pub(crate) descriptor: Descriptor,
    /// The manifest.
    pub(crate) manifest: Manifest,
}

/// What the config of an artifact is.
pub(crate) enum Config {
    /// The Wasm layout's.
    Wasm(WasmConfig),
    /// It calls itself the Wasm layout's and cannot be read; the sentence says why.
    Unreadable(String),
    /// There is none, or it is another kind.
    Other,
}

impl Artifact {
    /// Finds what `reference` names.
    pub(crate) async fn find(registry: &Registry, reference: &Reference) -> Result<Self, CliError> {
        let fetched = registry
            .manifest(&reference.repository, &reference.tag_or_digest())
            .await?;
        let descriptor = fetched.descriptor;
        let reference = reference.at(descriptor.digest.clone());
        let manifest = Manifest::parse(&fetched.bytes, &descriptor.media_type).map_err(|invalid| {
            CliError::no(format!("{reference} is not a manifest that wreg understands")).because(invalid)
        })?;
        Ok(Self {
            reference,
            descriptor,
            manifest,
        })
    }

    pub(crate) fn digest(&self) -> &Digest {
        &self.descriptor.digest
    }

    pub(crate) fn config(&self) -> Option<&Descriptor> {
        match &self.manifest.content {
            Content::Image { config, .. } => config.as_ref(),
            Content::Index { .. } => None,
        }
    }

    pub(crate) fn layers(&self) -> &[Descriptor] {
        match &self.manifest.content {
            Content::Image { layers, .. } => layers,
            Content::Index { .. } => &[],
        }
    }

    /// The WebAssembly in it: its only layer, if that is WebAssembly.
    pub(crate) fn wasm_layer(&self) -> Option<&Descriptor> {
        match self.layers() {
            [layer] if WASM_LAYERS.contains(&layer.media_type.as_str()) => Some(layer),
            _ => None,
        }
    }

    /// The file name that whoever made it gave to the WebAssembly.
    pub(crate) fn title(&self) -> Option<&str> {
        self.wasm_layer()?.annotations.get(TITLE).map(String::as_str)
    }

    /// Why there is no WebAssembly to pull, and what there is.
    pub(crate) fn not_wasm(&self) -> CliError {
        let reference = &self.reference;
        let manifests = self.manifest.manifests();
        if self.manifest.media_type.is_index() || !manifests.is_empty() {
            let listed: Vec<_> = manifests
                .iter()
                .take(MAX_LISTED)
                .map(|child| reference.at(child.digest.clone()).to_string())
                .collect();
            let error = CliError::no(format!(
                "{reference} is an index of {} manifests, not an artifact",
                manifests.len()
            ));
            return match listed.as_slice() {
                [] => error,
                listed => error.hint(format!("pull one of them by its digest:\n  {}", listed.join("\n  "))),
            };
        }
        let kind = match self.manifest.effective_artifact_type() {
            Some(artifact_type) => format!("an artifact of type {artifact_type}"),
            None => format!("a manifest of type {}", self.manifest.media_type),
        };
        let mut types: Vec<_> = self.layers().iter().map(|layer| layer.media_type.as_str()).collect();
        let more = types.len().saturating_sub(MAX_LISTED);
        types.truncate(MAX_LISTED);
        let layers = match (types.as_slice(), more) {
            ([], _) => "no layers".to_owned(),
            (types, 0) => format!("these layers: {}", types.join(", ")),
            (types, more) => format!("these layers: {}, and {more} more", types.join(", ")),
        };
        CliError::no(format!(
            "{reference} is {kind} with {layers}; wreg pulls artifacts with one layer of application/wasm"
        ))
        .hint(format!(
            "`wreg inspect {reference}` shows it, `wreg copy` moves it as it is, and general OCI tools fetch it"
        ))
    }

    /// Reads its config.
    pub(crate) async fn read_config(&self, registry: &Registry) -> Result<Config, CliError> {
        let Some(descriptor) = self
            .config()
            .filter(|config| config.media_type == MediaType::WASM_CONFIG)
        else {
            return Ok(Config::Other);
        };
        let bytes = match registry
            .blob_bytes(&self.reference.repository, descriptor, MAX_CONFIG)
            .await
        {
            Ok(bytes) => bytes,
            Err(error @ (Error::NotFound { .. } | Error::TooLarge { .. })) => {
                return Ok(Config::Unreadable(format!("the config cannot be read: {error}")));
            }
            Err(error) => return Err(error.into()),
        };
        Ok(match serde_json::from_slice(&bytes) {
            Ok(config) => Config::Wasm(config),
            Err(error) => Config::Unreadable(format!("the config is not as the Wasm layout has it: {error}")),
        })
    }
}
