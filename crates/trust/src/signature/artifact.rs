//! The artifact that a bundle travels in: a manifest whose subject is what the statement is about.
//!
//! Source: cosign 3, `pkg/oci/remote/write.go`; OCI image specification 1.1, "Guidance for an Empty Descriptor".

use std::collections::BTreeMap;

use serde::Serialize;
use wreg_oci::{Descriptor, Digest, Manifest, MediaType, manifest::Content};

use super::{bundle::Bundle, statement::Statement};

const EMPTY: &[u8] = b"{}";
const CONTENT: &str = "dev.sigstore.bundle.content";
const PREDICATE_TYPE: &str = "dev.sigstore.bundle.predicateType";

/// A bundle, ready to be pushed: first the two blobs, then the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleArtifact {
    /// The config and its bytes.
    pub config: (Descriptor, Vec<u8>),
    /// The bundle and its bytes.
    pub bundle: (Descriptor, Vec<u8>),
    /// The bytes of the manifest. It has no time in it, so that what is signed again is the same artifact.
    pub manifest: Vec<u8>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Image<'a> {
    schema_version: u8,
    media_type: MediaType,
    artifact_type: MediaType,
    config: &'a Descriptor,
    layers: [&'a Descriptor; 1],
    subject: &'a Descriptor,
    annotations: BTreeMap<&'a str, &'a str>,
}

impl BundleArtifact {
    /// Packs a bundle with a statement about `subject`.
    pub fn new(bundle: &Bundle, statement: &Statement, subject: &Descriptor) -> Self {
        let bytes = bundle.to_bytes();
        let layer = Descriptor::of(MediaType::SIGSTORE_BUNDLE, &bytes);
        let config = Descriptor::of(MediaType::EMPTY, EMPTY);
        let image = Image {
            schema_version: 2,
            media_type: MediaType::IMAGE_MANIFEST,
            artifact_type: layer.media_type.clone(),
            config: &config,
            layers: [&layer],
            subject,
            annotations: BTreeMap::from([(CONTENT, "dsse-envelope"), (PREDICATE_TYPE, &statement.predicate_type)]),
        };
        Self {
            // It has text for keys and nothing that could fail.
            manifest: serde_json::to_vec(&image).unwrap_or_default(),
            config: (config, EMPTY.to_vec()),
            bundle: (layer, bytes),
        }
    }

    /// The digest of the manifest.
    pub fn digest(&self) -> Digest {
        Digest::sha256(&self.manifest)
    }
}

/// The layer of a manifest that holds a bundle, if it is such an artifact: one layer, which is one.
pub fn bundle_layer(manifest: &Manifest) -> Option<&Descriptor> {
    let Content::Image { layers, .. } = &manifest.content else {
        return None;
    };
    match &**layers {
        [layer] if layer.media_type == MediaType::SIGSTORE_BUNDLE => Some(layer),
        _ => None,
    }
}
