//! Work that one server at a time does, whatever the work is: a lease with a fence, a due time and a count of attempts.
//!
//! A server that dies keeps its lease until it runs out; then another takes the job over with a higher fence, and what the
//! first one still tries under its old fence no longer counts.
//!
//! Some jobs come again and again (the collection); others are done once and are gone then (the analysis of a layer). Those are asked for
//! in the transaction of what they follow from, so that no end of a server loses them.

use std::sync::LazyLock;

use sqlx::SqliteConnection;
use wreg_oci::{Digest, RepositoryName};

use super::{
    Metadata, Operation, Result, Touched, Tx,
    group::{Group, Rows},
    on_db,
};
use crate::clock::Millis;

/// A job that the caller may do until the lease runs out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The job.
    pub name: String,
    /// Grows with every claim. Whoever holds an older one has lost the job.
    pub fence: i64,
    /// How often it has been begun since it last came to an end, this time included.
    pub attempts: i64,
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

    /// At most `limit` names of jobs of one kind that are due and that nobody holds, those that have waited longest first.
    pub async fn list_due_jobs(&self, kind: Once, now: Millis, limit: i64) -> Result<Vec<String>> {
        let (from, to) = kind.bounds();
        let rows: Vec<(String,)> = on_db!(&*self.db, db => sqlx::query_as(
            "SELECT name FROM jobs WHERE name > $1 AND name < $2 AND run_at <= $3 AND leased_until <= $3 ORDER BY run_at, name LIMIT $4 + 0",
        )
        .bind(from)
        .bind(to)
        .bind(now)
        .bind(limit)
        .fetch_all(db)
        .await)?;
        Ok(rows.into_iter().map(|(name,)| name).collect())
    }

    /// Claims a job that is done once, if it is there, due, and nobody holds it.
    pub async fn take_job(&self, name: &str, owner: &str, now: Millis, until: Millis) -> Result<Option<Claim>> {
        self.write(TakeJob {
            name: name.to_owned(),
            owner: owner.to_owned(),
            now,
            until,
        })
        .await
    }

    /// Lets go of a job that is done once and was not done: it is due again at `run_at`. Does nothing for a claim that has been lost.
    pub async fn retry_job(&self, claim: Claim, run_at: Millis) -> Result<bool> {
        self.write(RetryJob { claim, run_at }).await
    }

    /// Lets go of all that `owner` holds: others need not wait for the leases of a server that ends.
    pub(crate) async fn free_jobs(&self, owner: &str) -> Result<()> {
        self.write(FreeJobs(owner.to_owned())).await
    }

    /// Ends a claimed job and says when it is due again. Does nothing for a claim that has been lost; says whether it was held.
    pub async fn finish_job(&self, claim: Claim, run_at: Millis) -> Result<bool> {
        self.write(FinishJob { claim, run_at }).await
    }
}

/// Frees the jobs of all servers that were here before: SQLite has one at a time, so that they are gone.
pub(super) async fn free_all(connection: &mut SqliteConnection) -> Result<()> {
    sqlx::query("UPDATE jobs SET owner = NULL, leased_until = 0 WHERE leased_until > 0")
        .execute(connection)
        .await?;
    Ok(())
}

