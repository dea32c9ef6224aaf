//! Upload sessions. A session belongs to one repository and one actor; to all others it does not exist.

use sqlx::FromRow;
use wreg_oci::{Algorithm, Hasher, RepositoryName};

use super::{
    Error, Metadata, Operation, Result, Touched, Tx, on_db, parse, signed, unsigned,
    unwritten::{Opened, Session, Unwritten},
};
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
    /// Whether the store may have something of it.
    pub begun: bool,
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
            begun: true,
        })
    }
}

/// A session to be opened.
pub(crate) struct NewUpload {
    pub(crate) id: String,
    pub(crate) repository: RepositoryName,
    pub(crate) actor: String,
    pub(crate) algorithm: Algorithm,
    pub(crate) expires_at: Millis,
    /// The most sessions of this actor that may be open then.
    pub(crate) limit: Option<u64>,
    pub(crate) now: Millis,
}

/// Bytes of a session that are durable and to be acknowledged.
pub(crate) struct Advance {
    pub(crate) id: String,
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) storage_state: String,
    pub(crate) hasher: Hasher,
    pub(crate) expires_at: Millis,
}

impl Metadata {
    /// Opens a session, unless its actor has as many open as may be. Says whether it did.
    pub(crate) async fn open_upload(&self, upload: NewUpload) -> Result<bool> {
        let Some(unwritten) = &self.unwritten else {
            return self.write(CreateUpload { upload, beside: 0 }).await;
        };
        let limit = match upload.limit {
            Some(limit) => limit.saturating_sub(self.count_uploads_of(&upload.actor, upload.now).await?),
            None => u64::MAX,
        };
        let session = Session {
            repository: upload.repository.clone(),
            actor: upload.actor.clone(),
            algorithm: upload.algorithm,
            expires_at: upload.expires_at,
            begun: false,
        };
        match unwritten.open(&upload.id, session, limit, upload.now) {
            Opened::Here => Ok(true),
            Opened::TooMany => Ok(false),
            Opened::NoRoom => {
                let beside = unwritten.count(Some(&upload.actor), upload.now);
                self.write(CreateUpload { upload, beside }).await
            }
        }
    }

    /// Notes that somebody is about to write to a session.
    pub(crate) fn begin_upload(&self, id: &str) {
        if let Some(unwritten) = &self.unwritten {
            unwritten.begin(id);
        }
    }

    /// The session, if it is `actor`'s, in `repository`, and not expired at `now`.
    pub async fn find_upload(
        &self,
        repository: &RepositoryName,
        actor: &str,
        id: &str,
        now: Millis,
    ) -> Result<Option<UploadRecord>> {
        if let Some(session) = self.unwritten.as_ref().and_then(|unwritten| unwritten.find(id)) {
            let is_theirs = session.repository == *repository && session.actor == actor && session.expires_at > now;
            return Ok(is_theirs.then(|| UploadRecord {
                id: id.to_owned(),
                received: 0,
                storage_state: String::new(),
                hasher: Hasher::new(session.algorithm),
                begun: session.begun,
            }));
        }
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
        if self
            .unwritten
            .as_ref()
            .is_some_and(|unwritten| unwritten.find(id).is_some())
        {
            return Ok(true);
        }
        let row: Option<(i32,)> = on_db!(&*self.db, db => sqlx::query_as("SELECT 1 FROM uploads WHERE id = $1").bind(id).fetch_optional(db).await)?;
        Ok(row.is_some())
    }

    /// Forgets sessions that have expired at `now` and of which nothing was ever stored. Says how many.
    pub(crate) fn forget_expired_uploads(&self, now: Millis) -> usize {
        self.unwritten
            .as_ref()
            .map_or(0, |unwritten| unwritten.forget_expired(now))
    }

