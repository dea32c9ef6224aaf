//! The result of `wreg inspect`.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;
use wreg_oci::{Descriptor, Digest, wasm::TITLE};

use super::{
    text::{field, one_line, plain, size},
    wasm::Wasm,
};

/// What is known of a file or an artifact.
#[derive(Debug, Serialize)]
pub(crate) struct Inspected {
    #[serde(flatten)]
    pub(crate) source: Source,
    /// What the WebAssembly in it is; absent if there is none or nothing is known of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wasm: Option<Wasm>,
    /// Where `wasm` comes from: `bytes` or `config`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wasm_from: Option<&'static str>,
    /// Where manifest, config and bytes contradict each other, in sentences; empty where they agree.
    pub(crate) mismatches: Vec<String>,
}

/// What was inspected.
#[derive(Debug, Serialize)]
#[serde(tag = "source", rename_all = "kebab-case")]
pub(crate) enum Source {
    /// A file.
    File {
        file: String,
        /// In bytes.
        size: u64,
        digest: Digest,
    },
    /// An artifact in a registry.
    Registry(Box<InRegistry>),
}

/// An artifact in a registry.
#[derive(Debug, Serialize)]
pub(crate) struct InRegistry {
    /// With the digest that was found.
    pub(crate) reference: String,
    /// The manifest's.
    pub(crate) digest: Digest,
    pub(crate) media_type: String,
    /// The artifact's type, else the type of its config.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) artifact_type: Option<String>,
    /// The manifest, config and layers together, in bytes.
    pub(crate) size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) config: Option<Annotated>,
    pub(crate) layers: Vec<Annotated>,
    /// The manifests of an index.
    pub(crate) manifests: Vec<Annotated>,
    pub(crate) annotations: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<Digest>,
}

/// A descriptor.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Annotated {
    pub(crate) media_type: String,
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
}

impl From<&Descriptor> for Annotated {
    fn from(descriptor: &Descriptor) -> Self {
        Self {
            media_type: descriptor.media_type.to_string(),
            digest: descriptor.digest.clone(),
            size: descriptor.size,
            annotations: descriptor.annotations.clone(),
        }
    }
}

impl Annotated {
    fn line(&self) -> String {
        let title = self
            .annotations
            .get(TITLE)
            .map(|title| format!(" ({title})"))
            .unwrap_or_default();
        format!("{} {} {}{title}", self.digest, self.media_type, size(self.size))
    }
}

impl fmt::Display for Inspected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = self
            .wasm
            .as_ref()
            .map(|wasm| format!(": {}", wasm.noun()))
            .unwrap_or_default();
        match &self.source {
            Source::File {
                file,
                size: bytes,
                digest,
            } => {
                writeln!(f, "{}{noun}", one_line(file))?;
                field(f, "digest", [digest.as_str()])?;
                field(f, "size", [size(*bytes)])?;
            }
            Source::Registry(artifact) => {
                writeln!(f, "{}{noun}", artifact.reference)?;
                write!(f, "{artifact}")?;
            }
        }
        if let Some(wasm) = &self.wasm {
            write!(f, "{wasm}")?;
        }
        field(f, "mismatch", &self.mismatches)
    }
}

/// Labelled lines, without a heading.
impl fmt::Display for InRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        field(f, "manifest", [&self.media_type])?;
        field(f, "type", &self.artifact_type)?;
        field(f, "size", [size(self.size)])?;
        field(f, "created", &self.created)?;
        field(f, "subject", self.subject.iter().map(Digest::as_str))?;
        field(f, "config", self.config.iter().map(Annotated::line))?;
        field(f, "layers", self.layers.iter().map(Annotated::line))?;
        field(f, "manifests", self.manifests.iter().map(Annotated::line))?;
        field(
            f,
            "annotations",
            self.annotations.iter().map(|(name, value)| format!("{name} = {value}")),
        )
    }
}

/// The result of `wreg wit` and `wreg inspect --wit`.
#[derive(Debug, Serialize)]
pub(crate) struct Wit {
    /// The digest of the bytes that it was read from.
    pub(crate) digest: Digest,
    /// The text.
    #[serde(rename = "wit")]
    pub(crate) text: String,
    /// Whether it was longer.
    pub(crate) truncated: bool,
}

impl fmt::Display for Wit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&plain(&self.text))
    }
}

/// The result of `wreg wit --output`.
#[derive(Debug, Serialize)]
pub(crate) struct WitFolder {
    /// The digest of the bytes that it was read from.
    pub(crate) digest: Digest,
    pub(crate) folder: String,
    /// The files that were written, with the folder.
    pub(crate) files: Vec<String>,
}

impl fmt::Display for WitFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.files.iter().try_for_each(|file| writeln!(f, "{}", one_line(file)))
    }
}
