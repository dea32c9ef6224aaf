//! The Wasm artifact: an image manifest with one config and exactly one layer of `application/wasm`.
//!
//! Source: CNCF TAG Runtime, "Wasm OCI Artifact layout", version 0. The same input gives the same bytes: names are sorted,
//! members have one order, and no clock is read.

use serde::{Deserialize, Serialize};

use crate::{
    descriptor::{Annotations, Descriptor},
    digest::Digest,
    media_type::MediaType,
};

/// `org.opencontainers.image.title`: the file name that tools give a layer when they write it to disk.
pub const TITLE: &str = "org.opencontainers.image.title";

/// The value of `os`, which tells a core module from a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Os {
    /// A core module.
    Wasip1,
    /// A component, of WASI 0.3 as well: the layout has no other value yet.
    Wasip2,
}

/// The config, `application/vnd.wasm.config.v0+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WasmConfig {
    /// When the artifact was made, RFC 3339; left out unless the caller knows a reproducible time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Always `wasm`.
    pub architecture: String,
    /// Module or component.
    pub os: Os,
    /// The digests of the layers, in their order: one.
    pub layer_digests: Vec<Digest>,
    /// What the component imports and exports; absent for modules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<WasmComponent>,
}

/// The interface of a component, as its config tells it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WasmComponent {
    /// Fully qualified names of the exports, with versions.
    #[serde(default)]
    pub exports: Vec<String>,
    /// Fully qualified names of the imports, with versions.
    #[serde(default)]
    pub imports: Vec<String>,
    /// The world that it targets, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// What the writer of a Wasm artifact knows of it.
#[derive(Debug, Clone, Default)]
pub struct WasmArtifact {
    /// The title of the layer: a file name.
    pub title: String,
    /// RFC 3339; see [`WasmConfig::created`].
    pub created: Option<String>,
    /// Who made it.
    pub author: Option<String>,
    /// Its interface if it is a component; a core module has none.
    pub component: Option<WasmComponent>,
    /// Annotations of the manifest.
    pub annotations: Annotations,
}

/// A Wasm artifact, ready to be pushed: first the layer, then the config, then the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedArtifact {
    /// Describes the layer: the WebAssembly binary.
    pub layer: Descriptor,
    /// The config's bytes.
    pub config: Vec<u8>,
    /// Describes the config.
    pub config_descriptor: Descriptor,
    /// The manifest's bytes.
    pub manifest: Vec<u8>,
    /// Describes the manifest.
    pub manifest_descriptor: Descriptor,
}

/// The manifest in the order of members that the layout shows.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ManifestBytes<'a> {
    schema_version: u8,
    media_type: MediaType,
    config: &'a Descriptor,
    layers: [&'a Descriptor; 1],
    #[serde(skip_serializing_if = "Annotations::is_empty")]
    annotations: &'a Annotations,
}

impl WasmArtifact {
    /// Packs a binary with digest `layer`, `size` bytes long.
    pub fn pack(mut self, layer: Digest, size: u64) -> PackedArtifact {
        if let Some(component) = &mut self.component {
            component.exports.sort();
            component.imports.sort();
        }
        let config = bytes(&WasmConfig {
            created: self.created,
            author: self.author,
            architecture: "wasm".to_owned(),
            os: if self.component.is_some() {
                Os::Wasip2
            } else {
                Os::Wasip1
            },
            layer_digests: vec![layer.clone()],
            component: self.component,
        });
        let config_descriptor = Descriptor::of(MediaType::WASM_CONFIG, &config);
        let mut layer = Descriptor::new(MediaType::WASM, layer, size);
        layer.annotations.insert(TITLE.to_owned(), self.title);
        let manifest = bytes(&ManifestBytes {
            schema_version: 2,
            media_type: MediaType::IMAGE_MANIFEST,
            config: &config_descriptor,
            layers: [&layer],
            annotations: &self.annotations,
        });
        let manifest_descriptor = Descriptor::of(MediaType::IMAGE_MANIFEST, &manifest);
        PackedArtifact {
            layer,
            config,
            config_descriptor,
            manifest,
            manifest_descriptor,
        }
    }
}

/// JSON of a type whose serialisation cannot fail: strings, numbers and maps with string keys.
fn bytes(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Manifest;

    fn artifact() -> WasmArtifact {
        WasmArtifact {
            title: "hello.wasm".to_owned(),
            component: Some(WasmComponent {
                exports: vec!["acme:hello/greet@1.2.0".to_owned(), "acme:hello/bye@1.2.0".to_owned()],
                imports: vec![],
                target: None,
            }),
            annotations: [("org.opencontainers.image.version".to_owned(), "1.2.0".to_owned())].into(),
            ..WasmArtifact::default()
        }
    }

    #[test]
    fn the_layout_is_the_specified_one() {
        let packed = artifact().pack(Digest::sha256("wasm"), 4);
        assert_eq!(
            String::from_utf8(packed.config).expect("text"),
            r#"{"architecture":"wasm","os":"wasip2","layerDigests":["sha256:fe45a2df5efac1d4a7a117381b0bf9d7aa19e6f8b05ab8b9d5a7bb4c0b4f8fd2"],"component":{"exports":["acme:hello/bye@1.2.0","acme:hello/greet@1.2.0"],"imports":[]}}"#
                .replace("fe45a2df5efac1d4a7a117381b0bf9d7aa19e6f8b05ab8b9d5a7bb4c0b4f8fd2", Digest::sha256("wasm").encoded())
        );
        let manifest = Manifest::parse(&packed.manifest, &MediaType::IMAGE_MANIFEST).expect("a valid manifest");
        assert_eq!(
            manifest.blobs().iter().map(|blob| &blob.media_type).collect::<Vec<_>>(),
            [&MediaType::WASM_CONFIG, &MediaType::WASM]
        );
        assert_eq!(manifest.annotations.len(), 1);
    }

    #[test]
    fn the_same_input_gives_the_same_bytes() {
        let mut other = artifact();
        if let Some(component) = &mut other.component {
            component.exports.reverse();
        }
        assert_eq!(
            artifact().pack(Digest::sha256("wasm"), 4),
            other.pack(Digest::sha256("wasm"), 4)
        );
    }

    #[test]
    fn a_core_module_is_marked_as_one() {
        let packed = WasmArtifact {
            title: "m.wasm".to_owned(),
            ..WasmArtifact::default()
        }
        .pack(Digest::sha256("wasm"), 4);
        let config: WasmConfig = serde_json::from_slice(&packed.config).expect("a config");
        assert_eq!((config.os, config.component), (Os::Wasip1, None));
    }
}
