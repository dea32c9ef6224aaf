//! What has been deleted and can be brought back until it is purged: manifests with their edges, and tags.
//!
//! Deleting moves rows into tables of their own. No statement that answers a client reads those, so what is deleted is unknown to
//! everybody by construction and not by a condition that somebody forgets.

use sqlx::FromRow;
use wreg_oci::{Digest, RepositoryName, Tag};

use super::{
    Metadata, Operation, Result, Touched, Tx,
    events::{self, Event, Kind},
    group::Group,
    jobs, on_db, parse, repositories, tags, text,
};
use crate::clock::Millis;

/// Something that can be brought back.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct DeletedRecord {
    /// `manifest` or `tag`.
    pub kind: String,
    /// The manifest's digest, or the tag.
    pub name: String,
    /// The manifest's digest, or where the tag pointed.
    pub digest: String,
    /// When it was deleted.
    pub deleted_at: Millis,
}

/// A deleted manifest that is brought back only together with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    /// Those that a deleted index is made of: they come before it.
    Children,
    /// Those that were deleted because their subject was: they come after it.
    Followers,
}

impl Metadata {
    /// Some of what was deleted from `repository` after `since`, manifests before tags, each by name, those after `after`. A tag
    /// that is there again is not among it.
    pub async fn list_deleted(
        &self,
        repository: &RepositoryName,
        since: Millis,
        after: (&str, &str),
        limit: usize,
    ) -> Result<Vec<DeletedRecord>> {
        Ok(on_db!(&*self.db, db => sqlx::query_as(
            "SELECT kind, name, digest, deleted_at FROM (
                SELECT 'manifest' AS kind, digest AS name, digest, deleted_at FROM deleted_manifests WHERE repository = $1
                UNION ALL
                SELECT 'tag' AS kind, t.name AS name, t.digest, t.deleted_at FROM deleted_tags t WHERE t.repository = $1
                    AND NOT EXISTS (SELECT 1 FROM tags l WHERE l.repository = t.repository AND l.name = t.name)
             ) AS deleted WHERE deleted_at > $2 AND (kind > $3 OR (kind = $3 AND name > $4)) ORDER BY kind, name LIMIT $5 + 0",
        )
        .bind(repository.as_str())
        .bind(since)
        .bind(text(after.0))
        .bind(text(after.1))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(db)
        .await)?)
    }

    /// Where a tag pointed that was deleted after `since`, if its deletion is the last thing that happened to it.
    pub async fn find_deleted_tag(
        &self,
        repository: &RepositoryName,
        tag: &Tag,
        since: Millis,
    ) -> Result<Option<Digest>> {
        let row: Option<(String,)> = on_db!(&*self.db, db => sqlx::query_as(
            "SELECT digest FROM deleted_tags WHERE repository = $1 AND name = $2 AND deleted_at > $3",
        )
        .bind(repository.as_str())
        .bind(tag.as_str())
        .bind(since)
        .fetch_optional(db)
        .await)?;
        row.map(|(digest,)| parse(&digest, "deleted_tags", "digest"))
            .transpose()
    }

    /// Deleted manifests that stand in `relation` to `digest`, by digest, those after `after`.
    pub(crate) async fn list_deleted_relations(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        relation: Relation,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Digest>> {
        let statement = match relation {
            Relation::Followers => {
                "SELECT digest FROM deleted_manifests WHERE repository = $1 AND deleted_with = $2 AND digest > $3 ORDER BY digest LIMIT $4 + 0"
            }
            Relation::Children => {
                "SELECT d.digest FROM deleted_manifest_references r
                 JOIN deleted_manifests d ON d.repository = r.repository AND d.digest = r.digest
                 WHERE r.repository = $1 AND r.manifest = $2 AND r.kind = 'manifest' AND r.digest > $3 ORDER BY d.digest LIMIT $4 + 0"
            }
        };
        let rows: Vec<(String,)> = on_db!(&*self.db, db => sqlx::query_as(statement)
            .bind(repository.as_str())
            .bind(digest.as_str())
            .bind(after)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(db)
            .await)?;
        rows.into_iter()
            .map(|(digest,)| parse(&digest, "deleted_manifests", "digest"))
            .collect()
    }
}

