//! Work that one server at a time does, whatever the work is: a lease with a fence, a due time and a count of attempts.
//!
//! A server that dies keeps its lease until it runs out; then another takes the job over with a higher fence, and what the
//! first one still tries under its old fence no longer counts.

use super::{Metadata, Operation, Result, Touched, Tx, on_db};
use crate::clock::Millis;

/// A job that the caller may do until the lease runs out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The job.
    pub name: &'static str,
    /// Grows with every claim. Whoever holds an older one has lost the job.
    pub fence: i64,
}

/// When a job may be claimed that nobody holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Once it is due.
    Due,
    /// Always: somebody asked for it.
    Now,
}

impl Metadata {
    /// Claims the job `name` for `owner` if nobody holds it; the lease ends at `until`.
    pub async fn claim_job(
        &self,
        name: &'static str,
        owner: &str,
        when: When,
        now: Millis,
        until: Millis,
    ) -> Result<Option<Claim>> {
        self.write(ClaimJob {
            name,
            owner: owner.to_owned(),
            when,
            now,
            until,
        })
        .await
    }

    /// Ends a claimed job and says when it is due again. Does nothing for a claim that has been lost; says whether it was held.
    pub async fn finish_job(&self, claim: Claim, run_at: Millis) -> Result<bool> {
        self.write(FinishJob { claim, run_at }).await
    }
}

/// In the transaction of a step: whether the claim still counts, and if so, the lease goes on until `until`. Until this transaction
/// ends nobody else can claim the job.
pub(super) async fn renew(tx: &mut Tx<'_>, claim: &Claim, until: Millis) -> Result<bool> {
    Ok(
        on_db!(tx, db => sqlx::query("UPDATE jobs SET leased_until = $3 WHERE name = $1 AND fence = $2 AND owner IS NOT NULL")
            .bind(claim.name)
            .bind(claim.fence)
            .bind(until)
            .execute(db)
            .await
            .map(|done| done.rows_affected() == 1))?,
    )
}

struct ClaimJob {
    name: &'static str,
    owner: String,
    when: When,
    now: Millis,
    until: Millis,
}

impl Operation for ClaimJob {
    type Output = Option<Claim>;

    fn touched(&self) -> Touched<'_> {
        Touched::Nothing
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Option<Claim>> {
        let fence: Option<(i64,)> = on_db!(tx, db => sqlx::query_as(
            "INSERT INTO jobs (name, run_at, attempts, owner, fence, leased_until) VALUES ($1, $2, 1, $3, 1, $4)
             ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, fence = jobs.fence + 1, attempts = jobs.attempts + 1, leased_until = excluded.leased_until
             WHERE (jobs.run_at <= $2 OR $5) AND jobs.leased_until <= $2
             RETURNING fence",
        )
        .bind(self.name)
        .bind(self.now)
        .bind(&self.owner)
        .bind(self.until)
        .bind(self.when == When::Now)
        .fetch_optional(db)
        .await)?;
        Ok(fence.map(|(fence,)| Claim { name: self.name, fence }))
    }
}

struct FinishJob {
    claim: Claim,
    run_at: Millis,
}

impl Operation for FinishJob {
    type Output = bool;

    fn touched(&self) -> Touched<'_> {
        Touched::Nothing
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool> {
        Ok(
            on_db!(tx, db => sqlx::query("UPDATE jobs SET run_at = $3, attempts = 0, owner = NULL, leased_until = 0 WHERE name = $1 AND fence = $2")
            .bind(self.claim.name)
            .bind(self.claim.fence)
            .bind(self.run_at)
            .execute(db)
            .await
            .map(|done| done.rows_affected() == 1))?,
        )
    }
}
