//! The log of changes: brought up to date by one server at a time, and read by everybody.
//!
//! ```text
//! events ──AssignPlaces──► entries with places ──► full tiles in the store ──PublishLog──► the checkpoint ──► log/checkpoint in the store
//!                                                                                       └──CosignLog──► signed by witnesses too
//! ```
//!
//! Each arrow is durable before the next begins, and each can be done again: an entry never changes once it has its place, so the same
//! tiles come of it, whoever writes them. A tile that is full is a file of the store, and written once. What is not full yet is told from the
//! database (entries, and the lowest hashes), or written anew beside the old under its own width.

mod cosign;
mod tiles;

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use quick_cache::sync::Cache;
use tokio::{sync::Notify, time::MissedTickBehavior};
use wreg_trust::log::{Checkpoint, Hash, Proof, SignedNote, Tile, TilePath};

use super::{Error, Registry, Result};
use crate::{
    clock::{Millis, millis},
    metadata::log::{AssignPlaces, Batch, LogRecord, PublishLog},
    storage::LogKey,
};

/// How long a server may be busy with a part of the log before another takes it over.
const LEASE: Duration = Duration::from_secs(30);
/// How often a server looks whether there is something to log that nobody told it of.
const TICK: Duration = Duration::from_millis(200);
/// How long what has changed may wait for more, where nobody waits for it.
const GATHERING: Duration = Duration::from_millis(150);
/// The shortest time between two writings of the checkpoint into the store, in milliseconds.
const BETWEEN_CHECKPOINTS: Millis = 60_000;
/// How many tiles are kept in memory: 8 KiB each.
const TILES: usize = 512;

/// The log as this server knows it.
pub(crate) struct Log {
    wake: Notify,
    hurry: Notify,
    /// Full tiles of hashes.
    tiles: Cache<Tile, Bytes>,
    /// The lowest hashes of the tile that is not full yet, with the size of the log that they are of.
    edge: Mutex<(u64, Vec<Hash>)>,
    /// Whether the store has been asked how long the log was.
    checked: AtomicBool,
    /// When the store was last given the checkpoint.
    stored_at: AtomicI64,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            wake: Notify::new(),
            hurry: Notify::new(),
            tiles: Cache::new(TILES),
            edge: Mutex::default(),
            checked: AtomicBool::new(false),
            stored_at: AtomicI64::new(0),
        }
    }
}

impl Log {
    /// Says that there may be something to log.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Says that somebody waits for it.
    pub(super) fn hurry(&self) {
        self.hurry.notify_one();
    }

    fn edge(&self, size: u64) -> Option<Vec<Hash>> {
        let edge = self.edge.lock().unwrap_or_else(PoisonError::into_inner);
        (edge.0 == size).then(|| edge.1.clone())
    }

    fn put_edge(&self, size: u64, hashes: Vec<Hash>) {
        *self.edge.lock().unwrap_or_else(PoisonError::into_inner) = (size, hashes);
    }
}

