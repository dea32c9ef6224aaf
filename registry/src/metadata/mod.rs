//! The registry's facts in SQLite or PostgreSQL: the only code that knows sqlx.
//!
//! A statement is written once, in the subset that both databases share (`$1`, `ON CONFLICT`, `RETURNING`, `TEXT`, `BIGINT`,
//! `BOOLEAN`), and run on either through [`on_db!`]. Everything that differs stands in this file, in
//! `search.rs` and in `migrations/`. A limit is written `LIMIT $1 + 0`: SQLite looks for another plan, with all that it takes to prepare a
//! statement, each time that a bare value is bound there.
//!
//! Reads go to a pool, outside of any transaction. Every write is an [`Operation`] handed to one door, [`Metadata::write`], so
//! that transactions never leave this folder. On SQLite a single task owns the writing connection (`writer.rs`); on PostgreSQL
//! the door opens a transaction, and opens it again where the database asks for that.
//!
//! `find_*` answers `Option`, `list_*` a page. Lookups name the repository: what a row is worth to a caller depends on it.

pub(crate) mod attachments;
pub(crate) mod attestation_keys;
pub(crate) mod blobs;
pub(crate) mod check;
pub(crate) mod collection;
pub(crate) mod components;
pub(crate) mod deletions;
mod edges;
mod error;
pub(crate) mod events;
mod facts;
pub(crate) mod feed;
mod group;
pub(crate) mod heads;
pub(crate) mod jobs;
pub(crate) mod keys;
pub(crate) mod log;
pub(crate) mod manifests;
mod migrate;
pub(crate) mod namespaces;
pub(crate) mod publications;
pub(crate) mod referrers;
pub(crate) mod repositories;
pub(crate) mod search;
pub(crate) mod signers;
pub(crate) mod tags;
pub(crate) mod tokens;
mod unwritten;
pub(crate) mod uploads;
pub(crate) mod versions;
mod wal;
mod writer;

use std::{path::Path, sync::Arc, time::Duration};

use sqlx::{
    PgConnection, PgPool, SqliteConnection, SqlitePool,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

pub use self::error::Error;
pub(crate) use self::migrate::MigrateError;
use self::{
    facts::{Facts, Touched},
    group::{Answers, Group},
    unwritten::Unwritten,
    writer::Writer,
};

/// The result of everything here.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// Connections that read while one writes. SQLite's readers do not block each other or the writer.
const SQLITE_READERS: u32 = 4;
/// Pages that SQLite's writer keeps in memory, in KiB: digests fall anywhere, so that hardly a page of a small cache is met twice.
const WRITER_CACHE_KIB: u32 = 8 * 1024;
/// Connections to PostgreSQL, for reading and writing together.
const POSTGRES_CONNECTIONS: u32 = 20;
/// How long a request waits for a connection before it is told to come back.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a transaction is tried that PostgreSQL wants again.
const ATTEMPTS: usize = 5;

/// One of the two databases, with what each is reached by.
enum Dialect<S, P> {
    Sqlite(S),
    Postgres(P),
}

/// Where to read.
type Db = Dialect<SqlitePool, PgPool>;

/// A transaction under way.
pub(crate) struct Tx<'c>(Dialect<&'c mut SqliteConnection, &'c mut PgConnection>);

/// Runs one expression on whichever database it is: the expression is compiled for both.
macro_rules! on_db {
    (&$db:expr, $pool:ident => $body:expr) => {
        match &$db {
            $crate::metadata::Dialect::Sqlite($pool) => $body,
            $crate::metadata::Dialect::Postgres($pool) => $body,
        }
    };
    ($tx:expr, $connection:ident => $body:expr) => {
        match &mut $tx.0 {
            $crate::metadata::Dialect::Sqlite(connection) => {
                let $connection = &mut **connection;
                $body
            }
            $crate::metadata::Dialect::Postgres(connection) => {
                let $connection = &mut **connection;
                $body
            }
        }
    };
}
use on_db;

/// Something to be done in one transaction: it is committed when `run` gives `Ok`, and undone when it gives `Err`.
/// It may be run more than once, so it changes nothing outside the transaction.
pub(crate) trait Operation: Send + Sync + 'static {
    /// What it tells.
    type Output: Send + 'static;

    /// What of the facts in memory it changes.
    fn touched(&self) -> Touched<'_>;

    /// Does it.
    fn run(&self, tx: &mut Tx<'_>) -> impl Future<Output = Result<Self::Output>> + Send;

    /// Whether it can be done by [`Self::ask`] and [`Self::answered`] too, whose statements travel together with those of others.
    fn trips(&self) -> Trips {
        Trips::OfItsOwn
    }

    /// Adds the statements that it begins with: all of them, if it is one trip; those that only look, if it is two.
    fn ask(&self, _: &mut Group) {}

    /// Takes their answers, all of them. Adds the statements to `then` that end it, and says what it tells; or `None`, if it has changed
    /// nothing and must be [run](Self::run) by itself.
    fn answered(&self, _: &mut Answers, _then: &mut Group) -> Result<Option<Self::Output>> {
        Ok(None)
    }
}

/// How an operation's statements go to the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trips {
    /// By themselves, however many.
    OfItsOwn,
    /// In one trip.
    One,
    /// In two: it looks before it writes.
    Two,
}

