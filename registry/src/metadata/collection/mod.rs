//! What nothing refers to, found and taken a bounded batch at a time.
//!
//! A batch is looked for outside of any transaction, in the order of keys, so that a whole pass reads every row once. What it finds
//! is only a suspicion: the transaction that takes something away asks the same question again, under the fence of the job and,
//! for what belongs to a repository, under the repository's lock. Edges alone are asked; no manifest is read.
//!
//! - `manifests.rs`: manifests that follow their deleted subject, and the purge of what was deleted long enough ago.
//! - `blobs.rs`: a repository's hold on blobs, blobs that nobody holds, and bytes on their way out.

pub(crate) mod blobs;
pub(crate) mod manifests;

use super::{
    Metadata, Operation, Result, Touched, Tx,
    jobs::{self, Claim},
    on_db,
};
use crate::clock::Millis;

/// Rows that are looked at in one read.
pub(crate) const WINDOW: i64 = 1000;

/// The proof that a step asks for: the claim, and until when it renews it.
#[derive(Debug, Clone)]
pub(crate) struct Fence {
    pub(crate) claim: Claim,
    pub(crate) until: Millis,
}

impl Fence {
    /// Whether the step may go on. First in its transaction.
    async fn holds(&self, tx: &mut Tx<'_>) -> Result<bool> {
        jobs::renew(tx, &self.claim, self.until).await
    }
}

/// What a step has done; `None` if the job has passed to somebody else, and nothing was done.
pub(crate) type Fenced<T> = Option<T>;

/// What was last noted of the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClockNote {
    /// The time when it was noted.
    pub(crate) seen_at: Millis,
    /// Nothing is taken before this time.
    pub(crate) held_until: Millis,
}

const CLOCK: &str = "collection";

impl Metadata {
    /// The last note of the time, if there is one.
    pub(crate) async fn find_clock_note(&self) -> Result<Option<ClockNote>> {
        let row: Option<(Millis, Millis)> = on_db!(&*self.db, db => sqlx::query_as("SELECT seen_at, held_until FROM collection_clock WHERE name = $1")
            .bind(CLOCK)
            .fetch_optional(db)
            .await)?;
        Ok(row.map(|(seen_at, held_until)| ClockNote { seen_at, held_until }))
    }
}

/// Writes down the time, if the note is still the one that was read.
pub(crate) struct PutClockNote {
    pub(crate) last: Option<ClockNote>,
    pub(crate) note: ClockNote,
}

impl Operation for PutClockNote {
    /// Whether it was.
    type Output = bool;

    fn touched(&self) -> Touched<'_> {
        Touched::Nothing
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool> {
        let ClockNote { seen_at, held_until } = self.note;
        let Some(last) = self.last else {
            return Ok(on_db!(tx, db => sqlx::query(
                "INSERT INTO collection_clock (name, seen_at, held_until) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING",
            )
            .bind(CLOCK)
            .bind(seen_at)
            .bind(held_until)
            .execute(db)
            .await
            .map(|done| done.rows_affected() == 1))?);
        };
        Ok(on_db!(tx, db => sqlx::query(
            "UPDATE collection_clock SET seen_at = $2, held_until = $3 WHERE name = $1 AND seen_at = $4 AND held_until = $5",
        )
        .bind(CLOCK)
        .bind(seen_at)
        .bind(held_until)
        .bind(last.seen_at)
        .bind(last.held_until)
        .execute(db)
        .await
        .map(|done| done.rows_affected() == 1))?)
    }
}