impl Registry {
    /// Keeps the log up to date, and signs what is in it. Never ends.
    pub(super) async fn log_forever(&self, owner: &str) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let logged = self.log_due(owner).await;
            let signed = self.sign_due(owner).await;
            let failed = [
                ("writing the log", logged.as_ref().err()),
                ("signing", signed.as_ref().err()),
            ];
            for (what, error) in failed {
                if let Some(error) = error {
                    tracing::warn!(
                        error = error as &dyn std::error::Error,
                        "{what} failed; it will be tried again"
                    );
                }
            }
            if matches!(logged, Ok(true)) {
                continue;
            }
            tokio::select! {
                // What comes within a moment is logged and signed together, unless somebody waits.
                () = self.log.wake.notified() => {
                    let _ = tokio::time::timeout(GATHERING, self.log.hurry.notified()).await;
                }
                () = self.log.hurry.notified() => {}
                _ = ticks.tick() => {}
            }
        }
    }

    /// Takes up some of what has changed, publishes it, and signs what is to be signed of it. Says whether the log has grown: then there may
    /// be more. Where it has not, what is there is waited for (see [`AssignPlaces`]).
    pub async fn log_due(&self, owner: &str) -> Result<bool> {
        let Some(key) = self.keys.log() else { return Ok(false) };
        if !self.metadata.is_log_behind().await? {
            return Ok(false);
        }
        if !self.log.checked.load(Ordering::Relaxed) {
            self.check_store().await?;
        }
        let now = self.clock.now();
        let operation = AssignPlaces {
            owner: owner.to_owned(),
            now,
            until: now.saturating_add(millis(LEASE)),
            signing: self.signing,
            seed: uuid::Uuid::new_v4().to_string(),
        };
        let Some(batch) = self.metadata.write(operation).await? else {
            return Ok(false);
        };
        let old_size = batch.frontier.size();
        let frontier = self.store_tiles(&batch).await?;
        let text = Checkpoint {
            origin: key.verifier().name().to_owned(),
            size: frontier.size(),
            root: frontier.root(),
            extensions: Vec::new(),
        }
        .to_string();
        let signature = key.sign(&text, 0);
        let note = SignedNote::new(text, signature).to_string();
        let grew = frontier.size() > old_size;
        let Batch { claim, to_sign, .. } = batch;
        let operation = PublishLog {
            claim,
            old_size,
            frontier,
            checkpoint: note.clone(),
            now: self.clock.now(),
        };
        if !self.metadata.write(operation).await? {
            return Ok(false);
        }
        if grew {
            self.keep_checkpoint(&note).await;
            // Before anything is signed, so that what witnesses say is in the proofs.
            if let Err(error) = self.cosign_published().await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the witnesses were not asked; they will be"
                );
            }
        }
        self.sign_all(to_sign).await?;
        Ok(grew)
    }

    /// Refuses to go on where the store knows more of the log than the database: that was put back from an older copy, and whatever it
    /// would log now would contradict what was published.
    async fn check_store(&self) -> Result<()> {
        let kept = self.storage.read_log(&LogKey::checkpoint()).await?;
        let kept = kept.and_then(|bytes| String::from_utf8(bytes.to_vec()).ok()?.parse::<SignedNote>().ok());
        let kept = kept.and_then(|note| note.text().parse::<Checkpoint>().ok());
        let log = self.metadata.find_log().await?.ok_or_else(lost)?;
        if let Some(kept) = kept {
            let contradicts = kept.size == log.size && kept.root != log.frontier.root();
            if kept.size > log.size || contradicts {
                let why = format!(
                    "the store has a checkpoint over {} changes, and the database logs {}, or others: it was put back from an older copy, and nothing is logged, so that what was published is not contradicted",
                    kept.size, log.size
                );
                return Err(Error::Unavailable(why.into()));
            }
        }
        self.log.checked.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Keeps the checkpoint in the store, beside the tiles, now and then. Nothing rests on it but [`Self::check_store`].
    async fn keep_checkpoint(&self, note: &str) {
        let now = self.clock.now();
        let before = self.log.stored_at.load(Ordering::Relaxed);
        if before == 0 {
            // A server that has just begun has kept it a minute ago at the most.
            self.log.stored_at.store(now, Ordering::Relaxed);
            return;
        }
        if now.saturating_sub(before) < BETWEEN_CHECKPOINTS && before <= now {
            return;
        }
        self.log.stored_at.store(now, Ordering::Relaxed);
        let kept = self
            .storage
            .put_log(&LogKey::checkpoint(), note.to_owned().into())
            .await;
        if let Err(error) = kept {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the checkpoint of the log was not kept in the store"
            );
        }
    }

    /// The log as it is published.
    pub(super) async fn published_log(&self) -> Result<LogRecord> {
        self.metadata.find_log().await?.ok_or_else(lost)
    }

    /// The signed checkpoint, for everybody.
    pub async fn get_checkpoint(&self) -> Result<String> {
        Ok(self.published_log().await?.checkpoint)
    }

    /// The bytes of a tile, for everybody; `None` if the log is not that long.
    pub async fn get_tile(&self, tile: Tile) -> Result<Option<Bytes>> {
        let log = self.published_log().await?;
        let Some(there) = Tile::in_tree(tile.row, tile.index, log.size).filter(|there| tile.width <= there.width)
        else {
            return Ok(None);
        };
        let bytes = self.read_tile(there, log.size).await?;
        Ok(tiles::first(tile, &bytes))
    }

    /// The proof that the entry at a place is in the log as `log` has it.
    pub(super) async fn prove(&self, log: &LogRecord, place: u64, salt: Option<&str>) -> Result<Proof> {
        let path = TilePath::of_inclusion(place, log.size).ok_or_else(lost)?;
        let tiles = self.read_tiles(&path, log.size).await?;
        Ok(Proof {
            extra: salt.map(|salt| salt.as_bytes().to_vec()),
            index: place,
            hashes: path.hashes(&tiles).ok_or_else(lost)?,
            checkpoint: log.checkpoint.parse().map_err(|_| lost())?,
        })
    }
}

/// A part of the log is not there, which is told to whoever runs the server.
fn lost() -> Error {
    Error::Unavailable("a part of the log of changes is not there, or not what it should be".into())
}