/// Does an operation by its two steps, in the transaction that is open. `None` where that is not enough.
async fn go_through<O: Operation>(operation: &O, tx: &mut Tx<'_>) -> Result<Option<O::Output>> {
    let (mut group, mut then) = (Group::default(), Group::default());
    operation.ask(&mut group);
    let mut answers = group.send(tx).await?;
    let output = operation.answered(&mut answers, &mut then)?;
    then.send(tx).await?;
    Ok(output)
}

/// The registry's facts. Cheap to clone.
#[derive(Clone)]
pub struct Metadata {
    db: Arc<Db>,
    writer: Option<Writer>,
    /// Where this process alone owns the database.
    facts: Option<Arc<Facts>>,
    unwritten: Option<Arc<Unwritten>>,
}

impl Metadata {
    /// Opens the SQLite database in `file`, which is made if it is not there, and brings it up to date.
    pub async fn open_sqlite(file: &Path) -> Result<Self, MigrateError> {
        // Every commit is synced before it is acknowledged; the write-ahead log lets readers go on meanwhile.
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("journal_size_limit", wal::KEPT.to_string())
            .foreign_keys(true)
            .busy_timeout(ACQUIRE_TIMEOUT);
        let writing = options
            .clone()
            .pragma("cache_size", format!("-{WRITER_CACHE_KIB}"))
            .pragma("wal_autocheckpoint", wal::PAGES.to_string());
        let mut writer = migrate::sqlite(&writing).await?;
        jobs::free_all(&mut writer).await?;
        // All of them now, and for good: whoever went away while one was being opened would leave it open for a moment behind
        // everybody's back, and if that is the moment in which the writer closes, the write-ahead log stays.
        let readers = SqlitePoolOptions::new()
            .min_connections(SQLITE_READERS)
            .max_connections(SQLITE_READERS)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options.read_only(true))
            .await
            .map_err(Error::from)?;
        let facts = Arc::new(Facts::new());
        Ok(Self {
            db: Arc::new(Dialect::Sqlite(readers)),
            writer: Some(Writer::start(writer, Arc::clone(&facts))),
            facts: Some(facts),
            unwritten: Some(Arc::default()),
        })
    }

    /// Connects to the PostgreSQL database at `url` and brings it up to date.
    pub async fn connect_postgres(url: &str) -> Result<Self, MigrateError> {
        let options: PgConnectOptions = url.parse().map_err(Error::from)?;
        let pool = PgPoolOptions::new()
            .max_connections(POSTGRES_CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options)
            .await
            .map_err(Error::from)?;
        migrate::postgres(&pool).await?;
        Ok(Self {
            db: Arc::new(Dialect::Postgres(pool)),
            writer: None,
            facts: None,
            unwritten: None,
        })
    }

    /// Whether no server has used it yet: each makes the administrator's token known before it takes a request.
    pub async fn is_unused(&self) -> Result<bool> {
        let (tokens,): (i64,) =
            on_db!(&*self.db, pool => sqlx::query_as("SELECT COUNT(*) FROM tokens").fetch_one(pool).await)?;
        Ok(tokens == 0)
    }

    /// Looks through a SQLite database that was too large for that to be done at the start. An error if it is damaged. Dropping it ends
    /// the look.
    pub async fn check_rest(&self) -> Result<(), MigrateError> {
        match &*self.db {
            Dialect::Sqlite(pool) => {
                let mut connection = pool.acquire().await.map_err(Error::from)?;
                migrate::check_large(&mut connection).await
            }
            Dialect::Postgres(_) => Ok(()),
        }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        on_db!(&*self.db, pool => sqlx::query("SELECT 1").execute(pool).await.map(drop))?;
        Ok(())
    }

    /// Connections that are open, how many of them nobody uses, and the writes that wait for SQLite's writer.
    pub fn load(&self) -> (u32, usize, usize) {
        let (connections, idle) = on_db!(&*self.db, pool => (pool.size(), pool.num_idle()));
        (connections, idle, self.writer.as_ref().map_or(0, Writer::waiting))
    }

    /// Waits for the writes under way and closes every connection. Later calls fail.
    pub async fn close(&self) {
        on_db!(&*self.db, pool => pool.close().await);
        // SQLite's last connection moves the log into the database, and those that only read cannot: whoever copies the one file of a
        // server that has ended shall have everything.
        if let Some(writer) = &self.writer {
            writer.stop().await;
        }
    }

    /// Does `operation` in a transaction of its own. Once this returns `Ok`, its changes are on disk. A caller that goes away
    /// before does not undo it: it may still be done.
    pub(crate) async fn write<O: Operation>(&self, operation: O) -> Result<O::Output> {
        match (&*self.db, &self.writer) {
            // Boxed, or it would make the future of every request large.
            (Dialect::Postgres(pool), _) => Box::pin(write_postgres(pool, &operation)).await,
            (Dialect::Sqlite(_), Some(writer)) => writer.write(operation).await,
            (Dialect::Sqlite(_), None) => Err(Error::Lost),
        }
    }
}

