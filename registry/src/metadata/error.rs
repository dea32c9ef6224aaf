//! What can go wrong with the database. That a row is absent is not among it: that is `Ok(None)`.

/// A broken or unreachable database, or a row in it that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database refused, failed or could not be reached.
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
    /// There is no room to write: SQLite's file or PostgreSQL's disk is full.
    #[error("the database has no room")]
    Full(#[source] sqlx::Error),
    /// A value is there that this program never writes.
    #[error("the database holds an impossible value in {table}.{column}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// The operation died before it told its result; it may or may not have been committed.
    #[error("the operation on the database was lost")]
    Lost,
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        // SQLITE_FULL is 13, SQLITE_IOERR_WRITE 778 (what a full disk gives in the WAL); 53100 is PostgreSQL's disk_full.
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        if matches!(code.as_deref(), Some("13" | "778" | "53100")) {
            Self::Full(error)
        } else {
            Self::Database(error)
        }
    }
}

impl Error {
    /// Whether PostgreSQL asks for the transaction to be tried again: serialization failure or deadlock.
    pub(super) fn wants_retry(&self) -> bool {
        let Self::Database(error) = self else { return false };
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        matches!(code.as_deref(), Some("40001" | "40P01"))
    }
}
