//! The log of changes, as far as the database has it: which entry has which place, and how far the log is published.
//!
//! A change is a row of `events`, in its own transaction. Giving it a place ([`AssignPlaces`]) and publishing what has places
//! ([`PublishLog`]) are two transactions: what an entry is and where it stands is durable before anything is made of it, so that whoever
//! makes it again after a death makes the same.

mod assign;
pub(crate) mod cosign;
mod event;
mod gaps;

use sqlx::FromRow;
use wreg_oci::{Digest, RepositoryName, Tag};
use wreg_trust::log::{Frontier, Hash};

pub(crate) use self::{
    assign::{AssignPlaces, Batch, ToSign},
    cosign::CosignLog,
};
use super::{
    Error, Metadata, Operation, Result, Touched, Tx,
    jobs::{self, Claim},
    on_db, parse, unsigned,
};
use crate::clock::Millis;

/// The job of bringing the log up to date.
pub(crate) const JOB: &str = "log";

/// The log, as far as it is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRecord {
    /// Who checks its checkpoints, as text.
    pub key: String,
    /// How many entries the checkpoint covers.
    pub size: u64,
    /// The right edge of the tree of those.
    pub frontier: Frontier,
    /// The signed checkpoint.
    pub checkpoint: String,
    /// When it was last signed by the log, or by a witness.
    pub published_at: Millis,
}

#[derive(FromRow)]
struct LogRow {
    log_key: String,
    size: i64,
    frontier: String,
    checkpoint: String,
    published_at: Millis,
}

impl TryFrom<LogRow> for LogRecord {
    type Error = Error;

    fn try_from(row: LogRow) -> Result<Self> {
        let size = unsigned(row.size, "log", "size")?;
        Ok(Self {
            key: row.log_key,
            size,
            frontier: read_frontier(size, &row.frontier)?,
            checkpoint: row.checkpoint,
            published_at: row.published_at,
        })
    }
}

fn read_frontier(size: u64, text: &str) -> Result<Frontier> {
    let corrupt = || Error::Corrupt {
        table: "log",
        column: "frontier",
    };
    let hashes: Vec<String> = serde_json::from_str(text).map_err(|_| corrupt())?;
    let hashes: Vec<Hash> = hashes
        .iter()
        .map(|hash| hash.parse())
        .collect::<Result<_, _>>()
        .map_err(|_| corrupt())?;
    Frontier::new(size, hashes).ok_or_else(corrupt)
}

fn write_frontier(frontier: &Frontier) -> String {
    let hashes: Vec<String> = frontier.hashes().iter().map(ToString::to_string).collect();
    serde_json::to_string(&hashes).unwrap_or_default()
}

/// An entry by its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Where it stands, from 0.
    pub place: u64,
    /// Its bytes.
    pub entry: String,
}

/// An entry about a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TagEntry {
    pub(crate) place: u64,
    pub(crate) repository: RepositoryName,
    pub(crate) tag: Tag,
    pub(crate) entry: String,
    /// What the name of the repository is hashed with, if it is.
    pub(crate) salt: Option<String>,
}

#[derive(FromRow)]
struct TagEntryRow {
    place: i64,
    repository: String,
    tag: String,
    entry: String,
    salt: Option<String>,
}

impl TryFrom<TagEntryRow> for TagEntry {
    type Error = Error;

    fn try_from(row: TagEntryRow) -> Result<Self> {
        Ok(Self {
            place: unsigned(row.place, "log_entries", "place")?,
            repository: parse(&row.repository, "log_entries", "repository")?,
            tag: parse(&row.tag, "log_entries", "tag")?,
            entry: row.entry,
            salt: row.salt,
        })
    }
}

impl Metadata {
    /// The log, once it has been founded.
    pub async fn find_log(&self) -> Result<Option<LogRecord>> {
        let row: Option<LogRow> = on_db!(&*self.db, db => sqlx::query_as(FIND).fetch_optional(db).await)?;
        row.map(LogRecord::try_from).transpose()
    }

    /// Whether there are changes that the log has not taken up, or entries that it has not published.
    pub(crate) async fn is_log_behind(&self) -> Result<bool> {
        const STATEMENT: &str = "SELECT 1 FROM log WHERE EXISTS (SELECT 1 FROM events WHERE sequence >= next_event)
            OR EXISTS (SELECT 1 FROM log_entries WHERE place >= size)";
        Ok(on_db!(&*self.db, db => sqlx::query(STATEMENT).fetch_optional(db).await.map(|row| row.is_some()))?)
    }

    /// The entries from place `from` up to, not including, `to`; a few hundred at most.
    pub async fn list_log_entries(&self, from: u64, to: u64) -> Result<Vec<LogEntry>> {
        const STATEMENT: &str = "SELECT place, entry FROM log_entries WHERE place >= $1 AND place < $2 ORDER BY place";
        let rows: Vec<(i64, String)> = on_db!(&*self.db, db => sqlx::query_as(STATEMENT)
            .bind(super::signed(from))
            .bind(super::signed(to))
            .fetch_all(db)
            .await)?;
        let read = |(place, entry)| {
            Ok(LogEntry {
                place: unsigned(place, "log_entries", "place")?,
                entry,
            })
        };
        rows.into_iter().map(read).collect()
    }

