//! What stands beside an artifact and may show something: bundles and proofs, as they are, unchecked.
//!
//! Whoever may push can put any number of anything there: what is looked at is bounded, in number and in bytes, and what is malformed shows
//! nothing.

use futures_util::{StreamExt as _, stream};
use wreg_oci::{Descriptor, Digest, Manifest, MediaType, RepositoryName};
use wreg_trust::{
    attachment::proof_layers,
    log::{entry, note::MAX_NOTE},
    signature::{Bundle, artifact::bundle_layer, bundle::MAX_BUNDLE},
};

use crate::{Error, Registry, registry::passing_over};

/// The most referrers of each kind that are looked at.
pub(super) const MAX_LOOKED_AT: usize = 100;
/// The largest manifest of one, in bytes.
const MAX_MANIFEST: u64 = 64 << 10;
/// How many are fetched at a time.
const TOGETHER: usize = 8;

/// What is there.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    /// Bundles that can be read.
    pub(super) bundles: Vec<Bundle>,
    /// Entries of a log with their proofs.
    pub(super) proofs: Vec<(Vec<u8>, String)>,
    /// Whether there is more than is looked at.
    pub(super) is_cut: bool,
}

enum Piece {
    Bundle(Box<Bundle>),
    Proof(Vec<u8>, String),
    Nothing,
}

impl Registry {
    /// Entries of the registry's log about a manifest, with their proofs, as they stand beside it. Unchecked.
    pub async fn proofs(&self, repository: &RepositoryName, digest: &Digest) -> Result<Vec<(Vec<u8>, String)>, Error> {
        Ok(self.evidence(repository, digest).await?.proofs)
    }

    /// Gathers what stands beside a manifest.
    pub(super) async fn evidence(&self, repository: &RepositoryName, digest: &Digest) -> Result<Evidence, Error> {
        let referrers = self.referrers(repository, digest).await?;
        let mut evidence = Evidence::default();
        let mut wanted: Vec<Descriptor> = Vec::new();
        for kind in [MediaType::LOG_PROOF, MediaType::SIGSTORE_BUNDLE] {
            let of_kind = referrers
                .iter()
                .filter(|one| one.artifact_type.as_ref() == Some(&kind) && one.size <= MAX_MANIFEST);
            evidence.is_cut |= of_kind.clone().count() > MAX_LOOKED_AT;
            wanted.extend(of_kind.take(MAX_LOOKED_AT).cloned());
        }
        let mut pieces = stream::iter(wanted)
            .map(|referrer| async move { self.piece(repository, &referrer.digest).await })
            .buffered(TOGETHER);
        while let Some(piece) = pieces.next().await {
            match passing_over(piece)?.unwrap_or(Piece::Nothing) {
                Piece::Bundle(bundle) => evidence.bundles.push(*bundle),
                Piece::Proof(entry, proof) => evidence.proofs.push((entry, proof)),
                Piece::Nothing => {}
            }
        }
        Ok(evidence)
    }

    async fn piece(&self, repository: &RepositoryName, digest: &Digest) -> Result<Piece, Error> {
        let fetched = self.manifest(repository, &digest.clone().into()).await?;
        let Ok(manifest) = Manifest::parse(&fetched.bytes, &fetched.descriptor.media_type) else {
            return Ok(Piece::Nothing);
        };
        if let Some(layer) = bundle_layer(&manifest) {
            let bytes = self.blob_bytes(repository, layer, MAX_BUNDLE as u64).await?;
            let bundle = Bundle::parse(&bytes).ok();
            return Ok(bundle.map_or(Piece::Nothing, |bundle| Piece::Bundle(Box::new(bundle))));
        }
        if let Some((entry, proof)) = proof_layers(&manifest) {
            let entry = self.blob_bytes(repository, entry, entry::MAX_LEN as u64).await?;
            let proof = self.blob_bytes(repository, proof, MAX_NOTE as u64).await?;
            let text = String::from_utf8(proof.into());
            return Ok(text.map_or(Piece::Nothing, |proof| Piece::Proof(entry.into(), proof)));
        }
        Ok(Piece::Nothing)
    }
}