/// In the transaction of a step: whether the claim still counts, and if so, the lease goes on until `until`. Until this transaction
/// ends nobody else can claim the job.
pub(super) async fn renew(tx: &mut Tx<'_>, claim: &Claim, until: Millis) -> Result<bool> {
    Ok(
        on_db!(tx, db => sqlx::query("UPDATE jobs SET leased_until = $3 WHERE name = $1 AND fence = $2 AND owner IS NOT NULL")
            .bind(&claim.name)
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
        claim(tx, self.name, &self.owner, self.when, self.now, self.until).await
    }
}

/// The same in the transaction of what the job begins with.
pub(super) async fn claim(
    tx: &mut Tx<'_>,
    name: &str,
    owner: &str,
    when: When,
    now: Millis,
    until: Millis,
) -> Result<Option<Claim>> {
    let row: Option<(i64, i64)> = on_db!(tx, db => sqlx::query_as(
        "INSERT INTO jobs (name, run_at, attempts, owner, fence, leased_until) VALUES ($1, $2, 1, $3, 1, $4)
         ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, fence = jobs.fence + 1, attempts = jobs.attempts + 1, leased_until = excluded.leased_until
         WHERE (jobs.run_at <= $2 OR $5) AND jobs.leased_until <= $2
         RETURNING fence, attempts",
    )
    .bind(name)
    .bind(now)
    .bind(owner)
    .bind(until)
    .bind(when == When::Now)
    .fetch_optional(db)
    .await)?;
    Ok(row.map(|(fence, attempts)| Claim {
        name: name.to_owned(),
        fence,
        attempts,
    }))
}

/// Waits in this transaction for others that are at a job's row, which is made if it is not there.
pub(super) async fn wait_for(tx: &mut Tx<'_>, name: &str, now: Millis) -> Result<()> {
    on_db!(tx, db => sqlx::query(
        "INSERT INTO jobs (name, run_at, attempts, fence, leased_until) VALUES ($1, $2, 0, 0, 0) ON CONFLICT (name) DO UPDATE SET run_at = jobs.run_at",
    )
    .bind(name)
    .bind(now)
    .execute(db)
    .await
    .map(drop))?;
    Ok(())
}

struct FreeJobs(String);

impl Operation for FreeJobs {
    type Output = ();

    fn touched(&self) -> Touched<'_> {
        Touched::Nothing
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<()> {
        on_db!(tx, db => sqlx::query("UPDATE jobs SET owner = NULL, leased_until = 0 WHERE owner = $1")
            .bind(&self.0)
            .execute(db)
            .await
            .map(drop))?;
        Ok(())
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
        finish(tx, &self.claim, self.run_at).await
    }
}

/// The same in the transaction of what the job ends with.
pub(super) async fn finish(tx: &mut Tx<'_>, claim: &Claim, run_at: Millis) -> Result<bool> {
    Ok(
        on_db!(tx, db => sqlx::query("UPDATE jobs SET run_at = $3, attempts = 0, owner = NULL, leased_until = 0 WHERE name = $1 AND fence = $2")
        .bind(&claim.name)
        .bind(claim.fence)
        .bind(run_at)
        .execute(db)
        .await
        .map(|done| done.rows_affected() == 1))?,
    )
}

/// Jobs that are done once, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Once {
    /// Analyses of layers.
    Analyse,
    /// Looking which version of a repository search shows.
    Index,
    /// Signing what was published, by its place in the log.
    Sign,
}

impl Once {
    fn prefix(self) -> &'static str {
        match self {
            Self::Analyse => "analyse:",
            Self::Index => "index:",
            Self::Sign => "sign:",
        }
    }

    /// Between which names theirs are: ';' is what follows ':'.
    fn bounds(self) -> (&'static str, &'static str) {
        match self {
            Self::Analyse => (self.prefix(), "analyse;"),
            Self::Index => (self.prefix(), "index;"),
            Self::Sign => (self.prefix(), "sign;"),
        }
    }

    /// What a job of this kind is about.
    pub fn subject(self, name: &str) -> Option<&str> {
        name.strip_prefix(self.prefix())
    }
}

/// The name of the job that analyses a layer.
pub(crate) fn analysis(layer: &Digest) -> String {
    format!("{}{layer}", Once::Analyse.prefix())
}

/// The name of the job that signs what was published.
pub(super) fn signing(place: u64) -> String {
    format!("{}{place}", Once::Sign.prefix())
}

/// The first claim of a job that signs.
pub(super) fn signing_claim(place: u64) -> Claim {
    Claim {
        name: signing(place),
        fence: 1,
        attempts: 1,
    }
}

static SIGNING: LazyLock<Rows> = LazyLock::new(|| {
    Rows::new(
        "INSERT INTO jobs (name, run_at, attempts, owner, fence, leased_until) VALUES {rows}",
        "(?, $1, 1, $2, 1, $3)",
        3,
    )
});

