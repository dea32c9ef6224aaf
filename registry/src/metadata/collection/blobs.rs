//! A repository's hold on blobs, blobs that nobody holds, and bytes on their way out of the store.

use sqlx::FromRow;
use wreg_oci::RepositoryName;

use super::{Fence, Fenced, WINDOW};
use crate::{
    clock::Millis,
    metadata::{Metadata, Operation, Result, Touched, Tx, on_db, repositories, unsigned},
};

/// The last key of a window of rows, and what is garbage among them. No key: there are no more rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Window<K, T> {
    pub(crate) last: Option<K>,
    pub(crate) garbage: Vec<T>,
}

/// A blob that can go: its digest and size in bytes. Text, since rows that cannot be read must not stop the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LooseBlob {
    pub(crate) digest: String,
    pub(crate) size: u64,
}

/// Bytes on their way out.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(crate) struct Removal {
    /// Where they are, as the blob's row said.
    pub(crate) location: String,
    /// How many, as it said.
    size: i64,
}

impl Removal {
    pub(crate) fn size(&self) -> u64 {
        self.size.try_into().unwrap_or(0)
    }
}

impl Metadata {
    /// Blobs that a repository holds though no manifest there, deleted ones included, is made of them, and whose lease has ended;
    /// among [`WINDOW`] rows after `after`.
    pub(crate) async fn list_loose_links(
        &self,
        after: (&str, &str),
        now: Millis,
    ) -> Result<Window<(String, String), (String, String)>> {
        let rows: Vec<(String, String, i32)> = on_db!(&*self.db, db => sqlx::query_as(
            "SELECT rb.repository, rb.digest, CASE WHEN b.leased_until <= $3
                AND NOT EXISTS (SELECT 1 FROM manifest_references r WHERE r.repository = rb.repository AND r.kind = 'blob' AND r.digest = rb.digest)
                AND NOT EXISTS (SELECT 1 FROM deleted_manifest_references d WHERE d.digest = rb.digest AND d.repository = rb.repository AND d.kind = 'blob')
                THEN 1 ELSE 0 END
             FROM repository_blobs rb JOIN blobs b ON b.digest = rb.digest
             WHERE (rb.repository, rb.digest) > ($1, $2) ORDER BY rb.repository, rb.digest LIMIT $4 + 0",
        )
        .bind(after.0)
        .bind(after.1)
        .bind(now)
        .bind(WINDOW)
        .fetch_all(db)
        .await)?;
        Ok(Window {
            last: rows
                .last()
                .map(|(repository, digest, _)| (repository.clone(), digest.clone())),
            garbage: rows
                .into_iter()
                .filter(|(.., loose)| *loose == 1)
                .map(|(repository, digest, _)| (repository, digest))
                .collect(),
        })
    }

