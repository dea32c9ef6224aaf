//! The layouts in which WebAssembly comes: which manifests hold it, and in which layer.
//!
//! Sources: CNCF TAG Runtime, "Wasm OCI Artifact layout", version 0; the media types that Spin, wasmCloud, wasm-to-oci and runwasi write.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    descriptor::Descriptor,
    manifest::{Content, Manifest},
    media_type::MediaType,
};

/// Who lays WebAssembly out like this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// The CNCF's: its config, and one layer of `application/wasm`.
    Cncf,
    /// A Spin application: layers of WebAssembly and of files. The first of WebAssembly counts.
    Spin,
    /// wasmCloud's, before it wrote the CNCF's.
    WasmCloud,
    /// That of wasm-to-oci, and of everybody who took its media types.
    WasmToOci,
    /// That of runwasi.
    Runwasi,
    /// A layer of `application/wasm` with some other config, as a general tool pushes a file.
    Bare,
}

impl Layout {
    const ALL: [Self; 6] = [
        Self::Cncf,
        Self::Spin,
        Self::WasmCloud,
        Self::WasmToOci,
        Self::Runwasi,
        Self::Bare,
    ];

    /// As it is written in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cncf => "cncf",
            Self::Spin => "spin",
            Self::WasmCloud => "wasm-cloud",
            Self::WasmToOci => "wasm-to-oci",
            Self::Runwasi => "runwasi",
            Self::Bare => "bare",
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Layout {
    type Err = UnknownLayout;

    fn from_str(text: &str) -> Result<Self, UnknownLayout> {
        Self::ALL
            .into_iter()
            .find(|layout| layout.as_str() == text)
            .ok_or(UnknownLayout)
    }
}

/// A text that names no layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such layout")]
pub struct UnknownLayout;

/// Where the WebAssembly of an artifact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WasmLayer<'a> {
    /// In which layout.
    pub layout: Layout,
    /// The layer: a WebAssembly binary.
    pub layer: &'a Descriptor,
    /// The config.
    pub config: Option<&'a Descriptor>,
}

impl<'a> WasmLayer<'a> {
    /// The first layer of WebAssembly in a manifest, if it has one: that is what everybody who runs such artifacts takes.
    ///
    /// A manifest with a subject is about another one, and no artifact of its own, whatever is in it.
    pub fn find(manifest: &'a Manifest) -> Option<Self> {
        let Content::Image { config, layers } = &manifest.content else {
            return None;
        };
        if manifest.subject.is_some() {
            return None;
        }
        let (layer, by_layer) = layers
            .iter()
            .find_map(|layer| layout_of(&layer.media_type).map(|layout| (layer, layout)))?;
        let config = config.as_ref();
        let layout = match config.map(|config| config.media_type.as_str()) {
            Some("application/vnd.wasm.config.v0+json") if layers.len() == 1 && by_layer == Layout::Bare => {
                Layout::Cncf
            }
            Some("application/vnd.fermyon.spin.application.v1+config") => Layout::Spin,
            _ => by_layer,
        };
        Some(Self { layout, layer, config })
    }

    /// Whether the config is the CNCF's, which says what the layer imports and exports.
    pub fn has_wasm_config(&self) -> bool {
        self.config
            .is_some_and(|config| config.media_type == MediaType::WASM_CONFIG)
    }
}

/// What a layer's type says by itself.
fn layout_of(media_type: &MediaType) -> Option<Layout> {
    Some(match media_type.as_str() {
        "application/wasm" => Layout::Bare,
        "application/vnd.module.wasm.content.layer.v1+wasm" => Layout::WasmCloud,
        "application/vnd.wasm.content.layer.v1+wasm" => Layout::WasmToOci,
        "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm" => Layout::Runwasi,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::digest::Digest;

    fn found(config: &str, layers: &[&str], subject: bool) -> Option<(Layout, usize)> {
        let descriptor = |kind: &str, number: usize| json!({ "mediaType": kind, "digest": Digest::sha256(number.to_string()), "size": 1 });
        let mut manifest = json!({
            "schemaVersion": 2,
            "config": descriptor(config, 100),
            "layers": layers.iter().enumerate().map(|(number, kind)| descriptor(kind, number)).collect::<Vec<_>>(),
        });
        if subject {
            manifest["subject"] = descriptor("application/vnd.oci.image.manifest.v1+json", 200);
        }
        let manifest = Manifest::parse(manifest.to_string().as_bytes(), &MediaType::IMAGE_MANIFEST).expect("valid");
        let found = WasmLayer::find(&manifest)?;
        let place = (0..layers.len()).find(|number| found.layer.digest == Digest::sha256(number.to_string()));
        Some((found.layout, place.expect("one of the layers")))
    }

    #[test]
    fn every_layout_is_known_and_what_is_none_of_them_is_not_wasm() {
        let cncf = "application/vnd.wasm.config.v0+json";
        let old = "application/vnd.wasm.config.v1+json";
        let empty = "application/vnd.oci.empty.v1+json";
        let spin = "application/vnd.fermyon.spin.application.v1+config";
        let image = "application/vnd.oci.image.config.v1+json";
        let content = "application/vnd.wasm.content.layer.v1+wasm";
        let data = "application/vnd.wasm.content.layer.v1+data";
        let cloud = "application/vnd.module.wasm.content.layer.v1+wasm";
        let runwasi = "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm";
        let tar = "application/vnd.oci.image.layer.v1.tar+gzip";
        for (config, layers, expected) in [
            (cncf, vec!["application/wasm"], Some((Layout::Cncf, 0))),
            (cncf, vec!["application/wasm", data], Some((Layout::Bare, 0))),
            (empty, vec!["application/wasm"], Some((Layout::Bare, 0))),
            (spin, vec![data, content, content], Some((Layout::Spin, 1))),
            (old, vec![content], Some((Layout::WasmToOci, 0))),
            (old, vec![cloud], Some((Layout::WasmCloud, 0))),
            (image, vec![runwasi], Some((Layout::Runwasi, 0))),
            (image, vec![tar], None),
            (cncf, vec![tar], None),
            (cncf, vec![], None),
        ] {
            assert_eq!(found(config, &layers, false), expected, "{config} {layers:?}");
        }
        assert_eq!(found(cncf, &["application/wasm"], true), None);
    }

    #[test]
    fn layouts_are_written_one_way() {
        for layout in Layout::ALL {
            assert_eq!(layout.to_string().parse(), Ok(layout));
            assert_eq!(serde_json::json!(layout), layout.as_str());
        }
    }
}
