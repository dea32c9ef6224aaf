//! Asking the witnesses: whoever publishes a checkpoint asks at once, and what is old or missing is asked for again.
//!
//! A witness that does not answer is a line in the server's log, and holds nothing up for longer than [`PATIENCE`].

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{MissedTickBehavior, timeout};
use wreg_trust::log::{AddCheckpoint, Hash, SignedNote, TilePath, Tiles, note::NoteSignature, tile};

use super::{
    super::{Error, Registry, Result},
    lost,
};
use crate::{
    clock::{Millis, millis},
    metadata::{
        jobs::When,
        log::{CosignLog, LogRecord, cosign},
    },
    witness::{Answer, Witness, WitnessError},
};

/// How long a witness may take, all in all.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often it is asked: again if it says that it goes on from somewhere else.
const TRIES: usize = 2;
/// How often a server looks whether a cosignature is missing or old.
const TICK: Duration = Duration::from_secs(1);
/// For how long a new checkpoint is left to the server that has published it, in milliseconds.
const YOUNG: Millis = 3_000;
/// How long a server may be at it before another takes it over.
const LEASE: Duration = Duration::from_secs(30);

/// Why a witness has not signed.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    Witness(#[from] WitnessError),
    #[error("it did not answer within {PATIENCE:?}")]
    Slow,
    #[error("its answer has no signature of its key over this checkpoint")]
    NoSignature,
    #[error(
        "it has signed a checkpoint over {0} changes, and there are not as many: the database was put back from an older copy, or somebody else has the key of the log"
    )]
    Ahead(u64),
    #[error("it says that it has signed a checkpoint over {0} changes last, and does not go on from there")]
    Unsteady(u64),
    #[error("what proves that the log only grew could not be read")]
    Registry(#[from] Error),
}

impl Registry {
    /// Keeps the signatures of the witnesses fresh. Comes back only if there are no witnesses.
    pub(in crate::domain) async fn cosign_forever(&self, owner: &str) {
        if self.witnesses.is_empty() {
            return;
        }
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = self.cosign_due(owner).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "asking the witnesses failed; it will be tried again"
                );
            }
        }
    }

    /// Asks the witnesses whose signature of the published checkpoint is missing or old.
    pub async fn cosign_due(&self, owner: &str) -> Result<()> {
        let (log, now) = (self.published_log().await?, self.clock.now());
        let note: SignedNote = log.checkpoint.parse().map_err(|_| lost())?;
        let is_young = now.saturating_sub(log.published_at) < YOUNG;
        let mut due = self.witnesses.ready(now);
        due.retain(|witness| match witness.key().verify(&note) {
            None => !is_young,
            Some(time) => {
                let signed_at = i64::try_from(time).unwrap_or(0).saturating_mul(1000);
                now.saturating_sub(signed_at) >= self.witnesses.interval()
            }
        });
        if due.is_empty() || log.size == 0 {
            return Ok(());
        }
        let until = now.saturating_add(millis(LEASE));
        let claim = self
            .metadata
            .claim_job(cosign::JOB, owner, When::Now, now, until)
            .await?;
        let Some(claim) = claim else { return Ok(()) };
        let asked = self.ask_all(&log, &note, due).await;
        self.metadata.finish_job(claim, self.clock.now()).await?;
        asked
    }

    /// Asks all of them about a checkpoint that has just been published.
    pub(super) async fn cosign_published(&self) -> Result<()> {
        if self.witnesses.is_empty() {
            return Ok(());
        }
        let log = self.published_log().await?;
        let note = log.checkpoint.parse().map_err(|_| lost())?;
        let ready = self.witnesses.ready(self.clock.now());
        self.ask_all(&log, &note, ready).await
    }

    async fn ask_all(&self, log: &LogRecord, note: &SignedNote, witnesses: Vec<&Witness>) -> Result<()> {
        let asked = witnesses.into_iter().map(|witness| async move {
            let answer = timeout(PATIENCE, self.ask(log, note, witness)).await;
            match answer.unwrap_or(Err(Refusal::Slow)) {
                Ok(signature) => signature,
                Err(refusal) => {
                    witness.failed(self.clock.now());
                    tracing::warn!(
                        %witness,
                        size = log.size,
                        error = &refusal as &dyn std::error::Error,
                        "a witness has not signed the checkpoint; it will be asked again"
                    );
                    None
                }
            }
        });
        let signatures: Vec<_> = join_all(asked).await.into_iter().flatten().collect();
        if signatures.is_empty() {
            return Ok(());
        }
        let operation = CosignLog {
            size: log.size,
            text: note.text().to_owned(),
            signatures,
            now: self.clock.now(),
        };
        // Where it is not the one that is published any more, the next one is signed too.
        self.metadata.write(operation).await?;
        Ok(())
    }

    /// The signature of a witness; `None` if it has signed a later checkpoint meanwhile.
    async fn ask(
        &self,
        log: &LogRecord,
        note: &SignedNote,
        witness: &Witness,
    ) -> std::result::Result<Option<NoteSignature>, Refusal> {
        let mut old = witness.last_size().min(log.size);
        for _ in 0..TRIES {
            let request = AddCheckpoint {
                old,
                proof: self.prove_growth(old, log.size).await?,
                checkpoint: note.clone(),
            };
            match witness.add_checkpoint(&request).await? {
                Answer::Signed(signatures) => {
                    let own = signatures
                        .into_iter()
                        .find(|signature| witness.key().is_named(signature))
                        .ok_or(Refusal::NoSignature)?;
                    let cosigned = SignedNote::new(note.text().to_owned(), own.clone());
                    // A cosignature that names no time says nothing about what was seen when.
                    if witness.key().verify(&cosigned).is_none_or(|time| time == 0) {
                        return Err(Refusal::NoSignature);
                    }
                    witness.signed(log.size);
                    return Ok(Some(own));
                }
                Answer::SignedLast(size) if size > log.size => {
                    // Another server may have published more, and asked.
                    let is_ours = self.published_log().await?.size >= size;
                    return if is_ours { Ok(None) } else { Err(Refusal::Ahead(size)) };
                }
                Answer::SignedLast(size) => old = size,
            }
        }
        Err(Refusal::Unsteady(old))
    }

    /// What proves that the first `old` entries of the log are those of a tree of `size`.
    async fn prove_growth(&self, old: u64, size: u64) -> Result<Vec<Hash>> {
        // Every tree goes on from the empty one.
        let Some(path) = TilePath::of_consistency(old, size) else {
            return Ok(Vec::new());
        };
        path.hashes(&self.read_tiles(&path, size).await?).ok_or_else(lost)
    }

    /// The tiles that a path leads through.
    pub(super) async fn read_tiles(&self, path: &TilePath, size: u64) -> Result<Tiles> {
        let mut tiles = Tiles::new();
        for tile in path.tiles() {
            let bytes = self.read_tile(tile, size).await?;
            tiles.insert(tile, tile::hashes(tile, &bytes).ok_or_else(lost)?);
        }
        Ok(tiles)
    }
}
