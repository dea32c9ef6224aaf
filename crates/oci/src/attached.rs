//! What stands beside a manifest: artifacts that name it as their subject, with a few small blobs.
//!
//! Nothing here holds a time, so that what is made again is the same to the byte.
//!
//! Source: OCI image specification 1.1, "Guidelines for Artifact Usage" and "Guidance for an Empty Descriptor".

use serde::Serialize;

use crate::{
    descriptor::{Annotations, Descriptor},
    digest::Digest,
    media_type::MediaType,
};

const EMPTY: &[u8] = b"{}";

/// A manifest and the blobs that it is made of, ready to be pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The blobs, which go first.
    pub blobs: Vec<(Descriptor, Vec<u8>)>,
    /// The bytes of the manifest.
    pub manifest: Vec<u8>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Image<'a> {
    schema_version: u8,
    media_type: MediaType,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<&'a MediaType>,
    config: &'a Descriptor,
    layers: Vec<&'a Descriptor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a Descriptor>,
    #[serde(skip_serializing_if = "Annotations::is_empty")]
    annotations: &'a Annotations,
}

impl Image<'_> {
    fn to_bytes(&self) -> Vec<u8> {
        // It has text for keys and nothing that could fail.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl Attachment {
    /// Packs an artifact about `subject` that is made of these blobs.
    pub fn about(
        subject: &Descriptor,
        artifact_type: &MediaType,
        layers: Vec<(MediaType, Vec<u8>)>,
        annotations: &Annotations,
    ) -> Self {
        let described = layers
            .into_iter()
            .map(|(media_type, bytes)| (Descriptor::of(media_type, &bytes), bytes));
        let empty = (Descriptor::of(MediaType::EMPTY, EMPTY), EMPTY.to_vec());
        let blobs: Vec<_> = std::iter::once(empty).chain(described).collect();
        let image = Image {
            schema_version: 2,
            media_type: MediaType::IMAGE_MANIFEST,
            artifact_type: Some(artifact_type),
            config: &blobs[0].0,
            layers: blobs[1..].iter().map(|(layer, _)| layer).collect(),
            subject: Some(subject),
            annotations,
        };
        Self {
            manifest: image.to_bytes(),
            blobs,
        }
    }

    /// Packs a document about `subject`.
    pub fn document(media_type: &MediaType, document: Vec<u8>, subject: &Descriptor) -> Self {
        let layers = vec![(media_type.clone(), document)];
        Self::about(subject, media_type, layers, &Annotations::new())
    }

    /// Packs an image of these layers, which has no subject: a tag says what it is about. Of the layers the last is brought along.
    pub fn tagged(config: Vec<u8>, layers: &[&Descriptor], last: Vec<u8>, annotations: &Annotations) -> Self {
        let of_config = Descriptor::of(MediaType::IMAGE_CONFIG, &config);
        let image = Image {
            schema_version: 2,
            media_type: MediaType::IMAGE_MANIFEST,
            artifact_type: None,
            config: &of_config,
            layers: layers.to_vec(),
            subject: None,
            annotations,
        };
        let manifest = image.to_bytes();
        let brought = layers.last().map(|layer| ((*layer).clone(), last));
        Self {
            manifest,
            blobs: std::iter::once((of_config, config)).chain(brought).collect(),
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
        let attached = Attachment::document(&MediaType::CYCLONEDX, b"a document".to_vec(), &subject);
        let manifest = Manifest::parse(&attached.manifest, &MediaType::IMAGE_MANIFEST).expect("a valid manifest");
        assert_eq!(manifest.effective_artifact_type(), Some(&MediaType::CYCLONEDX));
        assert_eq!(manifest.subject, Some(subject.clone()));
        let types: Vec<_> = manifest.blobs().iter().map(|blob| blob.media_type.clone()).collect();
        assert_eq!(types, [MediaType::EMPTY, MediaType::CYCLONEDX]);
        assert_eq!(
            attached,
            Attachment::document(&MediaType::CYCLONEDX, b"a document".to_vec(), &subject)
        );
    }
}
