//! Whether somebody has signed a manifest, as what lies beside it proves: bundles among its referrers, and cosign's older form under the tag
//! `sha256-….sig`. What is malformed, too large, gone or somebody else's proves nothing, and stops nothing.
//!
//! Whoever may push can put anything there, in any number, and whoever may pull can have it looked through: so everything has a limit.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use wreg_oci::{Descriptor, Digest, Manifest, MediaType, RepositoryName, TagOrDigest, manifest::Content};
use wreg_trust::{
    attachment::signature_tag,
    signature::{
        Bundle, Signature, SimpleSigning,
        artifact::bundle_layer,
        bundle::MAX_BUNDLE,
        simple::{self, MAX_PAYLOAD},
        statement,
    },
};

use super::{Error, Registry, Result, blobs::BlobBytes, gate::Rule};

/// How many of each form are looked at, of one manifest.
const MAX_SIGNATURES: usize = 100;
/// How many indexes that list a manifest are looked at.
const MAX_INDEXES: i64 = 10;
/// How many bytes of all of them are read.
const MAX_BYTES: u64 = 32 << 20;
/// How often a signature is tried with a key.
const MAX_TRIES: usize = 20_000;
/// The most bytes of descriptors that are read of a manifest's referrers at a time.
const PAGE_BYTES: u64 = 1 << 20;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Looked {
    /// Whether one whose signature counts has signed it.
    pub(super) signed: bool,
    /// How many signatures there are of the manifest itself, good or not, as far as they were looked at.
    pub(super) found: usize,
    /// Whether there are more.
    pub(super) left: bool,
}

/// What may still be spent on one manifest.
struct Budget {
    bytes: u64,
    tries: usize,
    /// Whether something was too much.
    exceeded: bool,
}

impl Budget {
    fn bytes(&mut self, number: u64) -> bool {
        let left = self.bytes.checked_sub(number);
        self.bytes = left.unwrap_or(self.bytes);
        self.exceeded |= left.is_none();
        left.is_some()
    }

    fn tries(&mut self, number: usize) -> bool {
        let left = self.tries.checked_sub(number);
        self.tries = left.unwrap_or(self.tries);
        self.exceeded |= left.is_none();
        left.is_some()
    }
}

impl Registry {
    /// Looks for a signature that counts: of the manifest, or of an index that lists it, and so names its digest.
    pub(super) async fn look_for_signatures(
        &self,
        repository: &RepositoryName,
        rule: &Arc<Rule>,
        digest: &Digest,
    ) -> Result<Looked> {
        let mut budget = Budget {
            bytes: MAX_BYTES,
            tries: MAX_TRIES,
            exceeded: false,
        };
        let mut looked = self.look_beside(repository, rule, digest, &mut budget).await?;
        if looked.signed {
            return Ok(looked);
        }
        for index in self.metadata.list_indexes_of(repository, digest, MAX_INDEXES).await? {
            if self.look_beside(repository, rule, &index, &mut budget).await?.signed {
                looked.signed = true;
                break;
            }
        }
        looked.left |= budget.exceeded;
        Ok(looked)
    }

    async fn look_beside(
        &self,
        repository: &RepositoryName,
        rule: &Arc<Rule>,
        digest: &Digest,
        budget: &mut Budget,
    ) -> Result<Looked> {
        let tagged = self.tagged_signatures(repository, digest).await?;
        let bundles = self.bundle_artifacts(repository, digest).await?;
        let mut looked = Looked {
            signed: false,
            found: 0,
            left: tagged.len() > MAX_SIGNATURES || bundles.len() > MAX_SIGNATURES,
        };
        for artifact in bundles.iter().take(MAX_SIGNATURES) {
            looked.found += 1;
            let Some(bytes) = self.bundle_bytes(repository, artifact, budget).await? else {
                continue;
            };
            let (rule, digest) = (Arc::clone(rule), digest.clone());
            let most = budget.tries;
            let (signed, tried) = off_thread(move || bundle_signs(&bytes, &digest, &rule, most)).await?;
            // What takes more than is left was not tried; others may take less.
            budget.tries(tried);
            looked.signed = signed;
            if signed {
                break;
            }
        }
        for layer in tagged.iter().take(MAX_SIGNATURES) {
            if looked.signed {
                break;
            }
            looked.found += 1;
            let signature = layer.annotations.get(simple::SIGNATURE);
            let Some(signature) = signature.and_then(|text| text.parse::<Signature>().ok()) else {
                continue;
            };
            let payload = self.bytes_of(repository, layer, MAX_PAYLOAD, budget).await?;
            let Some(payload) = payload.filter(|_| budget.tries(rule.keys.len())) else {
                continue;
            };
            let (rule, digest) = (Arc::clone(rule), digest.clone());
            looked.signed =
                off_thread(move || SimpleSigning::verify(&payload, &signature, &digest, &rule.keys).is_some()).await?;
        }
        Ok(looked)
    }

