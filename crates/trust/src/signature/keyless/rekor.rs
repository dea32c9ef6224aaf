//! What a transparency log says of an entry: a promise with a time, and a proof that it is in a tree.
//!
//! Source: sigstore, Client Specification, "Transparency log entry"; rekor, `pkg/verify/verify.go`, for the promise of version 1;
//! rekor-tiles, `CLIENTS.md`, for version 2, which promises nothing; C2SP tlog-checkpoint.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Serialize;

use super::{
    material::{Entry, InclusionProof},
    trust_root::{Log, TrustRoot},
};
use crate::log::{Checkpoint, Hash, SignedNote, merkle};

/// What a log of version 1 signs of an entry: JSON in its canonical form, which the order of these fields is.
#[derive(Serialize)]
struct Promise {
    body: String,
    #[serde(rename = "integratedTime")]
    integrated_time: i64,
    #[serde(rename = "logID")]
    log_id: String,
    #[serde(rename = "logIndex")]
    log_index: i64,
}

/// When an entry was taken, in seconds since 1970, if a log of the root has promised to have it since then.
pub(super) fn promised_time(entry: &Entry, root: &TrustRoot) -> Option<i64> {
    let promise = entry.inclusion_promise.as_ref()?;
    let time = entry.integrated_time?.0;
    let id = &entry.log_id.key_id.0;
    let message = serde_json::to_vec(&Promise {
        body: BASE64_STANDARD.encode(&entry.canonicalized_body.0),
        integrated_time: time,
        log_id: hex(id),
        log_index: entry.log_index.0,
    })
    .ok()?;
    let signature = &promise.signed_entry_timestamp.0;
    let times = [time];
    let mut logs = root.logs(id, &times);
    logs.any(|log| log.key.verifies(log.key.own_hash(), &message, signature))
        .then_some(time)
}

/// Whether an entry is proven to be in a log of the root, which is trusted at all those times. A promise alone, as bundles before version
/// 0.3 could have it, is no proof.
pub(super) fn is_in_log(entry: &Entry, root: &TrustRoot, times: &[i64]) -> bool {
    let proof = entry.inclusion_proof.as_ref();
    proof.is_some_and(|proof| is_included(entry, proof, root, times).is_some())
}

fn is_included(entry: &Entry, proof: &InclusionProof, root: &TrustRoot, times: &[i64]) -> Option<()> {
    let note: SignedNote = proof.checkpoint.as_ref()?.envelope.parse().ok()?;
    let mut logs = root.logs(&entry.log_id.key_id.0, times);
    logs.find(|log| has_signed(log, &note))?;
    let checkpoint: Checkpoint = note.text().parse().ok()?;
    let hashes: Option<Vec<Hash>> = proof.hashes.iter().map(|hash| hash_of(&hash.0)).collect();
    let (index, size) = (
        u64::try_from(proof.log_index.0).ok()?,
        u64::try_from(proof.tree_size.0).ok()?,
    );
    let leaf = Hash::leaf(&entry.canonicalized_body.0);
    let follows = merkle::root_of_inclusion(index, size, leaf, &hashes?)?;
    let is_it = follows == checkpoint.root && size == checkpoint.size && proof.root_hash.0 == follows.0;
    is_it.then_some(())
}

/// Whether one of a note's signatures is of the log's key.
fn has_signed(log: &Log, note: &SignedNote) -> bool {
    let text = note.text().as_bytes();
    let mut signatures = note.signatures().iter();
    signatures.any(|signature| log.key.verifies(log.key.own_hash(), text, &signature.bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn hash_of(bytes: &[u8]) -> Option<Hash> {
    bytes.try_into().ok().map(Hash)
}
