//! Whether a log holds that a tag of a repository points to a manifest: what an entry and its proof are checked for.

use wreg_oci::{Digest, RepositoryName, Tag};

use crate::log::{
    Checkpoint, Proof, Verifier,
    entry::{Entry, Op},
};

/// An entry that is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// Which, from 0.
    pub index: u64,
    /// What it says.
    pub entry: Entry,
    /// The checkpoint of the log that it is in.
    pub checkpoint: Checkpoint,
}

/// Why an entry with a proof shows nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotLogged {
    /// The entry is none.
    #[error("the entry is none of a registry's log")]
    Entry,
    /// The proof is none.
    #[error("the proof of the log is malformed")]
    Proof,
    /// The proof does not lead from the entry to its checkpoint.
    #[error("the proof does not show the entry to be in the log")]
    Inclusion,
    /// The checkpoint is not signed by the log that is trusted.
    #[error("the checkpoint is not signed by the log that is trusted")]
    Checkpoint,
    /// The entry is about something else.
    #[error("the entry of the log is about another artifact")]
    Subject,
}

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The repository.
    pub repository: &'a RepositoryName,
    /// The tag; none where any will do.
    pub tag: Option<&'a Tag>,
    /// What it is to point to.
    pub digest: &'a Digest,
}

impl Wanted<'_> {
    /// Checks an entry with its proof, both as they were found. What the proof carries beside itself is taken for the repository's salt.
    pub fn check(self, entry: &[u8], proof: &str, log: &Verifier) -> Result<Logged, NotLogged> {
        let says = Entry::parse(entry).map_err(|_| NotLogged::Entry)?;
        let proof: Proof = proof.parse().map_err(|_| NotLogged::Proof)?;
        let checkpoint = proof.check(entry).ok_or(NotLogged::Inclusion)?;
        if checkpoint.origin != log.name() || log.verify(&proof.checkpoint).is_none() {
            return Err(NotLogged::Checkpoint);
        }
        let salt = proof.extra.as_deref().and_then(|salt| std::str::from_utf8(salt).ok());
        let is_wanted = says.op == Op::TagPut
            && says.is_about(self.repository, salt)
            && says.digest.as_ref() == Some(self.digest)
            && self.tag.is_none_or(|tag| says.tag.as_ref() == Some(tag));
        is_wanted
            .then_some(Logged {
                index: proof.index,
                entry: says,
                checkpoint,
            })
            .ok_or(NotLogged::Subject)
    }
}