/// Deletes a manifest that is there, and its tags. `with`: the subject that it follows.
pub(super) async fn bury(
    tx: &mut Tx<'_>,
    repository: &RepositoryName,
    digest: &Digest,
    with: Option<&Digest>,
    actor: &str,
    now: Millis,
) -> Result<()> {
    tags::delete_all(tx, repository, digest, actor, now).await?;
    jobs::index_of_components(tx, repository, now).await?;
    on_db!(tx, db => sqlx::query(
        "INSERT INTO deleted_manifests (repository, digest, media_type, artifact_type, subject, annotations, content, created_at, marks, deleted_at, deleted_with)
         SELECT repository, digest, media_type, artifact_type, subject, annotations, content, created_at, marks, $3, $4 FROM manifests
         WHERE repository = $1 AND digest = $2",
    )
    .bind(repository.as_str())
    .bind(digest.as_str())
    .bind(now)
    .bind(with.map(Digest::as_str))
    .execute(db)
    .await
    .map(drop))?;
    for statement in [
        "INSERT INTO deleted_manifest_references (repository, manifest, kind, digest, held)
         SELECT r.repository, r.manifest, r.kind, r.digest,
            r.kind = 'blob' AND EXISTS (SELECT 1 FROM repository_blobs rb WHERE rb.repository = r.repository AND rb.digest = r.digest)
         FROM manifest_references r WHERE r.repository = $1 AND r.manifest = $2",
        "DELETE FROM manifest_references WHERE repository = $1 AND manifest = $2",
        "DELETE FROM manifests WHERE repository = $1 AND digest = $2",
    ] {
        on_row(tx, statement, repository, digest).await?;
    }
    let event = Event {
        at: now,
        actor,
        kind: Kind::ManifestDeleted,
        repository: Some(repository),
        subject: digest.as_str(),
        old: None,
        new: None,
    };
    events::append(tx, event).await
}

/// Forgets a deleted manifest, because it was pushed again. A digest is either there or deleted, never both.
pub(super) fn forget(group: &mut Group, repository: &RepositoryName, digest: &Digest) {
    for statement in FORGET {
        group.add(statement, [repository.as_str().into(), digest.as_str().into()]);
    }
}

const FORGET: [&str; 2] = [
    "DELETE FROM deleted_manifest_references WHERE repository = $1 AND manifest = $2",
    "DELETE FROM deleted_manifests WHERE repository = $1 AND digest = $2",
];

/// Runs a statement about one manifest. Gives the number of rows.
pub(super) async fn on_row(
    tx: &mut Tx<'_>,
    statement: &'static str,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<u64> {
    Ok(on_db!(tx, db => sqlx::query(statement)
        .bind(repository.as_str())
        .bind(digest.as_str())
        .execute(db)
        .await
        .map(|done| done.rows_affected()))?)
}

/// Brings a deleted manifest back, if it was deleted after `since`, and tags that pointed to it.
pub(crate) struct Undelete {
    pub(crate) repository: RepositoryName,
    pub(crate) digest: Digest,
    pub(crate) tags: RestoredTags,
    pub(crate) since: Millis,
    pub(crate) actor: String,
    pub(crate) now: Millis,
}

/// Which tags come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RestoredTags {
    /// All that pointed to the manifest when they were deleted and are not there now.
    All,
    /// This one alone, unless the manifest itself was deleted.
    One(Tag),
}

/// What came back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Restored {
    /// Whether the manifest did.
    pub(crate) manifest: bool,
    /// The tags that did.
    pub(crate) tags: Vec<Tag>,
}

impl Operation for Undelete {
    type Output = Restored;