    /// At most `limit` other sessions that have expired at `now`.
    pub async fn list_expired_uploads(&self, now: Millis, limit: usize) -> Result<Vec<String>> {
        let rows: Vec<(String,)> = on_db!(&*self.db, db => sqlx::query_as("SELECT id FROM uploads WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 + 0")
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
        let unwritten = self
            .unwritten
            .as_ref()
            .map_or(0, |unwritten| unwritten.count(None, Millis::MIN));
        Ok(unwritten + unsigned(count, "uploads", "count")?)
    }

    async fn count_uploads_of(&self, actor: &str, now: Millis) -> Result<u64> {
        let (count,): (i64,) = on_db!(&*self.db, db => sqlx::query_as("SELECT COUNT(*) FROM uploads WHERE actor = $1 AND expires_at > $2")
            .bind(actor)
            .bind(now)
            .fetch_one(db)
            .await)?;
        unsigned(count, "uploads", "count")
    }

    /// Acknowledges bytes that are durable, if the session still stands where the writer found it. Says whether it did.
    pub(crate) async fn advance_upload(&self, advance: Advance) -> Result<bool> {
        let find = |unwritten: &Unwritten| unwritten.find(&advance.id);
        let Some((unwritten, session)) = self.unwritten.as_deref().and_then(|all| Some((all, find(all)?))) else {
            return self.write(AdvanceUpload { advance, session: None }).await;
        };
        let id = advance.id.clone();
        let operation = AdvanceUpload {
            advance,
            session: Some(session),
        };
        let advanced = self.write(operation).await?;
        // Whoever ended it meanwhile found it in memory, and may have come before the row was there.
        if advanced && unwritten.take(&id).is_none() {
            self.write(DeleteUpload { id }).await?;
            return Ok(false);
        }
        Ok(advanced)
    }

    /// Forgets a session. Its bytes are the caller's to remove. False if there was none, also because it has become a blob.
    pub(crate) async fn delete_upload(&self, id: &str) -> Result<bool> {
        let unwritten = self.unwritten.as_ref().is_some_and(|all| all.take(id).is_some());
        Ok(self.write(DeleteUpload { id: id.to_owned() }).await? || unwritten)
    }
}

struct CreateUpload {
    upload: NewUpload,
    /// Sessions of the actor that are no rows.
    beside: u64,
}

impl Operation for CreateUpload {
    type Output = bool;

    fn touched(&self) -> Touched<'_> {
        Touched::Nothing
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool> {
        let Self { upload, beside } = self;
        // One statement, so that nothing comes between looking and opening. On PostgreSQL, statements that run at the very same time
        // do not see each other: there, as many as run at once may be too many.
        Ok(on_db!(tx, db => sqlx::query(
            "INSERT INTO uploads (id, repository, actor, algorithm, received, storage_state, hasher, expires_at)
             SELECT $1, $2, $3, $4, 0, '', $5, $6
             WHERE $8 IS NULL OR (SELECT COUNT(*) FROM uploads WHERE actor = $3 AND expires_at > $7) < $8",
        )
        .bind(&upload.id)
        .bind(upload.repository.as_str())
        .bind(&upload.actor)
        .bind(upload.algorithm.as_str())
        .bind(Hasher::new(upload.algorithm).save())
        .bind(upload.expires_at)
        .bind(upload.now)
        .bind(upload.limit.map(|limit| signed(limit.saturating_sub(*beside))))
        .execute(db)
        .await
        .map(|done| done.rows_affected() == 1))?)
    }
}

struct AdvanceUpload {
    advance: Advance,
    /// What the session is, if it is no row yet.
    session: Option<Session>,
}

impl Operation for AdvanceUpload {
    type Output = bool;

    fn touched(&self) -> Touched<'_> {
        Touched::Nothing
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool> {
        let Self { advance, session } = self;
        let Some(session) = session else {
            return Ok(
                on_db!(tx, db => sqlx::query("UPDATE uploads SET received = $3, storage_state = $4, hasher = $5, expires_at = $6, algorithm = $7 WHERE id = $1 AND received = $2")
                .bind(&advance.id)
                .bind(signed(advance.from))
                .bind(signed(advance.to))
                .bind(&advance.storage_state)
                .bind(advance.hasher.save())
                .bind(advance.expires_at)
                .bind(advance.hasher.algorithm().as_str())
                .execute(db)
                .await
                .map(|done| done.rows_affected() == 1))?,
            );
        };
        Ok(on_db!(tx, db => sqlx::query(
            "INSERT INTO uploads (id, repository, actor, algorithm, received, storage_state, hasher, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING",
        )
        .bind(&advance.id)
        .bind(session.repository.as_str())
        .bind(&session.actor)
        .bind(advance.hasher.algorithm().as_str())
        .bind(signed(advance.to))
        .bind(&advance.storage_state)
        .bind(advance.hasher.save())
        .bind(advance.expires_at)
        .execute(db)
        .await
        .map(|done| done.rows_affected() == 1))?)
    }
}

struct DeleteUpload {
    id: String,
}

impl Operation for DeleteUpload {
    type Output = bool;

    fn touched(&self) -> Touched<'_> {
        Touched::Nothing
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool> {
        delete(tx, &self.id).await
    }
}

/// Ends a session that is a row; false if there is none.
pub(super) async fn delete(tx: &mut Tx<'_>, id: &str) -> Result<bool> {
    Ok(
        on_db!(tx, db => sqlx::query("DELETE FROM uploads WHERE id = $1").bind(id).execute(db).await.map(|done| done.rows_affected() == 1))?,
    )
}
