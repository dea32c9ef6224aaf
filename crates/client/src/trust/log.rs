//! A registry's log as its reader sees it: whether what it says now goes on from what it said before.

use wreg_trust::log::{
    Checkpoint, SignedNote, Tile, TilePath, Tiles, Verifier,
    merkle::is_consistent,
    tile::{self, Row},
};

use super::Memory;
use crate::{Error, Registry};

/// What shows that a log lies, or that it cannot be told; in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refuted(pub String);

/// Reads the log of a registry.
pub struct LogReader<'a> {
    /// Where it is.
    pub registry: &'a Registry,
    /// Under which path.
    pub path: &'a str,
    /// Who checks its checkpoints.
    pub key: &'a Verifier,
}

impl LogReader<'_> {
    /// The last checkpoint, if the log has signed it.
    pub async fn head(&self) -> Result<Result<(SignedNote, Checkpoint), Refuted>, Error> {
        let Some(text) = self.registry.checkpoint(self.path).await? else {
            return Ok(Err(Refuted("the registry has no log any more".to_owned())));
        };
        Ok(self.read(&text))
    }

    /// Reads a signed checkpoint.
    pub fn read(&self, text: &str) -> Result<(SignedNote, Checkpoint), Refuted> {
        let refuted = |why: &str| Refuted(why.to_owned());
        let note: SignedNote = text
            .parse()
            .map_err(|_| refuted("the checkpoint of the log is malformed"))?;
        let checkpoint: Checkpoint = note
            .text()
            .parse()
            .map_err(|_| refuted("the checkpoint of the log is malformed"))?;
        if checkpoint.origin != self.key.name() || self.key.verify(&note).is_none() {
            return Err(refuted("the checkpoint is not signed by the log that is trusted"));
        }
        Ok((note, checkpoint))
    }

    /// Asks for the last checkpoint, compares it with the longest that was seen, and takes it up.
    pub async fn follow(&self, memory: &mut Memory) -> Result<Result<(SignedNote, Checkpoint), Refuted>, Error> {
        match self.head().await? {
            Ok(head) => self.take_up(memory, head).await,
            Err(refuted) => Ok(Err(refuted)),
        }
    }

    /// The same with a checkpoint that was asked for already.
    pub async fn take_up(
        &self,
        memory: &mut Memory,
        (note, head): (SignedNote, Checkpoint),
    ) -> Result<Result<(SignedNote, Checkpoint), Refuted>, Error> {
        // One of another key says nothing of this log.
        let seen = memory.checkpoint.as_deref().and_then(|text| self.read(text).ok());
        if let Some((_, seen)) = seen {
            if let Err(refuted) = self.goes_on(&seen, &head).await? {
                return Ok(Err(refuted));
            }
            memory.note_beginning(seen.size, seen.root.to_string());
        }
        memory.checkpoint = Some(note.to_string());
        memory.note_beginning(head.size, head.root.to_string());
        Ok(Ok((note, head)))
    }

    /// Whether a checkpoint that came from elsewhere belongs to the log whose last one is `head`.
    pub async fn holds(
        &self,
        memory: &mut Memory,
        checkpoint: &Checkpoint,
        head: &Checkpoint,
    ) -> Result<Result<(), Refuted>, Error> {
        if memory.beginnings.get(&checkpoint.size) == Some(&checkpoint.root.to_string()) {
            return Ok(Ok(()));
        }
        let found = self.goes_on(checkpoint, head).await?;
        if found.is_ok() {
            memory.note_beginning(checkpoint.size, checkpoint.root.to_string());
        }
        Ok(found)
    }

    async fn goes_on(&self, old: &Checkpoint, new: &Checkpoint) -> Result<Result<(), Refuted>, Error> {
        if new.size < old.size {
            return Ok(Err(Refuted(format!(
                "the log was rolled back: it had {} entries, and has {} now",
                old.size, new.size
            ))));
        }
        let proof = match TilePath::of_consistency(old.size, new.size) {
            Some(path) if old.size < new.size => match self.hashes(&path).await? {
                Ok(hashes) => hashes,
                Err(refuted) => return Ok(Err(refuted)),
            },
            _ => Vec::new(),
        };
        if is_consistent(old.size, old.root, new.size, new.root, &proof) {
            return Ok(Ok(()));
        }
        Ok(Err(Refuted(format!(
            "the log was rewritten: its first {} entries are not those that it had before",
            old.size
        ))))
    }

    async fn hashes(&self, path: &TilePath) -> Result<Result<Vec<wreg_trust::log::Hash>, Refuted>, Error> {
        let mut tiles = Tiles::new();
        for tile in path.tiles() {
            let hashes = self.registry.tile(self.path, tile).await?;
            let Some(hashes) = hashes.and_then(|bytes| tile::hashes(tile, &bytes)) else {
                return Ok(Err(Refuted(format!("the log does not show its part {tile}"))));
            };
            tiles.insert(tile, hashes);
        }
        let missing = || Refuted("the log does not show all of its parts".to_owned());
        Ok(path.hashes(&tiles).ok_or_else(missing))
    }

    /// The entries from `from` on, of a log of `size`, as many as one bundle of them has. Unchecked: what hashes follow from them is for
    /// the caller to see.
    pub async fn entries(&self, from: u64, size: u64) -> Result<Result<Vec<Vec<u8>>, Refuted>, Error> {
        let index = from / tile::WIDTH;
        let Some(tile) = Tile::in_tree(Row::Entries, index, size) else {
            return Ok(Ok(Vec::new()));
        };
        let missing = || Refuted(format!("the log does not show its part {tile}"));
        let Some(bytes) = self.registry.tile(self.path, tile).await? else {
            return Ok(Err(missing()));
        };
        let Some(entries) = tile::entries(tile, &bytes) else {
            return Ok(Err(missing()));
        };
        let skipped = usize::try_from(from % tile::WIDTH).unwrap_or(usize::MAX);
        Ok(Ok(entries.into_iter().skip(skipped).map(<[u8]>::to_vec).collect()))
    }
}