    /// The entry at a place, if it is about a tag.
    pub(crate) async fn find_tag_entry(&self, place: u64) -> Result<Option<TagEntry>> {
        const STATEMENT: &str = "SELECT l.place, l.repository, l.tag, l.entry, s.salt FROM log_entries l
            LEFT JOIN log_salts s ON s.repository = l.repository WHERE l.place = $1 AND l.repository IS NOT NULL AND l.tag IS NOT NULL";
        let row: Option<TagEntryRow> =
            on_db!(&*self.db, db => sqlx::query_as(STATEMENT).bind(super::signed(place)).fetch_optional(db).await)?;
        row.map(TagEntry::try_from).transpose()
    }

    /// The last entry about a tag, published or not.
    pub(crate) async fn find_last_entry(&self, repository: &RepositoryName, tag: &Tag) -> Result<Option<TagEntry>> {
        const STATEMENT: &str = "SELECT l.place, l.repository, l.tag, l.entry, s.salt FROM log_entries l
            LEFT JOIN log_salts s ON s.repository = l.repository WHERE l.repository = $1 AND l.tag = $2 ORDER BY l.place DESC LIMIT 1";
        let row: Option<TagEntryRow> = on_db!(&*self.db, db => sqlx::query_as(STATEMENT)
            .bind(repository.as_str())
            .bind(tag.as_str())
            .fetch_optional(db)
            .await)?;
        row.map(TagEntry::try_from).transpose()
    }

    /// What the names of these repositories, or namespaces, are hashed with in the log, as far as they are.
    pub(crate) async fn find_salt(&self, repository: &str) -> Result<Option<String>> {
        let row: Option<(String,)> = on_db!(&*self.db, db => sqlx::query_as("SELECT salt FROM log_salts WHERE repository = $1")
            .bind(repository)
            .fetch_optional(db)
            .await)?;
        Ok(row.map(|(salt,)| salt))
    }

    /// Whether a publication is still to be signed: its job is there.
    pub(crate) async fn is_to_be_signed(&self, place: u64) -> Result<bool> {
        Ok(
            on_db!(&*self.db, db => sqlx::query("SELECT 1 FROM jobs WHERE name = $1")
            .bind(jobs::signing(place))
            .fetch_optional(db)
            .await
            .map(|row| row.is_some()))?,
        )
    }
}

const FIND: &str = "SELECT log_key, size, frontier, checkpoint, published_at FROM log";

/// Begins the log, with an empty checkpoint, unless there is one. Gives the one that there is.
pub(crate) struct FoundLog {
    pub(crate) origin: String,
    pub(crate) key: String,
    pub(crate) checkpoint: String,
    pub(crate) now: Millis,
}

impl Operation for FoundLog {
    type Output = LogRecord;

    fn touched(&self) -> Touched<'_> {
        Touched::Nothing
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<LogRecord> {
        // The row of the job is what several servers that start together wait for.
        jobs::wait_for(tx, JOB, self.now).await?;
        on_db!(tx, db => sqlx::query(
            "INSERT INTO log (origin, log_key, size, frontier, checkpoint, published_at, next_event)
             SELECT $1, $2, 0, '[]', $3, $4, 0 FROM (SELECT COUNT(*) AS rows FROM log) AS there WHERE there.rows = 0",
        )
        .bind(&self.origin)
        .bind(&self.key)
        .bind(&self.checkpoint)
        .bind(self.now)
        .execute(db)
        .await
        .map(drop))?;
        let row: LogRow = on_db!(tx, db => sqlx::query_as(FIND).fetch_one(db).await)?;
        row.try_into()
    }
}

/// Publishes a checkpoint over entries that have their places, and ends the job. Says whether it was still to be published. One of the same
/// size stays, with the signatures that it has got.
pub(crate) struct PublishLog {
    pub(crate) claim: Claim,
    /// What the checkpoint before it covers.
    pub(crate) old_size: u64,
    pub(crate) frontier: Frontier,
    pub(crate) checkpoint: String,
    pub(crate) now: Millis,
}

impl Operation for PublishLog {
    type Output = bool;

    fn touched(&self) -> Touched<'_> {
        Touched::Nothing
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool> {
        if !jobs::finish(tx, &self.claim, self.now).await? {
            return Ok(false);
        }
        Ok(on_db!(tx, db => sqlx::query(
            "UPDATE log SET size = $2, frontier = $3, published_at = $5,
             checkpoint = CASE WHEN size = $2 THEN checkpoint ELSE $4 END WHERE size = $1",
        )
        .bind(super::signed(self.old_size))
        .bind(super::signed(self.frontier.size()))
        .bind(write_frontier(&self.frontier))
        .bind(&self.checkpoint)
        .bind(self.now)
        .execute(db)
        .await
        .map(|done| done.rows_affected() == 1))?)
    }
}

/// The digest that a tag was given by an entry.
pub(crate) fn digest_of(entry: &TagEntry) -> Option<Digest> {
    wreg_trust::log::Entry::parse(entry.entry.as_bytes()).ok()?.digest
}
