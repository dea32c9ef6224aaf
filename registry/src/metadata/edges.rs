//! Edges: what a manifest is made of, written when it is pushed.

use std::collections::HashMap;

use sqlx::QueryBuilder;
use wreg_oci::{Descriptor, Digest, RepositoryName};

use super::{Result, Tx, on_db, unsigned};

/// How many edges one statement looks up or writes. A manifest of 4 MiB can have tens of thousands, and on SQLite every other write
/// waits meanwhile.
const AT_ONCE: usize = 500;

/// What edges lead to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Edge {
    Blob,
    Manifest,
}

impl Edge {
    fn as_str(self) -> &'static str {
        match self {
            Self::Blob => "blob",
            Self::Manifest => "manifest",
        }
    }

    /// The sizes of those of `targets` that `repository` holds, by digest.
    pub(super) async fn sizes(
        self,
        tx: &mut Tx<'_>,
        repository: &RepositoryName,
        targets: &[&Descriptor],
    ) -> Result<HashMap<String, u64>> {
        let (select, table, column) = match self {
            Self::Blob => (
                "SELECT held.digest, b.size FROM repository_blobs held JOIN blobs b ON b.digest = held.digest AND b.state = 'live'",
                "blobs",
                "size",
            ),
            // LENGTH of a binary column counts bytes on both databases; PostgreSQL's is a 32-bit number.
            Self::Manifest => (
                "SELECT held.digest, CAST(LENGTH(held.content) AS BIGINT) FROM manifests held",
                "manifests",
                "content",
            ),
        };
        let mut sizes = HashMap::new();
        for some in targets.chunks(AT_ONCE) {
            let rows: Vec<(String, i64)> = on_db!(tx, db => {
                let mut statement = QueryBuilder::new(select);
                statement.push(" WHERE held.repository = ").push_bind(repository.as_str()).push(" AND held.digest IN (");
                let mut digests = statement.separated(", ");
                for target in some {
                    digests.push_bind(target.digest.as_str());
                }
                statement.push(")");
                // Statements are kept prepared by their text: those of a full chunk are all the same, the others are many.
                statement.build_query_as().persistent(some.len() == AT_ONCE).fetch_all(db).await
            })?;
            for (digest, size) in rows {
                sizes.insert(digest, unsigned(size, table, column)?);
            }
        }
        Ok(sizes)
    }

    /// Writes the edges from `manifest` to `targets`, each of which is there once.
    pub(super) async fn insert(
        self,
        tx: &mut Tx<'_>,
        repository: &RepositoryName,
        manifest: &Digest,
        targets: &[&Descriptor],
    ) -> Result<()> {
        for some in targets.chunks(AT_ONCE) {
            on_db!(tx, db => {
                let mut statement = QueryBuilder::new("INSERT INTO manifest_references (repository, manifest, kind, digest) ");
                statement.push_values(some, |mut row, target| {
                    row.push_bind(repository.as_str())
                        .push_bind(manifest.as_str())
                        .push_bind(self.as_str())
                        .push_bind(target.digest.as_str());
                });
                statement.build().persistent(some.len() == AT_ONCE).execute(db).await.map(drop)
            })?;
        }
        Ok(())
    }
}