    /// Blobs that nobody holds, deleted manifests included, and whose lease has ended; among [`WINDOW`] rows after `after`. With
    /// `purged`, what a whole pass would find that also purges what was deleted until then.
    pub(crate) async fn list_loose_blobs(
        &self,
        after: &str,
        now: Millis,
        purged: Option<Millis>,
    ) -> Result<Window<String, LooseBlob>> {
        let loose = match purged {
            None => {
                "NOT EXISTS (SELECT 1 FROM repository_blobs rb WHERE rb.digest = b.digest)
                 AND NOT EXISTS (SELECT 1 FROM deleted_manifest_references d WHERE d.digest = b.digest AND d.held)"
            }
            Some(_) => {
                "NOT EXISTS (SELECT 1 FROM repository_blobs rb JOIN manifest_references r
                    ON r.repository = rb.repository AND r.kind = 'blob' AND r.digest = rb.digest WHERE rb.digest = b.digest)
                 AND NOT EXISTS (SELECT 1 FROM deleted_manifest_references d JOIN deleted_manifests m
                    ON m.repository = d.repository AND m.digest = d.manifest WHERE d.digest = b.digest AND d.held AND m.deleted_at > $4)"
            }
        };
        let statement = format!(
            "SELECT b.digest, CAST(b.size AS BIGINT), CASE WHEN b.state = 'live' AND b.leased_until <= $2 AND {loose} THEN 1 ELSE 0 END
             FROM blobs b WHERE b.digest > $1 AND CAST($4 AS BIGINT) IS NOT NULL ORDER BY b.digest LIMIT $3 + 0"
        );
        let rows: Vec<(String, i64, i32)> = on_db!(&*self.db, db => sqlx::query_as(sqlx::AssertSqlSafe(statement))
            .bind(after)
            .bind(now)
            .bind(WINDOW)
            .bind(purged.unwrap_or_default())
            .fetch_all(db)
            .await)?;
        Ok(Window {
            last: rows.last().map(|(digest, ..)| digest.clone()),
            garbage: rows
                .into_iter()
                .filter(|(.., loose)| *loose == 1)
                .map(|(digest, size, _)| LooseBlob {
                    digest,
                    size: size.try_into().unwrap_or(0),
                })
                .collect(),
        })
    }

    /// At most `limit` generations that were given up until `until`, by location, those after `after`.
    pub(crate) async fn list_removals(&self, after: &str, until: Millis, limit: usize) -> Result<Vec<Removal>> {
        Ok(on_db!(&*self.db, db => sqlx::query_as(
            "SELECT location, CAST(size AS BIGINT) AS size FROM blob_removals WHERE location > $1 AND marked_at <= $2 ORDER BY location LIMIT $3 + 0",
        )
        .bind(after)
        .bind(until)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(db)
        .await)?)
    }
}

/// Takes blobs away from a repository that nothing there is made of and whose lease has ended.
///
/// Whoever gives the repository a blob, relies on one that it holds, or renews the lease on one does so under the repository's lock:
/// none of it can come between the question and the answer here.
pub(crate) struct Unlink {
    pub(crate) fence: Fence,
    pub(crate) repository: String,
    /// Those that were found, in order.
    pub(crate) digests: Vec<String>,
    pub(crate) now: Millis,
}

impl Operation for Unlink {
    /// How many are gone.
    type Output = Fenced<u64>;

    fn touched(&self) -> Touched<'_> {
        Touched::Repository(&self.repository)
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Fenced<u64>> {
        if !self.fence.holds(tx).await? {
            return Ok(None);
        }
        // A name that is none cannot be locked, and nobody can ask for it.
        if let Ok(repository) = self.repository.parse::<RepositoryName>() {
            repositories::lock(tx, &repository).await?;
        }
        let mut gone = 0;
        for digest in &self.digests {
            gone += on_db!(tx, db => sqlx::query(
                "DELETE FROM repository_blobs WHERE repository = $1 AND digest = $2
                 AND NOT EXISTS (SELECT 1 FROM manifest_references r WHERE r.repository = $1 AND r.kind = 'blob' AND r.digest = $2)
                 AND NOT EXISTS (SELECT 1 FROM deleted_manifest_references d WHERE d.digest = $2 AND d.repository = $1 AND d.kind = 'blob')
                 AND EXISTS (SELECT 1 FROM blobs b WHERE b.digest = $2 AND b.leased_until <= $3)",
            )
            .bind(&self.repository)
            .bind(digest)
            .bind(self.now)
            .execute(db)
            .await
            .map(|done| done.rows_affected()))?;
        }
        Ok(Some(gone))
    }
}

/// Gives up blobs that nobody holds and whose lease has ended: their rows go, and where their bytes are is noted for later.
///
/// Whoever comes for such a blob changes its row in the transaction that links it, so one of the two waits for the other: either
/// the blob is held and stays, or its row is gone, a mount says so, and a push brings bytes of its own. The database itself lets no
/// row go that a repository links to.
pub(crate) struct GiveUp {
    pub(crate) fence: Fence,
    /// Those that were found, in order.
    pub(crate) digests: Vec<String>,
    pub(crate) now: Millis,
}

