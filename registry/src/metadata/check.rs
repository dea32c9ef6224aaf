//! What the check of the store against the database asks of the database. Text, since rows that cannot be read are what it looks for.

use wreg_oci::{Digest, RepositoryName};

use super::{Metadata, Operation, Result, Touched, Tx, collection::WINDOW, on_db, repositories};
impl Metadata {
    /// Blobs, as digest, location, size and content, by digest, those after `after`.
    pub(crate) async fn list_blob_rows(&self, after: &str) -> Result<Vec<(String, String, i64, Option<Vec<u8>>)>> {
        Ok(on_db!(&*self.db, db => sqlx::query_as(
            "SELECT digest, CAST(location AS TEXT), CAST(size AS BIGINT), content FROM blobs WHERE digest > $1 ORDER BY digest LIMIT $2 + 0",
        )
        .bind(after)
        .bind(WINDOW)
        .fetch_all(db)
        .await)?)
    }

    /// Where the bytes of a blob are, and how many, whoever holds it.
    pub(crate) async fn find_blob_row(&self, digest: &Digest) -> Result<Option<(String, i64)>> {
        Ok(
            on_db!(&*self.db, db => sqlx::query_as("SELECT CAST(location AS TEXT), CAST(size AS BIGINT) FROM blobs WHERE digest = $1")
            .bind(digest.as_str())
            .fetch_optional(db)
            .await)?,
        )
    }

    /// Whether bytes at this place are on their way out.
    pub(crate) async fn is_being_removed(&self, location: &str) -> Result<bool> {
        Ok(
            on_db!(&*self.db, db => sqlx::query("SELECT 1 FROM blob_removals WHERE location = $1")
            .bind(location)
            .fetch_optional(db)
            .await
            .map(|row| row.is_some()))?,
        )
    }

    /// Manifests, as repository and digest, those after `after`.
    pub(crate) async fn list_manifest_rows(&self, after: (&str, &str)) -> Result<Vec<(String, String)>> {
        Ok(on_db!(&*self.db, db => sqlx::query_as(
            "SELECT repository, digest FROM manifests WHERE (repository, digest) > ($1, $2) ORDER BY repository, digest LIMIT $3 + 0",
        )
        .bind(after.0)
        .bind(after.1)
        .bind(WINDOW)
        .fetch_all(db)
        .await)?)
    }

    /// Whether an edge leads from a manifest to `digest`, and whether the repository has that.
    pub(crate) async fn find_edge(
        &self,
        repository: &RepositoryName,
        manifest: &Digest,
        kind: &str,
        digest: &Digest,
    ) -> Result<(bool, bool)> {
        let (edge, target): (i32, i32) = on_db!(&*self.db, db => sqlx::query_as(
            "SELECT CASE WHEN EXISTS (SELECT 1 FROM manifest_references WHERE repository = $1 AND manifest = $2 AND kind = $3 AND digest = $4) THEN 1 ELSE 0 END,
                CASE WHEN ($3 = 'blob' AND EXISTS (SELECT 1 FROM repository_blobs WHERE repository = $1 AND digest = $4))
                    OR ($3 = 'manifest' AND EXISTS (SELECT 1 FROM manifests WHERE repository = $1 AND digest = $4)) THEN 1 ELSE 0 END",
        )
        .bind(repository.as_str())
        .bind(manifest.as_str())
        .bind(kind)
        .bind(digest.as_str())
        .fetch_one(db)
        .await)?;
        Ok((edge == 1, target == 1))
    }
}

/// Writes down an edge that a manifest has, if the manifest is still there.
pub(crate) struct PutEdge {
    pub(crate) repository: RepositoryName,
    pub(crate) manifest: Digest,
    pub(crate) kind: &'static str,
    pub(crate) digest: Digest,
}

impl Operation for PutEdge {
    type Output = ();

    fn touched(&self) -> Touched<'_> {
        Touched::Nothing
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<()> {
        repositories::lock(tx, &self.repository).await?;
        on_db!(tx, db => sqlx::query(
            "INSERT INTO manifest_references (repository, manifest, kind, digest)
             SELECT repository, digest, $3, $4 FROM manifests WHERE repository = $1 AND digest = $2
             ON CONFLICT (repository, manifest, kind, digest) DO NOTHING",
        )
        .bind(self.repository.as_str())
        .bind(self.manifest.as_str())
        .bind(self.kind)
        .bind(self.digest.as_str())
        .execute(db)
        .await
        .map(drop))?;
        Ok(())
    }
}
