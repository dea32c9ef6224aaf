//! Tags: names that point to manifests and, unless the repository forbids it, move.

use wreg_api::ImmutableTags;
use wreg_oci::{Digest, RepositoryName, Tag, version};

use super::{
    Metadata, Operation, Result, Touched, Tx,
    blobs::Deletion,
    events::{self, Event, Kind},
    group::{Answers, Group},
    jobs, on_db, parse, repositories, text,
};
use crate::clock::Millis;

impl Metadata {
    /// Tags of `repository` in the order of their bytes, those after `after`; at most `limit`, all without one.
    pub async fn list_tags(&self, repository: &RepositoryName, after: &str, limit: Option<usize>) -> Result<Vec<Tag>> {
        let limit = limit.and_then(|limit| i64::try_from(limit).ok()).unwrap_or(i64::MAX);
        let rows: Vec<(String,)> = on_db!(&*self.db, db => sqlx::query_as("SELECT name FROM tags WHERE repository = $1 AND name > $2 ORDER BY name LIMIT $3 + 0")
            .bind(repository.as_str())
            .bind(text(after))
            .bind(limit)
            .fetch_all(db)
            .await)?;
        rows.into_iter().map(|(name,)| parse(&name, "tags", "name")).collect()
    }
}

/// Whether a tag, once there, keeps its manifest. Where signers keep what they attach is none of the repository's own tags.
pub(super) fn is_immutable(tag: &Tag, policy: ImmutableTags) -> bool {
    match policy {
        ImmutableTags::All if tag.is_attachment() => false,
        ImmutableTags::None => false,
        ImmutableTags::Semver => version::of_tag(tag).is_some(),
        ImmutableTags::All => true,
    }
}

/// Where a tag points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Now; `None` if there is no such tag.
    pub(super) now: Option<Digest>,
    /// When it was last deleted: a version that was deleted stays taken.
    deleted: Option<Digest>,
}

impl Found {
    /// Where it points, or did when it was deleted.
    pub(super) fn last(&self) -> Option<&Digest> {
        self.now.as_ref().or(self.deleted.as_ref())
    }
}

/// Asks where a tag points.
pub(super) fn ask(group: &mut Group, repository: &RepositoryName, tag: &Tag) {
    for statement in [
        "SELECT digest FROM tags WHERE repository = $1 AND name = $2",
        // The kind is no value, so that the index of just these is known to be enough.
        "SELECT old_value FROM events WHERE repository = $1 AND subject = $2 AND kind = 'tag-deleted' ORDER BY sequence DESC LIMIT 1",
    ] {
        group.add(statement, [repository.as_str().into(), tag.as_str().into()]);
    }
}

/// The answer to that.
pub(super) fn found(answers: &mut Answers) -> Result<Found> {
    let mut next = |table, column| {
        let row: Option<(String,)> = answers.row()?;
        row.map(|(digest,)| parse(&digest, table, column)).transpose()
    };
    Ok(Found {
        now: next("tags", "digest")?,
        deleted: next("events", "old_value")?,
    })
}

/// Points a tag, which points to `old`, to a manifest of the repository. What already is so makes no event.
pub(super) fn put(
    group: &mut Group,
    repository: &RepositoryName,
    (tag, old): (&Tag, Option<&Digest>),
    digest: &Digest,
    actor: &str,
    now: Millis,
) {
    if old == Some(digest) {
        return;
    }
    group.add(
        "INSERT INTO tags (repository, name, digest, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)
         ON CONFLICT (repository, name) DO UPDATE SET digest = excluded.digest, updated_at = excluded.updated_at",
        [
            repository.as_str().into(),
            tag.as_str().into(),
            digest.as_str().into(),
            now.into(),
        ],
    );
    let event = Event {
        at: now,
        actor,
        kind: Kind::TagPut,
        repository: Some(repository),
        subject: tag.as_str(),
        old: old.map(Digest::as_str),
        new: Some(digest.as_str()),
    };
    events::add(group, &event);
}

/// A tag's row as a deletion gives it back.
type TagRow = (String, String);

/// Notes what was deleted: for the history, and to be brought back.
async fn deleted(tx: &mut Tx<'_>, repository: &RepositoryName, tag: &TagRow, actor: &str, now: Millis) -> Result<()> {
    let (name, digest) = tag;
    on_db!(tx, db => sqlx::query(
        "INSERT INTO deleted_tags (repository, name, digest, deleted_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (repository, name) DO UPDATE SET digest = excluded.digest, deleted_at = excluded.deleted_at",
    )
    .bind(repository.as_str())
    .bind(name)
    .bind(digest)
    .bind(now)
    .execute(db)
    .await
    .map(drop))?;
    let event = Event {
        at: now,
        actor,
        kind: Kind::TagDeleted,
        repository: Some(repository),
        subject: name,
        old: Some(digest),
        new: None,
    };
    events::append(tx, event).await
}

/// Deletes the tags that point to `digest`.
pub(super) async fn delete_all(
    tx: &mut Tx<'_>,
    repository: &RepositoryName,
    digest: &Digest,
    actor: &str,
    now: Millis,
) -> Result<()> {
    let tags: Vec<TagRow> = on_db!(tx, db => sqlx::query_as("DELETE FROM tags WHERE repository = $1 AND digest = $2 RETURNING name, digest")
        .bind(repository.as_str())
        .bind(digest.as_str())
        .fetch_all(db)
        .await)?;
    for tag in tags {
        deleted(tx, repository, &tag, actor, now).await?;
    }
    Ok(())
}

/// Deletes one tag. The manifest stays. The tag can be brought back until it is purged.
pub(crate) struct DeleteTag {
    pub(crate) repository: RepositoryName,
    pub(crate) tag: Tag,
    pub(crate) actor: String,
    pub(crate) now: Millis,
}

impl Operation for DeleteTag {
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
        let tag: Option<TagRow> = on_db!(tx, db => sqlx::query_as("DELETE FROM tags WHERE repository = $1 AND name = $2 RETURNING name, digest")
            .bind(self.repository.as_str())
            .bind(self.tag.as_str())
            .fetch_optional(db)
            .await)?;
        let Some(tag) = tag else {
            return Ok(Deletion::Unknown);
        };
        deleted(tx, &self.repository, &tag, &self.actor, self.now).await?;
        jobs::index_of_components(tx, &self.repository, self.now).await?;
        Ok(Deletion::Done)
    }
}
