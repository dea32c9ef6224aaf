//! Checkpoints: which log, how long, and the hash of all of it.
//!
//! Source: C2SP tlog-checkpoint.

use std::{fmt, str::FromStr};

use super::merkle::Hash;

/// The head of a log at some time. As text what is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: its URL without the scheme.
    pub origin: String,
    /// How many entries it has.
    pub size: u64,
    /// The hash of them all.
    pub root: Hash,
    /// Further lines, which are signed too and say nothing here.
    pub extensions: Vec<String>,
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, self.root)?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// A text that is no checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no checkpoint of a log")]
pub struct NoCheckpoint;

impl FromStr for Checkpoint {
    type Err = NoCheckpoint;

    fn from_str(text: &str) -> Result<Self, NoCheckpoint> {
        let mut lines = text.strip_suffix('\n').ok_or(NoCheckpoint)?.split('\n');
        let mut next = || lines.next().filter(|line| !line.is_empty()).ok_or(NoCheckpoint);
        let (origin, size, root) = (next()?, next()?, next()?);
        let number: u64 = size.parse().map_err(|_| NoCheckpoint)?;
        let extensions: Vec<_> = lines.map(str::to_owned).collect();
        if number.to_string() != size || extensions.iter().any(String::is_empty) {
            return Err(NoCheckpoint);
        }
        Ok(Self {
            origin: origin.to_owned(),
            size: number,
            root: root.parse().map_err(|_| NoCheckpoint)?,
            extensions,
        })
    }
}
