//! Bringing a database up to date, or refusing it.

use sqlx::{
    ConnectOptions as _, PgPool, SqliteConnection,
    migrate::{MigrateError as SqlxError, Migrator},
    sqlite::SqliteConnectOptions,
};
use tokio_util::sync::CancellationToken;

use super::Error;

static SQLITE: Migrator = sqlx::migrate!("../migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("../migrations/postgres");

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// It cannot be opened or read.
    #[error(transparent)]
    Database(#[from] Error),
    /// It fails SQLite's own check.
    #[error("the database is damaged: {0}. Restore it from a backup")]
    Damaged(String),
    /// A later version of this program has been here.
    #[error(
        "the database was written by a newer version of wreg-registry (migration {0}); start that version or a later one"
    )]
    Newer(i64),
    /// A migration has failed, or the applied ones are not those of this program.
    #[error("the database cannot be brought up to date")]
    Migration(#[source] SqlxError),
}

impl From<SqlxError> for MigrateError {
    fn from(error: SqlxError) -> Self {
        match error {
            SqlxError::VersionMissing(version) => Self::Newer(version),
            other => Self::Migration(other),
        }
    }
}

/// A database of so many pages, 16 MiB, is looked through before the server starts, which takes about 20 milliseconds. A larger one, which
/// could take minutes, is looked through while it serves.
const CHECKED_FIRST: i64 = 4096;

/// How many steps of SQLite there are between two looks at whether it should go on.
const STEPS: i32 = 10_000;

/// Opens the one connection that writes, checks the file unless it is large, and migrates it.
pub(super) async fn sqlite(options: &SqliteConnectOptions) -> Result<SqliteConnection, MigrateError> {
    let mut connection = options.connect().await.map_err(damaged)?;
    if pages(&mut connection).await? <= CHECKED_FIRST {
        check(&mut connection).await?;
    }
    SQLITE.run(&mut connection).await?;
    Ok(connection)
}

/// Checks a database that was not checked when it was opened. When it is dropped, the connection is of no more use than to be closed.
pub(super) async fn check_large(connection: &mut SqliteConnection) -> Result<(), MigrateError> {
    if pages(connection).await? <= CHECKED_FIRST {
        return Ok(());
    }
    let ended = CancellationToken::new();
    let _end = ended.clone().drop_guard();
    // A check is one step to SQLite, which would go on, for minutes, while the server waits to close the connection.
    let mut handle = connection.lock_handle().await.map_err(Error::from)?;
    handle.set_progress_handler(STEPS, move || !ended.is_cancelled());
    drop(handle);
    check(connection).await?;
    let mut handle = connection.lock_handle().await.map_err(Error::from)?;
    handle.remove_progress_handler();
    Ok(())
}

async fn pages(connection: &mut SqliteConnection) -> Result<i64, MigrateError> {
    let (pages,): (i64,) = sqlx::query_as("PRAGMA page_count")
        .fetch_one(connection)
        .await
        .map_err(damaged)?;
    Ok(pages)
}

async fn check(connection: &mut SqliteConnection) -> Result<(), MigrateError> {
    let (verdict,): (String,) = sqlx::query_as("PRAGMA quick_check(1)")
        .fetch_one(connection)
        .await
        .map_err(damaged)?;
    if verdict == "ok" {
        Ok(())
    } else {
        Err(MigrateError::Damaged(verdict))
    }
}

/// `SQLITE_CORRUPT` is 11, `SQLITE_NOTADB` 26: the file itself is bad, not the way to it.
fn damaged(error: sqlx::Error) -> MigrateError {
    match error.as_database_error() {
        Some(refusal) if matches!(refusal.code().as_deref(), Some("11" | "26")) => {
            MigrateError::Damaged(refusal.message().to_owned())
        }
        _ => Error::from(error).into(),
    }
}

pub(super) async fn postgres(pool: &PgPool) -> Result<(), MigrateError> {
    Ok(POSTGRES.run(pool).await?)
}
