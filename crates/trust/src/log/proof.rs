//! Proofs that an entry is in a log, with the checkpoint that they lead to: all that it takes to check it offline.
//!
//! Source: C2SP tlog-proof.

use std::{fmt, str::FromStr};

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::{
    checkpoint::{Checkpoint, NoCheckpoint},
    merkle::{Hash, root_of_inclusion},
    note::SignedNote,
};

const HEADING: &str = "c2sp.org/tlog-proof@v1";
/// The most hashes of a proof: as many as a tree can have levels.
const MAX_HASHES: usize = 64;

/// The proof of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// What somebody has put beside it. Nothing vouches for it.
    pub extra: Option<Vec<u8>>,
    /// Which entry, from 0.
    pub index: u64,
    /// From the entry upwards.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint.
    pub checkpoint: SignedNote,
}

impl Proof {
    /// The checkpoint, if the entry is in the log that it speaks of. Who signed it is for the caller to ask.
    pub fn check(&self, entry: &[u8]) -> Option<Checkpoint> {
        let checkpoint: Checkpoint = self.checkpoint.text().parse().ok()?;
        let root = root_of_inclusion(self.index, checkpoint.size, Hash::leaf(entry), &self.hashes)?;
        (root == checkpoint.root).then_some(checkpoint)
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADING}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", BASE64_STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.hashes.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

/// A text that is no proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no proof of an entry in a log")]
pub struct NoProof;

impl From<NoCheckpoint> for NoProof {
    fn from(_: NoCheckpoint) -> Self {
        Self
    }
}

impl FromStr for Proof {
    type Err = NoProof;

    fn from_str(text: &str) -> Result<Self, NoProof> {
        let (head, checkpoint) = text.split_once("\n\n").ok_or(NoProof)?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADING) {
            return Err(NoProof);
        }
        let extra = lines.next_if(|line| line.starts_with("extra "));
        let extra = extra.map(|line| BASE64_STANDARD.decode(&line["extra ".len()..]));
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .ok_or(NoProof)?;
        let number: u64 = index.parse().map_err(|_| NoProof)?;
        let hashes: Vec<Hash> = lines
            .take(MAX_HASHES + 1)
            .map(str::parse)
            .collect::<Result<_, _>>()
            .map_err(|_| NoProof)?;
        if number.to_string() != index || hashes.len() > MAX_HASHES {
            return Err(NoProof);
        }
        Ok(Self {
            extra: extra.transpose().map_err(|_| NoProof)?,
            index: number,
            hashes,
            checkpoint: checkpoint.parse().map_err(|_| NoProof)?,
        })
    }
}
