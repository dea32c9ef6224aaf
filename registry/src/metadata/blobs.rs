//! Blobs: what is stored, where, and which repositories hold it.

use sqlx::FromRow;
use wreg_oci::{Digest, RepositoryName};

use super::{
    Metadata, Operation, Result, Tx,
    events::{self, Event, Kind},
    on_db,
    repositories::{self, Settings},
    signed, unsigned, uploads,
};
use crate::clock::Millis;

/// A blob that a repository holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobRecord {
    /// Its size in bytes.
    pub size: u64,
    /// Where its bytes are: a key in the blob store.
    pub location: String,
    /// Kept until then, referenced or not.
    pub leased_until: Millis,
}

#[derive(FromRow)]
struct BlobRow {
    size: i64,
    location: String,
    leased_until: Millis,
}

impl TryFrom<BlobRow> for BlobRecord {
    type Error = super::Error;

    fn try_from(row: BlobRow) -> Result<Self> {
        Ok(Self {
            size: unsigned(row.size, "blobs", "size")?,
            location: row.location,
            leased_until: row.leased_until,
        })
    }
}

const FIND: &str =
    "SELECT b.size, b.location, b.leased_until FROM repository_blobs rb JOIN blobs b ON b.digest = rb.digest
    WHERE rb.repository = $1 AND rb.digest = $2 AND b.state = 'live'";

impl Metadata {
    /// The blob, if `repository` holds it.
    pub async fn find_blob(&self, repository: &RepositoryName, digest: &Digest) -> Result<Option<BlobRecord>> {
        let row: Option<BlobRow> = on_db!(&*self.db, db => sqlx::query_as(FIND).bind(repository.as_str()).bind(digest.as_str()).fetch_optional(db).await)?;
        row.map(BlobRecord::try_from).transpose()
    }

    /// Whether a manifest of `repository` is made of the blob.
    pub async fn is_blob_referenced(&self, repository: &RepositoryName, digest: &Digest) -> Result<bool> {
        Ok(
            on_db!(&*self.db, db => sqlx::query("SELECT 1 FROM manifest_references WHERE repository = $1 AND kind = 'blob' AND digest = $2 LIMIT 1")
            .bind(repository.as_str())
            .bind(digest.as_str())
            .fetch_optional(db)
            .await
            .map(|row| row.is_some()))?,
        )
    }

    /// Repositories, at most `limit`, that hold the blob, in no particular order.
    pub async fn list_holders(&self, digest: &Digest, limit: usize) -> Result<Vec<RepositoryName>> {
        let rows: Vec<(String,)> = on_db!(&*self.db, db => sqlx::query_as("SELECT repository FROM repository_blobs WHERE digest = $1 LIMIT $2")
            .bind(digest.as_str())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(db)
            .await)?;
        rows.into_iter()
            .map(|(name,)| super::parse(&name, "repository_blobs", "repository"))
            .collect()
    }
}

/// The blob in the transaction, if `repository` holds it.
pub(super) async fn find(tx: &mut Tx<'_>, repository: &RepositoryName, digest: &Digest) -> Result<Option<BlobRecord>> {
    let row: Option<BlobRow> = on_db!(tx, db => sqlx::query_as(FIND).bind(repository.as_str()).bind(digest.as_str()).fetch_optional(db).await)?;
    row.map(BlobRecord::try_from).transpose()
}

async fn link(tx: &mut Tx<'_>, repository: &RepositoryName, digest: &Digest, now: Millis) -> Result<()> {
    on_db!(tx, db => sqlx::query("INSERT INTO repository_blobs (repository, digest, created_at) VALUES ($1, $2, $3) ON CONFLICT (repository, digest) DO NOTHING")
        .bind(repository.as_str())
        .bind(digest.as_str())
        .bind(now)
        .execute(db)
        .await
        .map(drop))?;
    Ok(())
}

/// Makes bytes that are already durable in the store a blob of a repository, and ends the upload that brought them.
pub(crate) struct PutBlob {
    pub(crate) repository: RepositoryName,
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    /// Where the bytes of this upload are.
    pub(crate) location: String,
    /// The session to end, if there was one.
    pub(crate) upload: Option<String>,
    pub(crate) leased_until: Millis,
    pub(crate) defaults: Settings,
    pub(crate) actor: String,
    pub(crate) now: Millis,
}

impl Operation for PutBlob {
    /// Where the blob's bytes are: at another location than the given one if the store had them before. `None` if the session was
    /// ended meanwhile.
    type Output = Option<String>;

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Option<String>> {
        if let Some(upload) = &self.upload
            && !uploads::delete(tx, upload).await?
        {
            return Ok(None);
        }
        repositories::ensure(tx, &self.repository, self.defaults, &self.actor, self.now).await?;
        let (location,): (String,) = on_db!(tx, db => sqlx::query_as(
            "INSERT INTO blobs (digest, size, location, state, leased_until, created_at) VALUES ($1, $2, $3, 'live', $4, $5)
             ON CONFLICT (digest) DO UPDATE SET
                location = CASE WHEN blobs.state = 'live' THEN blobs.location ELSE excluded.location END,
                state = 'live',
                leased_until = excluded.leased_until
             RETURNING location",
        )
        .bind(self.digest.as_str())
        .bind(signed(self.size))
        .bind(&self.location)
        .bind(self.leased_until)
        .bind(self.now)
        .fetch_one(db)
        .await)?;
        link(tx, &self.repository, &self.digest, self.now).await?;
        Ok(Some(location))
    }
}

