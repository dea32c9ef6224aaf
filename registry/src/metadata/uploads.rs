//! Upload sessions. A session belongs to one repository and one actor; to all others it does not exist.

use sqlx::FromRow;
use wreg_oci::{Algorithm, Hasher, RepositoryName};

use super::{Error, Metadata, Operation, Result, Tx, on_db, parse, signed, unsigned};
use crate::clock::Millis;

/// A session as it was last acknowledged.
#[derive(Debug, Clone)]
pub struct UploadRecord {
    /// The session's own part of its URL.
    pub id: String,
    /// Bytes that are durable.
    pub received: u64,
    /// What the store must know to go on there, in its own words.
    pub storage_state: String,
    /// The hash over exactly those bytes.
    pub hasher: Hasher,
}

#[derive(FromRow)]
struct UploadRow {
    id: String,
    algorithm: String,
    received: i64,
    storage_state: String,
    hasher: Vec<u8>,
}

impl TryFrom<UploadRow> for UploadRecord {
    type Error = Error;

    fn try_from(row: UploadRow) -> Result<Self> {
        let algorithm: Algorithm = parse(&row.algorithm, "uploads", "algorithm")?;
        Ok(Self {
            id: row.id,
            received: unsigned(row.received, "uploads", "received")?,
            storage_state: row.storage_state,
            hasher: Hasher::restore(algorithm, &row.hasher).map_err(|_| Error::Corrupt {
                table: "uploads",
                column: "hasher",
            })?,
        })
    }
}

impl Metadata {
    /// The session, if it is `actor`'s, in `repository`, and not expired at `now`.
    pub async fn find_upload(
        &self,
        repository: &RepositoryName,
        actor: &str,
        id: &str,
        now: Millis,
    ) -> Result<Option<UploadRecord>> {
        let row: Option<UploadRow> = on_db!(&*self.db, db => sqlx::query_as(
            "SELECT id, algorithm, received, storage_state, hasher FROM uploads WHERE id = $1 AND repository = $2 AND actor = $3 AND expires_at > $4",
        )
        .bind(id)
        .bind(repository.as_str())
        .bind(actor)
        .bind(now)
        .fetch_optional(db)
        .await)?;
        row.map(UploadRecord::try_from).transpose()
    }

    /// Whether there is such a session at all, whoever owns it, expired or not.
    pub async fn upload_exists(&self, id: &str) -> Result<bool> {
        let row: Option<(i32,)> = on_db!(&*self.db, db => sqlx::query_as("SELECT 1 FROM uploads WHERE id = $1").bind(id).fetch_optional(db).await)?;
        Ok(row.is_some())
    }

    /// At most `limit` sessions that have expired at `now`.
    pub async fn list_expired_uploads(&self, now: Millis, limit: usize) -> Result<Vec<String>> {
        let rows: Vec<(String,)> = on_db!(&*self.db, db => sqlx::query_as("SELECT id FROM uploads WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2")
            .bind(now)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(db)
            .await)?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// The number of all sessions.
    pub async fn count_all_uploads(&self) -> Result<u64> {
        let (count,): (i64,) =
            on_db!(&*self.db, db => sqlx::query_as("SELECT COUNT(*) FROM uploads").fetch_one(db).await)?;
        unsigned(count, "uploads", "count")
    }
}

/// Opens a session, unless its actor has as many open as may be.
pub(crate) struct CreateUpload {
    pub(crate) id: String,
    pub(crate) repository: RepositoryName,
    pub(crate) actor: String,
    pub(crate) algorithm: Algorithm,
    pub(crate) expires_at: Millis,
    /// The most sessions of this actor that may be open then.
    pub(crate) limit: Option<u64>,
    pub(crate) now: Millis,
}

impl Operation for CreateUpload {
    /// Whether it did.
    type Output = bool;

    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool> {
        // One statement, so that nothing comes between looking and opening. On PostgreSQL, statements that run at the very same time
        // do not see each other: there, as many as run at once may be too many.
        Ok(on_db!(tx, db => sqlx::query(
            "INSERT INTO uploads (id, repository, actor, algorithm, received, storage_state, hasher, expires_at)
             SELECT $1, $2, $3, $4, 0, '', $5, $6
             WHERE $8 IS NULL OR (SELECT COUNT(*) FROM uploads WHERE actor = $3 AND expires_at > $7) < $8",
        )
        .bind(&self.id)
        .bind(self.repository.as_str())
        .bind(&self.actor)
        .bind(self.algorithm.as_str())
        .bind(Hasher::new(self.algorithm).save())
        .bind(self.expires_at)
        .bind(self.now)
        .bind(self.limit.map(signed))
        .execute(db)
        .await
        .map(|done| done.rows_affected() == 1))?)
    }
}

/// Acknowledges bytes that are durable, if the session still stands where the writer found it.
pub(crate) struct AdvanceUpload {
    pub(crate) id: String,
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) storage_state: String,
    pub(crate) hasher: Hasher,
    pub(crate) expires_at: Millis,
}

impl Operation for AdvanceUpload {
    /// Whether it did.
    type Output = bool;

    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool> {
        Ok(
            on_db!(tx, db => sqlx::query("UPDATE uploads SET received = $3, storage_state = $4, hasher = $5, expires_at = $6 WHERE id = $1 AND received = $2")
            .bind(&self.id)
            .bind(signed(self.from))
            .bind(signed(self.to))
            .bind(&self.storage_state)
            .bind(self.hasher.save())
            .bind(self.expires_at)
            .execute(db)
            .await
            .map(|done| done.rows_affected() == 1))?,
        )
    }
}

/// Forgets a session. Its bytes are the caller's to remove.
pub(crate) struct DeleteUpload {
    pub(crate) id: String,
}

impl Operation for DeleteUpload {
    /// Whether there was one: false also if it has become a blob.
    type Output = bool;

    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool> {
        delete(tx, &self.id).await
    }
}

/// Ends a session; false if there is none.
pub(super) async fn delete(tx: &mut Tx<'_>, id: &str) -> Result<bool> {
    Ok(
        on_db!(tx, db => sqlx::query("DELETE FROM uploads WHERE id = $1").bind(id).execute(db).await.map(|done| done.rows_affected() == 1))?,
    )
}
