//! SQLite's write-ahead log: how much of it there is before it is taken over into the database, and a look at whether that works. It is
//! never taken over past what somebody still reads: a reader that does not end makes it grow, and slows every other one down.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Pages after which the log is taken over: 16 MiB. Each page is written to the database once for all changes of it, however many, so
/// that this is worth waiting for; and that much must be read at a start after a crash.
pub(super) const PAGES: u32 = 4096;
/// The length that the file is cut back to once all of it has been taken over, in bytes.
pub(super) const KEPT: u64 = 16 << 20;
/// A log that is longer than this is told of, in bytes.
const LONG: u64 = 64 << 20;
/// How many writes there are between two looks at it.
const EVERY: usize = 64;

/// How the log of one database has been.
pub(super) struct Wal {
    file: PathBuf,
    writes: usize,
    is_long: bool,
}

impl Wal {
    /// The log of the database in `file`.
    pub(super) fn of(file: &Path) -> Self {
        let mut name = file.as_os_str().to_owned();
        name.push("-wal");
        Self {
            file: name.into(),
            writes: 0,
            is_long: false,
        }
    }

    /// To be called after every commit, with the writes in it. Says once that the log has become long.
    pub(super) fn has_grown(&mut self, writes: usize) {
        self.writes += writes;
        if self.writes < EVERY {
            return;
        }
        self.writes = 0;
        // The look costs a microsecond, which no other thread is worth.
        let bytes = fs::metadata(&self.file).map_or(0, |found| found.len());
        let was_long = std::mem::replace(&mut self.is_long, bytes > LONG);
        if self.is_long && !was_long {
            tracing::warn!(
                bytes,
                "the database's write-ahead log is long: another program reads the database and does not end"
            );
        }
    }
}