/// Says that a blob's bytes are elsewhere now.
pub(crate) struct MoveBlob {
    pub(crate) digest: Digest,
    /// Where they were.
    pub(crate) from: String,
    /// Where they are.
    pub(crate) to: String,
}

impl Operation for MoveBlob {
    /// Whether they were there.
    type Output = bool;

    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool> {
        let moved = on_db!(tx, db => sqlx::query("UPDATE blobs SET location = $3 WHERE digest = $1 AND location = $2")
            .bind(self.digest.as_str())
            .bind(&self.from)
            .bind(&self.to)
            .execute(db)
            .await
            .map(|done| done.rows_affected() == 1))?;
        Ok(moved)
    }
}

/// How long a blob that nothing refers to is kept, once somebody was told that it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lease {
    /// A lease that ends before this time is renewed: under half of it remains.
    pub(crate) renew_before: Millis,
    /// When it ends then.
    pub(crate) until: Millis,
}

/// Renews the lease of a blob that was found to end at `leased_until`, if it is time to. Says whether the blob is still there.
async fn renew(tx: &mut Tx<'_>, digest: &Digest, leased_until: Millis, lease: Lease) -> Result<bool> {
    if leased_until >= lease.renew_before {
        return Ok(true);
    }
    Ok(
        on_db!(tx, db => sqlx::query("UPDATE blobs SET leased_until = $2 WHERE digest = $1 AND state = 'live'")
        .bind(digest.as_str())
        .bind(lease.until)
        .execute(db)
        .await
        .map(|done| done.rows_affected() == 1))?,
    )
}

/// Keeps a blob for somebody who is told that it is there and will not push it.
pub(crate) struct RenewLease {
    pub(crate) repository: RepositoryName,
    pub(crate) digest: Digest,
    pub(crate) lease: Lease,
}

impl Operation for RenewLease {
    /// Whether the repository holds the blob.
    type Output = bool;

    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool> {
        if repositories::lock(tx, &self.repository).await?.is_none() {
            return Ok(false);
        }
        let Some(found) = find(tx, &self.repository, &self.digest).await? else {
            return Ok(false);
        };
        if user(tx, &self.repository, "blob", &self.digest).await?.is_some() {
            return Ok(true);
        }
        renew(tx, &self.digest, found.leased_until, self.lease).await
    }
}

/// Gives a repository a blob that another one holds.
pub(crate) struct MountBlob {
    pub(crate) from: RepositoryName,
    pub(crate) to: RepositoryName,
    pub(crate) digest: Digest,
    pub(crate) lease: Lease,
    pub(crate) defaults: Settings,
    pub(crate) actor: String,
    pub(crate) now: Millis,
}

impl Operation for MountBlob {
    /// Whether it was there to be given.
    type Output = bool;

    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool> {
        // Repositories are locked before blobs, here as everywhere.
        repositories::lock(tx, &self.to).await?;
        let Some(found) = find(tx, &self.from, &self.digest).await? else {
            return Ok(false);
        };
        if !renew(tx, &self.digest, found.leased_until, self.lease).await? {
            return Ok(false);
        }
        repositories::ensure(tx, &self.to, self.defaults, &self.actor, self.now).await?;
        link(tx, &self.to, &self.digest, self.now).await?;
        Ok(true)
    }
}

/// Takes a blob away from a repository. The bytes stay until they are collected.
pub(crate) struct DeleteBlob {
    pub(crate) repository: RepositoryName,
    pub(crate) digest: Digest,
    pub(crate) actor: String,
    pub(crate) now: Millis,
}

/// What became of a deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Deletion {
    /// It is gone.
    Done,
    /// It was not there.
    Unknown,
    /// The repository's settings forbid it.
    Forbidden,
    /// A manifest of the repository is made of it.
    InUse {
        /// The digest of one such manifest.
        by: Digest,
    },
}

impl Operation for DeleteBlob {
    type Output = Deletion;

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Deletion> {
        let Some(settings) = repositories::lock(tx, &self.repository).await? else {
            return Ok(Deletion::Unknown);
        };
        if !settings.deletable {
            return Ok(Deletion::Forbidden);
        }
        if find(tx, &self.repository, &self.digest).await?.is_none() {
            return Ok(Deletion::Unknown);
        }
        if let Some(by) = user(tx, &self.repository, "blob", &self.digest).await? {
            return Ok(Deletion::InUse { by });
        }
        on_db!(tx, db => sqlx::query("DELETE FROM repository_blobs WHERE repository = $1 AND digest = $2")
            .bind(self.repository.as_str())
            .bind(self.digest.as_str())
            .execute(db)
            .await
            .map(drop))?;
        let event = Event {
            at: self.now,
            actor: &self.actor,
            kind: Kind::BlobDeleted,
            repository: Some(&self.repository),
            subject: self.digest.as_str(),
            old: None,
            new: None,
        };
        events::append(tx, event).await?;
        Ok(Deletion::Done)
    }
}

/// A manifest of `repository` that is made of `digest`, if there is one.
pub(super) async fn user(
    tx: &mut Tx<'_>,
    repository: &RepositoryName,
    kind: &str,
    digest: &Digest,
) -> Result<Option<Digest>> {
    let row: Option<(String,)> = on_db!(tx, db => sqlx::query_as(
        "SELECT manifest FROM manifest_references WHERE repository = $1 AND kind = $2 AND digest = $3 LIMIT 1",
    )
    .bind(repository.as_str())
    .bind(kind)
    .bind(digest.as_str())
    .fetch_optional(db)
    .await)?;
    row.map(|(manifest,)| super::parse(&manifest, "manifest_references", "manifest"))
        .transpose()
}
