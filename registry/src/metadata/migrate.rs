//! Bringing a database up to date, or refusing it.

use sqlx::{
    ConnectOptions as _, PgPool, SqliteConnection,
    migrate::{MigrateError as SqlxError, Migrator},
    sqlite::SqliteConnectOptions,
};

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
    #[error("the database is damaged: {0}. Restore it from a backup; nothing has been changed")]
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

/// Opens the one connection that writes, checks the file and migrates it.
pub(super) async fn sqlite(options: &SqliteConnectOptions) -> Result<SqliteConnection, MigrateError> {
    let mut connection = options.connect().await.map_err(damaged)?;
    let (verdict,): (String,) = sqlx::query_as("PRAGMA quick_check(1)")
        .fetch_one(&mut connection)
        .await
        .map_err(damaged)?;
    if verdict != "ok" {
        return Err(MigrateError::Damaged(verdict));
    }
    SQLITE.run(&mut connection).await?;
    Ok(connection)
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
