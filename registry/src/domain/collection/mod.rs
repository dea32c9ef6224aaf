//! Collection: taking away what nothing refers to, while everything goes on.
//!
//! A pass is a row of small steps, see `steps.rs`. It never locks anybody out: a step reads some rows, and takes what it found in
//! a short transaction that asks again. What keeps content that is about to be used is its lease: whoever was told that a blob is
//! there has until the lease ends to name it in a manifest. `docs/explanation/collection.md` says why nothing is ever lost.

mod cursor;
mod dry_run;
mod steps;
mod time;

use std::time::Duration;

use wreg_api::{Collected, Counts};

pub use self::cursor::{Cursor, InvalidCursor};
use super::{Registry, Result};
pub use crate::metadata::jobs::When;
use crate::{
    auth::permit::ServerPermit,
    clock::{Millis, millis},
    metadata::{collection::Fence, jobs::Claim},
};

/// The job's name: one server at a time does it.
const JOB: &str = "collection";
/// How long a server that died keeps the job from others.
const LEASE: Duration = Duration::from_mins(10);
/// Steps in answer to one request.
const STEPS: usize = 32;

/// How long things are kept, and how often is collected.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// How long a blob is kept that nothing refers to, from when somebody was last told that it is there.
    pub blob_lease: Duration,
    /// How long what was deleted can be brought back. It is kept for at least a lease.
    pub undelete: Duration,
    /// From the end of one collection to the next; zero for without pause.
    pub interval: Duration,
}

/// A pass under way: the claim on the job, and where it goes on.
pub struct Collection {
    registry: Registry,
    claim: Claim,
    now: Millis,
    next: Option<Cursor>,
    counts: Counts,
}

/// How far a pass has come after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// There is more.
    More,
    /// The pass is over.
    Over,
    /// Another server has taken the job over, and goes on with it.
    Lost,
}

impl Registry {
    /// Collects, if it is due and nobody else does. Gives what was taken.
    pub async fn collect_if_due(&self, owner: &str) -> Result<Option<Counts>> {
        let Some(mut collection) = self.begin_collection(owner, When::Due, None).await? else {
            return Ok(None);
        };
        loop {
            match collection.step().await {
                Ok(Progress::More) => {}
                Ok(Progress::Over) => return collection.finish().await.map(Some),
                Ok(Progress::Lost) => return Ok(None),
                Err(error) => {
                    // Others need not wait until the lease ends; the failure counts more than another one in letting go.
                    let _ = collection.finish().await;
                    return Err(error);
                }
            }
        }
    }

    /// Collects from `cursor` on, or from the beginning, for a bounded number of steps.
    pub async fn collect(&self, permit: &ServerPermit, cursor: Option<Cursor>) -> Result<Collected> {
        let owner = permit.actor().to_string();
        if let Some(held_until) = self.note_time().await? {
            return Ok(Collected {
                held_until: Some(held_until),
                ..Collected::default()
            });
        }
        let Some(mut collection) = self.begin_collection(&owner, When::Now, cursor.clone()).await? else {
            return Ok(Collected {
                busy: true,
                next: cursor.map(|cursor| cursor.to_string()),
                ..Collected::default()
            });
        };
        let mut outcome = Ok(Progress::More);
        for _ in 0..STEPS {
            outcome = collection.step().await;
            if !matches!(outcome, Ok(Progress::More)) {
                break;
            }
        }
        let next = collection.next.clone();
        let counts = collection.finish().await?;
        outcome?;
        Ok(Collected {
            counts,
            next: next.map(|cursor| cursor.to_string()),
            ..Collected::default()
        })
    }

    /// Claims the job for a pass that begins at `cursor`. `None` if it is not due, somebody else has it, or the clock is not to be
    /// believed.
    pub async fn begin_collection(
        &self,
        owner: &str,
        when: When,
        cursor: Option<Cursor>,
    ) -> Result<Option<Collection>> {
        if self.note_time().await?.is_some() {
            return Ok(None);
        }
        let now = self.clock.now();
        let claim = self
            .metadata
            .claim_job(JOB, owner, when, now, now.saturating_add(millis(LEASE)))
            .await?;
        Ok(claim.map(|claim| Collection {
            registry: self.clone(),
            claim,
            now,
            next: Some(cursor.unwrap_or_default()),
            counts: Counts::default(),
        }))
    }

    /// Until when a blob's lease is renewed now, and which leases it is time to renew.
    pub(super) fn lease(&self) -> crate::metadata::blobs::Lease {
        let (now, length) = (self.clock.now(), millis(self.terms.blob_lease));
        crate::metadata::blobs::Lease {
            renew_before: now.saturating_add(length / 2),
            until: now.saturating_add(length),
        }
    }

    /// What was deleted until then cannot be brought back any more at `now`.
    pub(super) fn deleted_since(&self, now: Millis) -> Millis {
        now.saturating_sub(millis(self.terms.undelete.max(self.terms.blob_lease)))
    }
}

impl Collection {
    /// Ends the pass, or this part of it. Gives what it has taken.
    pub async fn finish(self) -> Result<Counts> {
        let due = self
            .registry
            .clock
            .now()
            .saturating_add(millis(self.registry.terms.interval));
        self.registry.metadata.finish_job(self.claim, due).await?;
        if self.counts != Counts::default() {
            let Counts {
                followers,
                purged,
                links,
                blobs,
                removed,
                freed,
                quarantined,
                failed,
                ..
            } = self.counts;
            tracing::info!(
                followers,
                purged,
                links,
                blobs,
                removed,
                freed,
                quarantined,
                failed,
                "collected"
            );
        }
        Ok(self.counts)
    }

    /// The proof that a transaction asks for.
    fn fence(&self) -> Fence {
        Fence {
            claim: self.claim.clone(),
            until: self.registry.clock.now().saturating_add(millis(LEASE)),
        }
    }
}
