//! Witnesses: they sign a checkpoint beside the log if the tree goes on from the one that they signed last. Whoever trusts some of them
//! then knows that the log shows everybody the same.
//!
//! What is asked ([`AddCheckpoint`]) and what is answered ([`decide`]) are here; keeping what was signed, before it is told, is up to the
//! witness.
//!
//! Source: C2SP tlog-witness, tlog-cosignature.

use std::{fmt, str::FromStr};

use sha2::{Digest as _, Sha256};

use super::{
    checkpoint::Checkpoint,
    merkle::{Hash, is_consistent},
    note::{Malformed, NoteSignature, SignedNote, Verifier},
};

/// The most hashes of a proof.
pub const MAX_PROOF: usize = 63;
/// The most bytes of a request, and of an answer.
pub const MAX_LEN: usize = 64 << 10;
/// Below the address of a witness: where checkpoints are added.
pub const PATH: &str = "/add-checkpoint";
/// The media type of an answer that is a size.
pub const SIZE_TYPE: &str = "text/x.tlog.size";

/// Below the address of a witness: where the last checkpoint of a log is that it has signed.
pub fn checkpoint_path(origin: &str) -> String {
    format!("/{}/checkpoint", hex(origin))
}

/// What a log is called where its origin does not fit: the SHA-256 of it in hexadecimal.
pub fn hex(origin: &str) -> String {
    let hash: [u8; 32] = Sha256::digest(origin).into();
    hash.iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// The request to sign a checkpoint too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size of the tree that the witness signed last; 0 if it never signed one of this log.
    pub old: u64,
    /// What proves that the new tree goes on from that one.
    pub proof: Vec<Hash>,
    /// The new one, signed by the log.
    pub checkpoint: SignedNote,
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for AddCheckpoint {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (head, note) = text.split_once("\n\n").ok_or(Malformed::Note)?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old "));
        let old = old.and_then(read_size).ok_or(Malformed::Note)?;
        let proof: Vec<Hash> = lines
            .map(str::parse)
            .collect::<Result<_, _>>()
            .map_err(|_| Malformed::Note)?;
        if proof.len() > MAX_PROOF {
            return Err(Malformed::Note);
        }
        Ok(Self {
            old,
            proof,
            checkpoint: note.parse()?,
        })
    }
}

/// Reads a size as it is written here: in decimal, and in one way only.
pub fn read_size(text: &str) -> Option<u64> {
    text.parse().ok().filter(|size: &u64| size.to_string() == text)
}

/// What a witness has signed last of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// How many entries there were.
    pub size: u64,
    /// The hash of them all.
    pub root: Hash,
}

impl Known {
    /// Of a log that it has signed nothing of.
    pub fn nothing() -> Self {
        Self {
            size: 0,
            root: Hash::empty(),
        }
    }
}

/// What a witness makes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is kept, and signed then: 200.
    Sign(Known),
    /// It is no checkpoint, or smaller than the tree that it is said to go on from: 400.
    Malformed,
    /// None of the log's keys has signed it: 403.
    Unsigned,
    /// The log is none of those that the witness watches: 404.
    UnknownOrigin,
    /// It does not go on from what the witness has signed last, which has this size: 409.
    Conflict(u64),
    /// The proof does not show that it goes on from there: 422.
    NotProven,
    /// It has the size of what the witness has signed last, and is another tree: 422 too. The two together prove that the log shows
    /// different things to different people.
    Fork,
}

impl Decision {
    /// The status of the answer.
    pub fn status(&self) -> u16 {
        match self {
            Self::Sign(_) => 200,
            Self::Malformed => 400,
            Self::Unsigned => 403,
            Self::UnknownOrigin => 404,
            Self::Conflict(_) => 409,
            Self::NotProven | Self::Fork => 422,
        }
    }
}

/// What is to be answered by a witness that has signed `known` last of this log, and knows the logs that `logs` check. A log is known by
/// the name of its key, which is its origin.
pub fn decide(request: &AddCheckpoint, known: Known, logs: &[Verifier]) -> Decision {
    let Ok(Checkpoint { origin, size, root, .. }) = request.checkpoint.text().parse() else {
        return Decision::Malformed;
    };
    let mut keys = logs.iter().filter(|key| key.name() == origin).peekable();
    if keys.peek().is_none() {
        return Decision::UnknownOrigin;
    }
    if !keys.any(|key| key.verify(&request.checkpoint).is_some()) {
        return Decision::Unsigned;
    }
    if request.old > size {
        return Decision::Malformed;
    }
    if request.old != known.size {
        return Decision::Conflict(known.size);
    }
    if size == known.size && root != known.root {
        return Decision::Fork;
    }
    if !is_consistent(known.size, known.root, size, root, &request.proof) {
        return Decision::NotProven;
    }
    Decision::Sign(Known { size, root })
}

/// The signatures in the answer of a witness, one a line. Those that cannot be read are left out: they may be of a kind that is not known yet.
pub fn read_cosignatures(answer: &str) -> Vec<NoteSignature> {
    answer.lines().filter_map(|line| line.parse().ok()).collect()
}
