//! Whether the clock is to be believed. A clock that jumped would make every lease look as if it had ended.
//!
//! The database keeps when a server last looked at its clock, which each does every minute. Time that went backwards, or more than
//! half a lease at once, is no time that a lease has lived through: then nothing is taken until a whole lease has passed by the new
//! time. What happens less than half a lease after somebody was told that a blob is there cannot end its lease. The note is shared,
//! so a server whose clock differs from the others' keeps all of them from collecting, and each says so.

use std::time::Duration;

use super::super::{Registry, Result};
use crate::{
    clock::{Millis, millis},
    metadata::collection::{ClockNote, PutClockNote},
};

/// How far clocks of servers may be apart.
const SLACK: Duration = Duration::from_secs(30);
/// How often the time is written down.
const NOTED_EVERY: Duration = Duration::from_secs(30);
/// A gap below this is never a jump, however short the lease: a busy machine may look at its clock late.
const MIN_GAP: Duration = Duration::from_mins(5);

impl Registry {
    /// Notes the time. Gives until when nothing is to be taken, if the clock is not to be believed.
    pub async fn note_time(&self) -> Result<Option<Millis>> {
        loop {
            let last = self.metadata.find_clock_note().await?;
            // Read after the note, which another server may just have written: so it is no earlier.
            let now = self.clock.now();
            let Some(note) = self.next_note(last, now) else {
                return Ok(held(last, now));
            };
            if self.metadata.write(PutClockNote { last, note }).await? {
                return Ok(held(Some(note), now));
            }
            // Somebody else has noted a time since, and this one may be older.
        }
    }

    /// What is to be noted, if it is time to.
    fn next_note(&self, last: Option<ClockNote>, now: Millis) -> Option<ClockNote> {
        let lease = millis(self.terms.blob_lease);
        let gap = (lease / 2).max(millis(MIN_GAP));
        let jumped =
            last.is_none_or(|last| now < last.seen_at - millis(SLACK) || now > last.seen_at.saturating_add(gap));
        if !jumped && last.is_some_and(|last| now < last.seen_at.saturating_add(millis(NOTED_EVERY))) {
            return None;
        }
        if let (true, Some(last)) = (jumped, last) {
            tracing::error!(
                now,
                last_seen = last.seen_at,
                "the clock has jumped, or no server ran for long: nothing is collected until a lease has passed"
            );
        }
        Some(ClockNote {
            seen_at: now,
            held_until: match last {
                Some(last) if !jumped => last.held_until,
                _ => now.saturating_add(lease),
            },
        })
    }
}

fn held(note: Option<ClockNote>, now: Millis) -> Option<Millis> {
    note.map(|note| note.held_until).filter(|until| now < *until)
}
