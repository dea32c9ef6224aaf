//! SQLite's write-ahead log: how much of it there is before it is taken over into the database, and a look at whether that works. It is
//! never taken over past what somebody still reads: a reader that does not end makes it grow, and slows every other one down.

use sqlx::SqliteConnection;

/// The length that the file is cut back to once all of it has been taken over, in bytes.
pub(super) const KEPT: i64 = 16 << 20;
/// Pages after which the log is taken over: as many as are kept. A page is written to the database once for all changes of it, however
/// many, so that this is worth waiting for; and that much must be read at a start after a crash.
pub(super) const PAGES: i64 = KEPT / PAGE;
/// A log of more pages than this is told of: 64 MiB.
const LONG: i64 = (64 << 20) / PAGE;
/// Bytes of a page of SQLite.
const PAGE: i64 = 4096;
/// How many writes there are between two looks at it.
const EVERY: usize = 64;

/// How the log of one database has been.
#[derive(Default)]
pub(super) struct Wal {
    writes: usize,
    is_long: bool,
}

impl Wal {
    /// To be called after every commit, with the writes in it. Says once that the log has become long.
    pub(super) async fn has_grown(&mut self, connection: &mut SqliteConnection, writes: usize) {
        self.writes += writes;
        if self.writes < EVERY {
            return;
        }
        self.writes = 0;
        // The way to ask for the length: nothing is taken over.
        let asked = sqlx::query_as("PRAGMA wal_checkpoint(NOOP)");
        let answer: Result<(i64, i64, i64), _> = asked.fetch_one(connection).await;
        let (_, pages, _) = answer.unwrap_or_default();
        let was_long = std::mem::replace(&mut self.is_long, pages > LONG);
        if self.is_long && !was_long {
            tracing::warn!(
                bytes = pages * PAGE,
                "the database's write-ahead log is long: another program reads the database and does not end"
            );
        }
    }
}
