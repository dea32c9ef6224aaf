//! What is put beside an artifact: manifests that name it as their subject, with a few small blobs.
//!
//! Nothing here holds a time, so that what is made again is the same to the byte.
//!
//! Source: OCI image specification 1.1, "Guidance for an Empty Descriptor".

use std::collections::BTreeMap;

use serde::Serialize;
use wreg_oci::{Descriptor, Digest, Manifest, MediaType, RepositoryName, manifest::Content};

use crate::{
    log::Proof,
    signature::{BundleArtifact, Signature, SimpleSigning, simple},
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

impl Attachment {
    /// The digest of the manifest.
    pub fn digest(&self) -> Digest {
        Digest::sha256(&self.manifest)
    }
}

impl From<BundleArtifact> for Attachment {
    fn from(artifact: BundleArtifact) -> Self {
        Self {
            blobs: vec![artifact.config, artifact.bundle],
            manifest: artifact.manifest,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Image<'a> {
    schema_version: u8,
    media_type: MediaType,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<MediaType>,
    config: &'a Descriptor,
    layers: Vec<&'a Descriptor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a Descriptor>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: &'a BTreeMap<String, String>,
}

/// A proof that an entry about `subject` is in a log, with the entry: everything that it takes to check it offline.
pub fn proof(entry: &[u8], proof: &Proof, subject: &Descriptor) -> Attachment {
    let proof = proof.to_string().into_bytes();
    let config = Descriptor::of(MediaType::EMPTY, EMPTY);
    let layers = [
        Descriptor::of(MediaType::LOG_ENTRY, entry),
        Descriptor::of(MediaType::LOG_PROOF, &proof),
    ];
    let image = Image {
        schema_version: 2,
        media_type: MediaType::IMAGE_MANIFEST,
        artifact_type: Some(MediaType::LOG_PROOF),
        config: &config,
        layers: layers.iter().collect(),
        subject: Some(subject),
        annotations: &BTreeMap::new(),
    };
    let manifest = serde_json::to_vec(&image).unwrap_or_default();
    let [of_entry, of_proof] = layers;
    Attachment {
        manifest,
        blobs: vec![(config, EMPTY.to_vec()), (of_entry, entry.to_vec()), (of_proof, proof)],
    }
}

/// The layers of a manifest that hold an entry and the proof of it, if it is such an attachment.
pub fn proof_layers(manifest: &Manifest) -> Option<(&Descriptor, &Descriptor)> {
    let Content::Image { layers, .. } = &manifest.content else {
        return None;
    };
    match &**layers {
        [entry, proof] if entry.media_type == MediaType::LOG_ENTRY && proof.media_type == MediaType::LOG_PROOF => {
            Some((entry, proof))
        }
        _ => None,
    }
}

#[derive(Serialize)]
struct ImageConfig<'a> {
    architecture: &'a str,
    created: &'a str,
    os: &'a str,
    rootfs: RootFs<'a>,
    config: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
struct RootFs<'a> {
    r#type: &'a str,
    diff_ids: Vec<&'a Digest>,
}

/// The most signatures under one tag: more than this many cosign does not read.
const MAX_TAGGED: usize = 1000;

/// A signature in the older form, beside those that stand under the tag already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggedSignature {
    payload: Vec<u8>,
    layer: Descriptor,
}

impl TaggedSignature {
    /// What is signed: that the manifest with that digest belongs to a repository, which is written with its host.
    pub fn payload(repository: &str, digest: &Digest) -> Vec<u8> {
        SimpleSigning::new(repository, digest).to_bytes()
    }

    /// A payload that has been signed.
    pub fn new(payload: Vec<u8>, signature: &Signature) -> Self {
        let mut layer = Descriptor::of(MediaType::SIMPLE_SIGNING, &payload);
        layer
            .annotations
            .insert(simple::SIGNATURE.to_owned(), signature.to_string());
        Self { payload, layer }
    }

    /// What goes under the tag: this signature after all that are there. `None` if this very one is there, if what is there is no such
    /// manifest, or if it is full.
    pub fn beside(&self, there: Option<&Manifest>) -> Option<Attachment> {
        let (layers, annotations): (&[Descriptor], _) = match there {
            None => (&[], BTreeMap::new()),
            Some(manifest) => match &manifest.content {
                Content::Image { layers, .. } => (layers, manifest.annotations.clone().into_iter().collect()),
                Content::Index { .. } => return None,
            },
        };
        if layers.contains(&self.layer) || layers.len() >= MAX_TAGGED {
            return None;
        }
        let layers: Vec<_> = layers.iter().chain([&self.layer]).collect();
        let config = ImageConfig {
            architecture: "",
            created: "0001-01-01T00:00:00Z",
            os: "",
            rootfs: RootFs {
                r#type: "layers",
                diff_ids: layers.iter().map(|layer| &layer.digest).collect(),
            },
            config: BTreeMap::new(),
        };
        let config = serde_json::to_vec(&config).unwrap_or_default();
        let of_config = Descriptor::of(MediaType::IMAGE_CONFIG, &config);
        let image = Image {
            schema_version: 2,
            media_type: MediaType::IMAGE_MANIFEST,
            artifact_type: None,
            config: &of_config,
            layers,
            subject: None,
            annotations: &annotations,
        };
        let manifest = serde_json::to_vec(&image).unwrap_or_default();
        Some(Attachment {
            manifest,
            blobs: vec![(of_config, config), (self.layer.clone(), self.payload.clone())],
        })
    }
}

/// The tag that signatures of the older form stand under; `None` where the digest is too long for one.
pub fn signature_tag(digest: &Digest) -> Option<wreg_oci::Tag> {
    format!("{}-{}.sig", digest.algorithm(), digest.encoded()).parse().ok()
}

/// A repository as signatures of the older form name it.
pub fn docker_reference(host: Option<&str>, repository: &RepositoryName) -> String {
    match host {
        Some(host) => format!("{host}/{repository}"),
        None => repository.to_string(),
    }
}