/// How much was given up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct GivenUp {
    pub(crate) blobs: u64,
    pub(crate) bytes: u64,
    /// Those of them whose bytes were in the row, and are gone with it.
    pub(crate) removed: u64,
    pub(crate) freed: u64,
}

impl Operation for GiveUp {
    type Output = Fenced<GivenUp>;

    fn touched(&self) -> Touched<'_> {
        Touched::Nothing
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Fenced<GivenUp>> {
        if !self.fence.holds(tx).await? {
            return Ok(None);
        }
        let mut given_up = GivenUp::default();
        for digest in &self.digests {
            let row: Option<(String, i64)> = on_db!(tx, db => sqlx::query_as(
                "DELETE FROM blobs WHERE digest = $1 AND state = 'live' AND leased_until <= $2
                 AND NOT EXISTS (SELECT 1 FROM repository_blobs rb WHERE rb.digest = $1)
                 AND NOT EXISTS (SELECT 1 FROM deleted_manifest_references d WHERE d.digest = $1 AND d.held)
                 RETURNING CAST(location AS TEXT), CAST(size AS BIGINT)",
            )
            .bind(digest)
            .bind(self.now)
            .fetch_optional(db)
            .await)?;
            let Some((location, size)) = row else { continue };
            given_up.blobs += 1;
            given_up.bytes += unsigned(size, "blobs", "size").unwrap_or(0);
            if location.is_empty() {
                given_up.removed += 1;
                given_up.freed += unsigned(size, "blobs", "size").unwrap_or(0);
                continue;
            }
            on_db!(tx, db => sqlx::query(
                "INSERT INTO blob_removals (location, digest, size, marked_at) VALUES ($1, $2, $3, $4) ON CONFLICT (location) DO NOTHING",
            )
            .bind(location)
            .bind(digest)
            .bind(size)
            .bind(self.now)
            .execute(db)
            .await
            .map(drop))?;
        }
        Ok(Some(given_up))
    }
}

/// Asks for the last time, before bytes are removed: which of `locations` are still given up, under the fence.
pub(crate) struct ConfirmRemovals {
    pub(crate) fence: Fence,
    pub(crate) locations: Vec<String>,
}

impl Operation for ConfirmRemovals {
    /// Those that no blob's row names.
    type Output = Fenced<Vec<String>>;

    fn touched(&self) -> Touched<'_> {
        Touched::Nothing
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Fenced<Vec<String>>> {
        if !self.fence.holds(tx).await? {
            return Ok(None);
        }
        let mut confirmed = Vec::new();
        for location in &self.locations {
            let given_up: Option<(String,)> = on_db!(tx, db => sqlx::query_as(
                "SELECT r.location FROM blob_removals r WHERE r.location = $1
                 AND NOT EXISTS (SELECT 1 FROM blobs b WHERE b.digest = r.digest AND b.location = r.location)",
            )
            .bind(location)
            .fetch_optional(db)
            .await)?;
            confirmed.extend(given_up.map(|(location,)| location));
        }
        Ok(Some(confirmed))
    }
}

/// Forgets generations whose bytes are gone.
pub(crate) struct ForgetRemovals {
    pub(crate) fence: Fence,
    pub(crate) locations: Vec<String>,
}

impl Operation for ForgetRemovals {
    type Output = Fenced<()>;

    fn touched(&self) -> Touched<'_> {
        Touched::Nothing
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Fenced<()>> {
        if !self.fence.holds(tx).await? {
            return Ok(None);
        }
        for location in &self.locations {
            on_db!(tx, db => sqlx::query("DELETE FROM blob_removals WHERE location = $1").bind(location).execute(db).await.map(drop))?;
        }
        Ok(Some(()))
    }
}
