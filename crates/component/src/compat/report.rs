//! What a comparison comes to, and the list of changes in the making.

use std::{cmp::Reverse, fmt};

use serde::{Deserialize, Serialize};

use super::change::{Change, ChangeKind};

/// How many changes are listed.
pub const MAX_CHANGES: usize = 1000;

/// How much changed, in the words of semantic versioning.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing.
    Same,
    /// The documentation alone.
    Patch,
    /// Something came or went, and nobody who relied on the older one is broken.
    Minor,
    /// Somebody who relied on the older one can be broken.
    Major,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Same => "same",
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        })
    }
}

/// What changed from an older interface to a newer one.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The most that changed.
    pub level: Level,
    /// The changes: what breaks first, then by place. At most [`MAX_CHANGES`].
    pub changes: Vec<Change>,
    /// Whether there are more changes than are listed.
    pub shortened: bool,
}

/// The list in the making. It never holds more than twice what it will show.
pub(super) struct Report {
    level: Level,
    changes: Vec<Change>,
    shortened: bool,
}

impl Report {
    pub(super) fn new() -> Self {
        Self {
            level: Level::Same,
            changes: Vec::new(),
            shortened: false,
        }
    }

    pub(super) fn add(&mut self, change: Change) {
        self.level = self.level.max(match change.kind {
            _ if change.breaking => Level::Major,
            ChangeKind::DocsChanged => Level::Patch,
            _ => Level::Minor,
        });
        self.changes.push(change);
        if self.changes.len() >= 2 * MAX_CHANGES {
            self.tidy();
        }
    }

    fn tidy(&mut self) {
        fn order(change: &Change) -> impl Ord + '_ {
            let Change {
                kind,
                breaking,
                at,
                item,
                before,
                after,
            } = change;
            (Reverse(*breaking), at, item, *kind, before, after)
        }
        self.changes.sort_by(|one, other| order(one).cmp(&order(other)));
        self.changes.dedup();
        self.shortened |= self.changes.len() > MAX_CHANGES;
        self.changes.truncate(MAX_CHANGES);
    }

    pub(super) fn finish(mut self) -> Comparison {
        self.tidy();
        Comparison {
            level: self.level,
            changes: self.changes,
            shortened: self.shortened,
        }
    }
}