    fn touched(&self) -> Touched<'_> {
        Touched::Repository(self.repository.as_str())
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Restored> {
        if repositories::lock(tx, &self.repository).await?.is_none() {
            return Ok(Restored::default());
        }
        let manifest = self.restore(tx).await?;
        let is_there = manifest || self.is_there(tx).await?;
        let mut restored = Restored {
            manifest,
            tags: Vec::new(),
        };
        if is_there {
            restored.tags = self.list_tags(tx, manifest).await?;
            let mut group = Group::default();
            for tag in &restored.tags {
                // None of them is there.
                tags::put(
                    &mut group,
                    &self.repository,
                    (tag, None),
                    &self.digest,
                    &self.actor,
                    self.now,
                );
            }
            jobs::ask_index_of_components(&mut group, &self.repository, self.now);
            group.send(tx).await?;
        }
        Ok(restored)
    }
}

impl Undelete {
    async fn is_there(&self, tx: &mut Tx<'_>) -> Result<bool> {
        Ok(
            on_db!(tx, db => sqlx::query("SELECT 1 FROM manifests WHERE repository = $1 AND digest = $2")
            .bind(self.repository.as_str())
            .bind(self.digest.as_str())
            .fetch_optional(db)
            .await
            .map(|row| row.is_some()))?,
        )
    }

    async fn restore(&self, tx: &mut Tx<'_>) -> Result<bool> {
        let restored = on_db!(tx, db => sqlx::query(
            "INSERT INTO manifests (repository, digest, media_type, artifact_type, subject, annotations, content, created_at, marks)
             SELECT repository, digest, media_type, artifact_type, subject, annotations, content, created_at, marks FROM deleted_manifests
             WHERE repository = $1 AND digest = $2 AND deleted_at > $3",
        )
        .bind(self.repository.as_str())
        .bind(self.digest.as_str())
        .bind(self.since)
        .execute(db)
        .await
        .map(|done| done.rows_affected() == 1))?;
        if !restored {
            return Ok(false);
        }
        on_row(
            tx,
            "INSERT INTO manifest_references (repository, manifest, kind, digest)
             SELECT repository, manifest, kind, digest FROM deleted_manifest_references WHERE repository = $1 AND manifest = $2",
            &self.repository,
            &self.digest,
        )
        .await?;
        // Only what the repository held: what a sparse manifest merely names may be another repository's.
        on_db!(tx, db => sqlx::query(
            "INSERT INTO repository_blobs (repository, digest, created_at)
             SELECT r.repository, r.digest, $3 FROM deleted_manifest_references r JOIN blobs b ON b.digest = r.digest
             WHERE r.repository = $1 AND r.manifest = $2 AND r.held ON CONFLICT (repository, digest) DO NOTHING",
        )
        .bind(self.repository.as_str())
        .bind(self.digest.as_str())
        .bind(self.now)
        .execute(db)
        .await
        .map(drop))?;
        for statement in FORGET {
            on_row(tx, statement, &self.repository, &self.digest).await?;
        }
        let event = Event {
            at: self.now,
            actor: &self.actor,
            kind: Kind::ManifestUndeleted,
            repository: Some(&self.repository),
            subject: self.digest.as_str(),
            old: None,
            new: None,
        };
        events::append(tx, event).await?;
        Ok(true)
    }

    /// The deleted tags that come back: none that is there now, or that pointed elsewhere last.
    async fn list_tags(&self, tx: &mut Tx<'_>, manifest: bool) -> Result<Vec<Tag>> {
        let only = match &self.tags {
            RestoredTags::One(tag) if !manifest => Some(tag.as_str()),
            _ => None,
        };
        let rows: Vec<(String,)> = on_db!(tx, db => sqlx::query_as(
            "SELECT d.name FROM deleted_tags d WHERE d.repository = $1 AND d.digest = $2 AND d.deleted_at > $3 AND (d.name = $4 OR $4 IS NULL)
             AND NOT EXISTS (SELECT 1 FROM tags t WHERE t.repository = d.repository AND t.name = d.name) ORDER BY d.name",
        )
        .bind(self.repository.as_str())
        .bind(self.digest.as_str())
        .bind(self.since)
        .bind(only)
        .fetch_all(db)
        .await)?;
        rows.into_iter()
            .map(|(name,)| parse(&name, "deleted_tags", "name"))
            .collect()
    }
}