async fn write_postgres<O: Operation>(pool: &PgPool, operation: &O) -> Result<O::Output> {
    let mut attempt = 1;
    loop {
        match try_postgres(pool, operation).await {
            Err(error) if error.wants_retry() && attempt < ATTEMPTS => attempt += 1,
            result => return result,
        }
    }
}

async fn try_postgres<O: Operation>(pool: &PgPool, operation: &O) -> Result<O::Output> {
    let mut transaction = pool.begin().await?;
    let output = operation.run(&mut Tx(Dialect::Postgres(&mut transaction))).await?;
    transaction.commit().await?;
    Ok(output)
}

/// Reads a text of the database as the value that it must be.
fn parse<T: std::str::FromStr>(text: &str, table: &'static str, column: &'static str) -> Result<T> {
    text.parse().map_err(|_| Error::Corrupt { table, column })
}

/// A text of a client to compare stored names with. PostgreSQL takes no NUL; no name has one, so nothing sorts between what
/// stands before it and the whole.
fn text(given: &str) -> &str {
    given.split('\0').next().unwrap_or_default()
}

/// Reads a number of the database that is never negative.
fn unsigned(number: i64, table: &'static str, column: &'static str) -> Result<u64> {
    number.try_into().map_err(|_| Error::Corrupt { table, column })
}

/// A size as the databases hold it. Sizes are limited far below 2⁶³ before they come here.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
