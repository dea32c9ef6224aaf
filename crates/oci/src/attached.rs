//! A document that stands beside a manifest: an artifact of one layer, whose subject is the manifest.
//!
//! Source: OCI image specification 1.1, "Guidelines for Artifact Usage" and "Guidance for an Empty Descriptor".

use serde::Serialize;

use crate::{descriptor::Descriptor, digest::Digest, media_type::MediaType};

const EMPTY: &[u8] = b"{}";

/// Such an artifact, ready to be pushed: first the two blobs, then the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachedDocument {
    /// The config and its bytes.
    pub config: (Descriptor, Vec<u8>),
    /// The document and its bytes.
    pub document: (Descriptor, Vec<u8>),
    /// The bytes of the manifest. It has no time in it, so that the same document is the same artifact.
    pub manifest: Vec<u8>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Image<'a> {
    schema_version: u8,
    media_type: MediaType,
    artifact_type: &'a MediaType,
    config: &'a Descriptor,
    layers: [&'a Descriptor; 1],
    subject: &'a Descriptor,
}

impl AttachedDocument {
    /// Packs a document about `subject`.
    pub fn new(media_type: MediaType, document: Vec<u8>, subject: &Descriptor) -> Self {
        let layer = Descriptor::of(media_type, &document);
        let config = Descriptor::of(MediaType::EMPTY, EMPTY);
        let image = Image {
            schema_version: 2,
            media_type: MediaType::IMAGE_MANIFEST,
            artifact_type: &layer.media_type,
            config: &config,
            layers: [&layer],
            subject,
        };
        Self {
            // It has text for keys and nothing that could fail.
            manifest: serde_json::to_vec(&image).unwrap_or_default(),
            config: (config, EMPTY.to_vec()),
            document: (layer, document),
        }
    }

    /// The digest of the manifest.
    pub fn digest(&self) -> Digest {
        Digest::sha256(&self.manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Manifest;

    #[test]
    fn the_manifest_names_its_type_its_document_and_what_it_is_about() {
        let subject = Descriptor::of(MediaType::IMAGE_MANIFEST, b"a manifest");
        let attached = AttachedDocument::new(MediaType::CYCLONEDX, b"a document".to_vec(), &subject);
        let manifest = Manifest::parse(&attached.manifest, &MediaType::IMAGE_MANIFEST).expect("a valid manifest");
        assert_eq!(manifest.effective_artifact_type(), Some(&MediaType::CYCLONEDX));
        assert_eq!(manifest.subject, Some(subject.clone()));
        let types: Vec<_> = manifest.blobs().iter().map(|blob| blob.media_type.clone()).collect();
        assert_eq!(types, [MediaType::EMPTY, MediaType::CYCLONEDX]);
        assert_eq!(
            attached,
            AttachedDocument::new(MediaType::CYCLONEDX, b"a document".to_vec(), &subject)
        );
    }
}
