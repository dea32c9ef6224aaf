//! Manifests that follow their deleted subject, and the purge of what was deleted long enough ago.

use wreg_oci::{Digest, RepositoryName};

use super::{Fence, Fenced};
use crate::{
    clock::Millis,
    metadata::{Metadata, Operation, Result, Touched, Tx, components, deletions, on_db, repositories},
};

/// The actor of what the collection does.
const ACTOR: &str = "collection";
/// Edges that one transaction purges at most.
const EDGES: i64 = 500;

/// A manifest whose subject was deleted: repository, subject, its own digest. Text, since rows that cannot be read must not stop the
/// others.
pub(crate) type Follower = (String, String, String);

/// What makes a manifest follow its subject, whose deletion is the row `d`: pushed long ago, untagged, in no index; and the subject
/// has not come back.
const FOLLOWS: &str = "d.deleted_at <= $1 AND m.created_at <= $1
    AND NOT EXISTS (SELECT 1 FROM tags t WHERE t.repository = m.repository AND t.digest = m.digest)
    AND NOT EXISTS (SELECT 1 FROM manifest_references r WHERE r.repository = m.repository AND r.kind = 'manifest' AND r.digest = m.digest)
    AND NOT EXISTS (SELECT 1 FROM manifests s WHERE s.repository = m.repository AND s.digest = m.subject)";

impl Metadata {
    /// At most `limit` untagged manifests whose subject was deleted until `until`, and which are that old themselves; those after
    /// `after`.
    pub(crate) async fn list_followers(
        &self,
        after: (&str, &str, &str),
        until: Millis,
        limit: usize,
    ) -> Result<Vec<Follower>> {
        let statement = format!(
            "SELECT m.repository, m.subject, m.digest FROM deleted_manifests d JOIN manifests m ON m.repository = d.repository AND m.subject = d.digest
             WHERE (d.repository, d.digest) >= ($2, $3) AND (m.repository, m.subject, m.digest) > ($2, $3, $4) AND {FOLLOWS}
             ORDER BY m.repository, m.subject, m.digest LIMIT $5 + 0"
        );
        Ok(on_db!(&*self.db, db => sqlx::query_as(sqlx::AssertSqlSafe(statement))
            .bind(until)
            .bind(after.0)
            .bind(after.1)
            .bind(after.2)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(db)
            .await)?)
    }

    /// At most `limit` manifests, as repository and digest, that were deleted until `until`, the oldest first.
    pub(crate) async fn list_purgeable(&self, until: Millis, limit: usize) -> Result<Vec<(String, String)>> {
        Ok(on_db!(&*self.db, db => sqlx::query_as(
            "SELECT repository, digest FROM deleted_manifests WHERE deleted_at <= $1 ORDER BY deleted_at, repository, digest LIMIT $2 + 0",
        )
        .bind(until)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(db)
        .await)?)
    }

    /// Whether a tag was deleted until `until`.
    pub(crate) async fn has_purgeable_tags(&self, until: Millis) -> Result<bool> {
        Ok(
            on_db!(&*self.db, db => sqlx::query("SELECT 1 FROM deleted_tags WHERE deleted_at <= $1 LIMIT 1")
            .bind(until)
            .fetch_optional(db)
            .await
            .map(|row| row.is_some()))?,
        )
    }

    /// How many manifests were deleted until `until`.
    pub(crate) async fn count_purgeable(&self, until: Millis) -> Result<u64> {
        let (count,): (i64,) = on_db!(&*self.db, db => sqlx::query_as("SELECT COUNT(*) FROM deleted_manifests WHERE deleted_at <= $1")
            .bind(until)
            .fetch_one(db)
            .await)?;
        Ok(count.try_into().unwrap_or(0))
    }
}

/// Deletes manifests of one repository that follow their subject. They can be brought back with it.
pub(crate) struct Follow {
    pub(crate) fence: Fence,
    pub(crate) repository: RepositoryName,
    /// Subjects and those that follow them.
    pub(crate) followers: Vec<(Digest, Digest)>,
    pub(crate) until: Millis,
    pub(crate) now: Millis,
}

impl Operation for Follow {
    /// How many are gone.
    type Output = Fenced<u64>;

    fn touched(&self) -> Touched<'_> {
        Touched::Repository(self.repository.as_str())
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Fenced<u64>> {
        if !self.fence.holds(tx).await? {
            return Ok(None);
        }
        repositories::lock(tx, &self.repository).await?;
        let statement = format!(
            "SELECT 1 FROM deleted_manifests d JOIN manifests m ON m.repository = d.repository AND m.subject = d.digest
             WHERE m.repository = $2 AND m.digest = $3 AND {FOLLOWS}"
        );
        let mut gone = 0;
        for (subject, digest) in &self.followers {
            let follows = on_db!(tx, db => sqlx::query(sqlx::AssertSqlSafe(statement.clone()))
                .bind(self.until)
                .bind(self.repository.as_str())
                .bind(digest.as_str())
                .fetch_optional(db)
                .await
                .map(|row| row.is_some()))?;
            if follows {
                deletions::bury(tx, &self.repository, digest, Some(subject), ACTOR, self.now).await?;
                gone += 1;
            }
        }
        Ok(Some(gone))
    }
}

/// Purges deleted manifests and tags, a bounded number of rows of them.
pub(crate) struct Purge {
    pub(crate) fence: Fence,
    /// Repositories and digests.
    pub(crate) manifests: Vec<(String, String)>,
    /// What was deleted until then.
    pub(crate) until: Millis,
}

impl Operation for Purge {
    /// How many manifests are gone.
    type Output = Fenced<u64>;

    fn touched(&self) -> Touched<'_> {
        Touched::Nothing
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Fenced<u64>> {
        if !self.fence.holds(tx).await? {
            return Ok(None);
        }
        on_db!(tx, db => sqlx::query(
            "DELETE FROM deleted_tags WHERE (repository, name) IN (SELECT repository, name FROM deleted_tags WHERE deleted_at <= $1 LIMIT $2 + 0)",
        )
        .bind(self.until)
        .bind(EDGES)
        .execute(db)
        .await
        .map(drop))?;
        let (mut gone, mut edges) = (0, 0);
        for (repository, digest) in &self.manifests {
            // It may have been pushed and deleted again since it was found. The row is locked where rows can be.
            let is_due = on_db!(tx, db => sqlx::query("UPDATE deleted_manifests SET deleted_at = deleted_at WHERE repository = $1 AND digest = $2 AND deleted_at <= $3")
                .bind(repository)
                .bind(digest)
                .bind(self.until)
                .execute(db)
                .await
                .map(|done| done.rows_affected() == 1))?;
            if !is_due {
                continue;
            }
            edges += on_db!(tx, db => sqlx::query(
                "DELETE FROM deleted_manifest_references WHERE repository = $1 AND manifest = $2 AND (kind, digest) IN
                 (SELECT kind, digest FROM deleted_manifest_references WHERE repository = $1 AND manifest = $2 LIMIT $3 + 0)",
            )
            .bind(repository)
            .bind(digest)
            .bind(EDGES - edges)
            .execute(db)
            .await
            .map(|done| i64::try_from(done.rows_affected()).unwrap_or(EDGES)))?;
            if edges >= EDGES {
                // The next transaction goes on here.
                break;
            }
            components::forget(tx, repository, digest).await?;
            gone += on_db!(tx, db => sqlx::query("DELETE FROM deleted_manifests WHERE repository = $1 AND digest = $2")
                .bind(repository)
                .bind(digest)
                .execute(db)
                .await
                .map(|done| done.rows_affected()))?;
        }
        Ok(Some(gone))
    }
}
