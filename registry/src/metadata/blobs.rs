//! Blobs: what is stored, where, and which repositories hold it.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use sqlx::FromRow;
use wreg_oci::{Digest, RepositoryName};

use super::{
    Error, Metadata, Operation, Result, Touched, Trips, Tx,
    events::{self, Event, Kind},
    facts::Within,
    group::{Answers, Group, Rows},
    on_db,
    repositories::{self, Settings},
    signed, unsigned,
    unwritten::Unwritten,
    uploads,
};
use crate::clock::Millis;

/// A blob that a repository holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobRecord {
    /// Its size in bytes.
    pub size: u64,
    /// Where its bytes are.
    pub place: Place,
    /// Kept until then, referenced or not.
    pub leased_until: Millis,
}

/// Where the bytes of a blob are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the store, under this key.
    Store(String),
    /// In the database: these, a few KiB. A file would cost it two flushes of its own.
    Row(Bytes),
}

impl Place {
    /// From what the database has.
    fn of(location: String, content: Option<Vec<u8>>) -> Self {
        content.map_or(Self::Store(location), |content| Self::Row(content.into()))
    }

    /// The location that stands in the database.
    pub(crate) fn location(&self) -> &str {
        match self {
            Self::Store(location) => location,
            Self::Row(_) => "",
        }
    }

    /// The content that stands in the database.
    fn content(&self) -> Option<&[u8]> {
        match self {
            Self::Store(_) => None,
            Self::Row(content) => Some(content),
        }
    }
}

#[derive(FromRow)]
struct BlobRow {
    size: i64,
    location: String,
    content: Option<Vec<u8>>,
    leased_until: Millis,
}

impl TryFrom<BlobRow> for BlobRecord {
    type Error = super::Error;

    fn try_from(row: BlobRow) -> Result<Self> {
        Ok(Self {
            size: unsigned(row.size, "blobs", "size")?,
            place: Place::of(row.location, row.content),
            leased_until: row.leased_until,
        })
    }
}

const FIND: &str =
    "SELECT b.size, b.location, b.content, b.leased_until FROM repository_blobs rb JOIN blobs b ON b.digest = rb.digest
    WHERE rb.repository = $1 AND rb.digest = $2 AND b.state = 'live'";

