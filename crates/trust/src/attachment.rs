//! What a registry puts beside an artifact: the proof of its log, and a signature of cosign's older form.
//!
//! Nothing here holds a time, so that what is made again is the same to the byte.

use std::collections::BTreeMap;

use serde::Serialize;
use wreg_oci::{Annotations, Attachment, Descriptor, Digest, Manifest, MediaType, RepositoryName, manifest::Content};

use crate::{
    log::Proof,
    signature::{Signature, SimpleSigning, simple},
};

/// A proof that an entry about `subject` is in a log, with the entry: everything that it takes to check it offline.
pub fn proof(entry: &[u8], proof: &Proof, subject: &Descriptor) -> Attachment {
    let proof = proof.to_string().into_bytes();
    let layers = vec![(MediaType::LOG_ENTRY, entry.to_vec()), (MediaType::LOG_PROOF, proof)];
    Attachment::about(subject, &MediaType::LOG_PROOF, layers, &Annotations::new())
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
            None => (&[], Annotations::new()),
            Some(manifest) => match &manifest.content {
                Content::Image { layers, .. } => (layers, manifest.annotations.clone()),
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
        Some(Attachment::tagged(config, &layers, self.payload.clone(), &annotations))
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
