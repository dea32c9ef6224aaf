//! The passes of a collection, counted from the server's own log.

use std::fmt;

/// How many there were, and what they took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Passes {
    /// Passes that gave blobs up or removed bytes.
    pub(crate) with_work: u64,
    /// Blobs that nobody held any more.
    pub(crate) blobs: u64,
    /// Blobs whose bytes have been removed.
    pub(crate) removed: u64,
    /// Rows that could not be read, and bytes that could not be removed.
    pub(crate) failed: u64,
}

impl Passes {
    /// Reads the log.
    pub(crate) fn count(log: &str) -> Self {
        let lines = log.lines().filter(|line| line.contains(" collected "));
        lines.fold(Self::default(), |all, line| {
            let field = |name: &str| {
                let mut words = line.split_whitespace();
                let value = words.find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
                value.and_then(|value| value.parse::<u64>().ok()).unwrap_or(0)
            };
            let (blobs, removed) = (field("blobs"), field("removed"));
            Self {
                with_work: all.with_work + u64::from(blobs + removed > 0),
                blobs: all.blobs + blobs,
                removed: all.removed + removed,
                failed: all.failed + field("failed") + field("quarantined"),
            }
        })
    }
}

impl fmt::Display for Passes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            with_work,
            blobs,
            removed,
            failed,
        } = self;
        write!(
            f,
            "{with_work} passes with something to sweep, {blobs} blobs given up, {removed} removed, {failed} failures"
        )
    }
}