impl Metadata {
    /// The blob, if `repository` holds it.
    pub async fn find_blob(&self, repository: &RepositoryName, digest: &Digest) -> Result<Option<Arc<BlobRecord>>> {
        let read = || async {
            let row: Option<BlobRow> = on_db!(&*self.db, db => sqlx::query_as(FIND).bind(repository.as_str()).bind(digest.as_str()).fetch_optional(db).await)?;
            row.map(|row| row.try_into().map(Arc::new)).transpose()
        };
        let Some(facts) = &self.facts else {
            return Box::pin(read()).await;
        };
        let key = || Within(repository.clone(), digest.clone());
        let asked = Within(repository, digest);
        facts.blobs.get_or_read(facts.of(repository), &asked, key, read).await
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
        let rows: Vec<(String,)> = on_db!(&*self.db, db => sqlx::query_as("SELECT repository FROM repository_blobs WHERE digest = $1 LIMIT $2 + 0")
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

/// Gives a blob to a repository that is there.
fn link(group: &mut Group, repository: &RepositoryName, digest: &Digest, now: Millis) {
    group.add(
        "INSERT INTO repository_blobs (repository, digest, created_at) SELECT name, $2, $3 FROM repositories WHERE name = $1
         ON CONFLICT (repository, digest) DO NOTHING",
        [repository.as_str().into(), digest.as_str().into(), now.into()],
    );
}

/// Makes bytes that are already durable in the store a blob of a repository, and ends the upload that brought them.
pub(crate) struct PutBlob {
    pub(crate) repository: RepositoryName,
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    /// Where the bytes of this upload are.
    pub(crate) place: Place,
    /// The session to end, if there was one.
    pub(crate) upload: Option<String>,
    pub(crate) leased_until: Millis,
    pub(crate) defaults: Settings,
    pub(crate) actor: String,
    pub(crate) now: Millis,
}

impl Metadata {
    /// Does so. Gives where the blob's bytes are: at another location than the given one if they were stored before. `None` if the
    /// session was ended meanwhile.
    pub(crate) async fn put_blob(&self, mut blob: PutBlob) -> Result<Option<String>> {
        let take = |unwritten: &Unwritten| {
            let id = blob.upload.take_if(|id| unwritten.find(id).is_some())?;
            Some((unwritten.take(&id), id))
        };
        let Some((taken, id)) = self.unwritten.as_deref().and_then(take) else {
            return self.write(Publish(blob)).await;
        };
        let Some(session) = taken else { return Ok(None) };
        let published = self.write(Publish(blob)).await;
        if let (Err(_), Some(unwritten)) = (&published, &self.unwritten) {
            unwritten.put_back(&id, session);
        }
        published
    }
}

/// The session to end is a row, if there is one.
pub(super) struct Publish(pub(super) PutBlob);

impl Operation for Publish {
    type Output = Option<String>;

    fn touched(&self) -> Touched<'_> {
        Touched::Repository(self.0.repository.as_str())
    }

    fn trips(&self) -> Trips {
        match self.0.upload {
            None => Trips::One,
            Some(_) => Trips::OfItsOwn,
        }
    }

    /// Where there is no such repository yet, none of this does anything.
    fn ask(&self, group: &mut Group) {
        repositories::ask_lock(group, &self.0.repository);
        self.publish(group);
    }

    fn answered(&self, answers: &mut Answers, _: &mut Group) -> Result<Option<Self::Output>> {
        let is_there = repositories::locked(answers)?.is_some();
        let location = Self::published(answers)?;
        Ok(location.filter(|_| is_there).map(Some))
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Option<String>> {
        let Self(blob) = self;
        if let Some(upload) = &blob.upload
            && !uploads::delete(tx, upload).await?
        {
            return Ok(None);
        }
        // Before the other statements and not with them: on PostgreSQL each of them sees what was committed before it, so that a
        // repository which another server makes at that moment would be there for the last of them and not for the first.
        repositories::ensure(tx, &blob.repository, blob.defaults, &blob.actor, blob.now).await?;
        let mut group = Group::default();
        self.publish(&mut group);
        let location = Self::published(&mut group.send(tx).await?)?;
        location.map(Some).ok_or(Error::Lost)
    }
}

impl Publish {
    fn publish(&self, group: &mut Group) {
        let Self(blob) = self;
        let content = (&blob.digest, blob.size);
        publish(
            group,
            &blob.repository,
            content,
            &blob.place,
            blob.leased_until,
            blob.now,
        );
    }

    /// Where the blob's bytes are; `None` if there was no repository.
    fn published(answers: &mut Answers) -> Result<Option<String>> {
        let location: Option<(String,)> = answers.row()?;
        answers.skip(1);
        Ok(location.map(|(location,)| location))
    }
}

/// Statements that write blobs begin with it.
macro_rules! insert_blobs {
    () => {
        "INSERT INTO blobs (digest, size, location, content, state, leased_until, created_at) "
    };
}

/// How they go on: the bytes of a blob that is there stay where they are.
macro_rules! live {
    () => {
        " ON CONFLICT (digest) DO UPDATE SET
            location = CASE WHEN blobs.state = 'live' THEN blobs.location ELSE excluded.location END,
            content = CASE WHEN blobs.state = 'live' THEN blobs.content ELSE excluded.content END,
            state = 'live',
            leased_until = excluded.leased_until "
    };
}

/// Makes bytes a blob and gives it to the repository, if that is there: two statements, of which the first gives the location.
pub(super) fn publish(
    group: &mut Group,
    repository: &RepositoryName,
    (digest, size): (&Digest, u64),
    place: &Place,
    leased_until: Millis,
    now: Millis,
) {
    group.add(
        concat!(
            insert_blobs!(),
            "SELECT $2, $3, $4, $5, 'live', $6, $7 FROM repositories WHERE name = $1",
            live!(),
            "RETURNING location",
        ),
        [
            repository.as_str().into(),
            digest.as_str().into(),
            signed(size).into(),
            place.location().into(),
            place.content().into(),
            leased_until.into(),
            now.into(),
        ],
    );
    link(group, repository, digest, now);
}

static ROWS: LazyLock<Rows> = LazyLock::new(|| {
    Rows::new(
        concat!(insert_blobs!(), "VALUES {rows}", live!()),
        "(?, ?, '', ?, 'live', $1, $2)",
        2,
    )
});
static LINKS: LazyLock<Rows> = LazyLock::new(|| {
    Rows::new(
        "INSERT INTO repository_blobs (repository, digest, created_at) VALUES {rows} ON CONFLICT (repository, digest) DO NOTHING",
        "($1, ?, $2)",
        2,
    )
});

/// Makes some small blobs, each of them another, and gives them to a repository that is there. No statement tells anything.
pub(super) fn publish_rows(
    group: &mut Group,
    repository: &RepositoryName,
    blobs: &[(&Digest, &Bytes)],
    leased_until: Millis,
    now: Millis,
) {
    let rows: Vec<_> = blobs
        .iter()
        .map(|(digest, bytes)| {
            vec![
                digest.as_str().into(),
                signed(bytes.len() as u64).into(),
                Some(&***bytes).into(),
            ]
        })
        .collect();
    ROWS.add(group, &[leased_until.into(), now.into()], &rows);
    let links: Vec<_> = blobs.iter().map(|(digest, _)| vec![digest.as_str().into()]).collect();
    LINKS.add(group, &[repository.as_str().into(), now.into()], &links);
}

/// Says that a blob's bytes are elsewhere now.
pub(crate) struct MoveBlob {
    pub(crate) digest: Digest,
    /// The location where they were.
    pub(crate) from: String,
    /// Where they are.
    pub(crate) to: Place,
}

impl Operation for MoveBlob {
    /// Whether they were there.
    type Output = bool;

    fn touched(&self) -> Touched<'_> {
        Touched::Everything
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool> {
        let moved = on_db!(tx, db => sqlx::query("UPDATE blobs SET location = $3, content = $4 WHERE digest = $1 AND location = $2")
            .bind(self.digest.as_str())
            .bind(&self.from)
            .bind(self.to.location())
            .bind(self.to.content())
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

    fn touched(&self) -> Touched<'_> {
        Touched::Repository(self.repository.as_str())
    }

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

    fn touched(&self) -> Touched<'_> {
        Touched::Repository(self.to.as_str())
    }

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
        let mut group = Group::default();
        link(&mut group, &self.to, &self.digest, self.now);
        group.send(tx).await?;
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

    fn touched(&self) -> Touched<'_> {
        Touched::Repository(self.repository.as_str())
    }

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