/// Asks for signatures, and takes those jobs at once.
pub(super) fn ask_signing<'a>(
    group: &mut Group,
    claims: impl Iterator<Item = &'a Claim>,
    owner: &str,
    now: Millis,
    until: Millis,
) {
    let rows: Vec<_> = claims.map(|claim| vec![claim.name.as_str().into()]).collect();
    SIGNING.add(group, &[now.into(), owner.into(), until.into()], &rows);
}

/// Asks for a look at which version of a repository search shows. Whoever does it already does it again.
pub(super) fn ask_index(group: &mut Group, repository: &RepositoryName, now: Millis) {
    group.add(
        "INSERT INTO jobs (name, run_at, attempts, fence, leased_until) VALUES ($1, $2, 0, 0, 0)
         ON CONFLICT (name) DO UPDATE SET run_at = excluded.run_at, fence = jobs.fence + 1, attempts = 0, owner = NULL, leased_until = 0",
        [
            format!("{}{repository}", Once::Index.prefix()).as_str().into(),
            now.into(),
        ],
    );
}

/// The same where the repository holds a Wasm artifact.
pub(super) fn ask_index_of_components(group: &mut Group, repository: &RepositoryName, now: Millis) {
    group.add(
        "INSERT INTO jobs (name, run_at, attempts, fence, leased_until)
         SELECT $1, $2, 0, 0, 0 FROM (SELECT repository FROM components WHERE repository = $3 LIMIT 1) AS held WHERE TRUE
         ON CONFLICT (name) DO UPDATE SET run_at = excluded.run_at, fence = jobs.fence + 1, attempts = 0, owner = NULL, leased_until = 0",
        [
            format!("{}{repository}", Once::Index.prefix()).as_str().into(),
            now.into(),
            repository.as_str().into(),
        ],
    );
}

/// The same by itself.
pub(super) async fn index_of_components(tx: &mut Tx<'_>, repository: &RepositoryName, now: Millis) -> Result<()> {
    let mut group = Group::default();
    ask_index_of_components(&mut group, repository, now);
    group.send(tx).await?;
    Ok(())
}

/// Ends a job that is done once, in the transaction of what it does. Says whether the claim still counted; whoever lost it changes nothing.
pub(super) async fn done(tx: &mut Tx<'_>, claim: &Claim) -> Result<bool> {
    Ok(
        on_db!(tx, db => sqlx::query("DELETE FROM jobs WHERE name = $1 AND fence = $2")
            .bind(&claim.name)
            .bind(claim.fence)
            .execute(db)
            .await
            .map(|done| done.rows_affected() == 1))?,
    )
}

struct TakeJob {
    name: String,
    owner: String,
    now: Millis,
    until: Millis,
}

impl Operation for TakeJob {
    type Output = Option<Claim>;

    fn touched(&self) -> Touched<'_> {
        Touched::Nothing
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Option<Claim>> {
        let row: Option<(i64, i64)> = on_db!(tx, db => sqlx::query_as(
            "UPDATE jobs SET owner = $2, fence = fence + 1, attempts = attempts + 1, leased_until = $4
             WHERE name = $1 AND run_at <= $3 AND leased_until <= $3 RETURNING fence, attempts",
        )
        .bind(&self.name)
        .bind(&self.owner)
        .bind(self.now)
        .bind(self.until)
        .fetch_optional(db)
        .await)?;
        Ok(row.map(|(fence, attempts)| Claim {
            name: self.name.clone(),
            fence,
            attempts,
        }))
    }
}

struct RetryJob {
    claim: Claim,
    run_at: Millis,
}

impl Operation for RetryJob {
    type Output = bool;

    fn touched(&self) -> Touched<'_> {
        Touched::Nothing
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool> {
        Ok(
            on_db!(tx, db => sqlx::query("UPDATE jobs SET run_at = $3, owner = NULL, leased_until = 0 WHERE name = $1 AND fence = $2")
            .bind(&self.claim.name)
            .bind(self.claim.fence)
            .bind(self.run_at)
            .execute(db)
            .await
            .map(|done| done.rows_affected() == 1))?,
        )
    }
}