    /// The artifacts that bundles about a manifest are in: no more than one beyond those that are looked at.
    async fn bundle_artifacts(&self, repository: &RepositoryName, digest: &Digest) -> Result<Vec<Digest>> {
        let mut artifacts: Vec<Digest> = Vec::new();
        while artifacts.len() <= MAX_SIGNATURES {
            let after = artifacts.last().map_or("", Digest::as_str);
            let page = self
                .metadata
                .list_referrers(repository, digest, Some(&MediaType::SIGSTORE_BUNDLE), after, PAGE_BYTES)
                .await?;
            if page.is_empty() {
                break;
            }
            artifacts.extend(page.into_iter().map(|referrer| referrer.digest));
        }
        artifacts.truncate(MAX_SIGNATURES + 1);
        Ok(artifacts)
    }

    /// The layers that hold signatures in cosign's older form.
    async fn tagged_signatures(&self, repository: &RepositoryName, digest: &Digest) -> Result<Vec<Descriptor>> {
        let Some(tag) = signature_tag(digest) else {
            return Ok(Vec::new());
        };
        let found = self.metadata.find_manifest(repository, &tag.into()).await?;
        let parsed = found.and_then(|found| Manifest::parse(&found.content, &found.media_type).ok());
        let Some(Content::Image { layers, .. }) = parsed.map(|manifest| manifest.content) else {
            return Ok(Vec::new());
        };
        let signatures = layers.into_iter();
        let signatures = signatures.filter(|layer| layer.media_type == MediaType::SIMPLE_SIGNING);
        Ok(signatures.take(MAX_SIGNATURES + 1).collect())
    }

    /// The bytes of the bundle in an artifact.
    async fn bundle_bytes(
        &self,
        repository: &RepositoryName,
        artifact: &Digest,
        budget: &mut Budget,
    ) -> Result<Option<Bytes>> {
        let selector = TagOrDigest::Digest(artifact.clone());
        let Some(manifest) = self.metadata.find_manifest(repository, &selector).await? else {
            return Ok(None);
        };
        if !budget.bytes(manifest.content.len() as u64) {
            return Ok(None);
        }
        let parsed = Manifest::parse(&manifest.content, &manifest.media_type).ok();
        match parsed.as_ref().and_then(bundle_layer) {
            Some(layer) => self.bytes_of(repository, layer, MAX_BUNDLE as u64, budget).await,
            None => Ok(None),
        }
    }

    /// The bytes of a small blob, if it is there, no larger than `limit`, and within what may be read.
    async fn bytes_of(
        &self,
        repository: &RepositoryName,
        layer: &Descriptor,
        limit: u64,
        budget: &mut Budget,
    ) -> Result<Option<Bytes>> {
        let blob = match self.find_blob(repository, &layer.digest).await {
            Err(Error::BlobUnknown(_)) => return Ok(None),
            found => found?,
        };
        if blob.size() > limit || !budget.bytes(blob.size()) {
            return Ok(None);
        }
        let mut stream = match self.read_blob(&blob, 0..blob.size()).await {
            Ok(BlobBytes::Whole(bytes)) => return Ok(Some(bytes)),
            Ok(BlobBytes::Stream(stream)) => stream,
            Err(Error::BlobUnknown(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        while let Some(piece) = stream.next().await {
            bytes.extend_from_slice(&piece.map_err(Error::Unavailable)?);
        }
        Ok(Some(bytes.into()))
    }
}

/// Whether a bundle signs a manifest for one whose signature counts, with at most `most` tries; and how many it took. A statement that says
/// something else of it, a report that it is broken for instance, is no signature.
fn bundle_signs(bytes: &[u8], digest: &Digest, rule: &Rule, most: usize) -> (bool, usize) {
    let Ok(bundle) = Bundle::parse(bytes) else {
        return (false, 0);
    };
    let tries = bundle.signatures().saturating_mul(rule.keys.len());
    if tries > most {
        return (false, tries);
    }
    let proven = bundle.verify(digest, &rule.keys);
    (
        proven.is_ok_and(|(said, _)| said.predicate_type == statement::SIGNED),
        tries,
    )
}

/// Does what takes the processor a while.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Error::Unavailable(error.into()))
}
