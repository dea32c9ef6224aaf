//! Referrers: the manifests that are about another one.

use sqlx::FromRow;
use wreg_oci::{Descriptor, Digest, MediaType, RepositoryName, Tag};

use super::{Metadata, Result, manifests, on_db, parse, unsigned};

#[derive(FromRow)]
struct ReferrerRow {
    digest: String,
    media_type: String,
    artifact_type: Option<String>,
    annotations: String,
    size: i64,
}

/// The most rows that are looked at in one go.
const ROWS: i64 = 256;

/// Of `$1` the manifests whose subject is `$2`, and those that the index tagged `$6` lists and that name no subject, each time the
/// first `$5` after `$3`; of the type `$4`, if that is given.
macro_rules! select_referrers {
    ($columns:literal, $and:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM manifests WHERE repository = $1 AND digest IN (
                SELECT digest FROM (
                    SELECT digest FROM manifests
                    WHERE repository = $1 AND subject = $2 AND digest > $3 AND (artifact_type = $4 OR $4 IS NULL)
                    ORDER BY digest LIMIT $5 + 0
                ) AS about
                UNION ALL
                SELECT digest FROM (
                    SELECT m.digest FROM tags t
                    JOIN manifest_references r ON r.repository = t.repository AND r.manifest = t.digest AND r.kind = 'manifest'
                    JOIN manifests m ON m.repository = r.repository AND m.digest = r.digest
                    WHERE t.repository = $1 AND t.name = $6 AND r.digest > $3 AND m.subject IS NULL
                        AND (m.artifact_type = $4 OR $4 IS NULL)
                    ORDER BY r.digest LIMIT $5 + 0
                ) AS listed
            ) ",
            $and
        )
    };
}

impl Metadata {
    /// Some manifests of `repository` about `subject`, by digest, those after `after`; of one artifact type only, if one is given.
    /// Those are the manifests that name it as their subject; and those that name none and that clients put into an index under the
    /// tag for it, as they do where a registry cannot list referrers.
    ///
    /// Each descriptor carries the manifest's annotations. There is at least one, unless there are no more, and all but one of them
    /// have at most `bytes` together: annotations can fill a manifest, and many would fill the memory.
    pub async fn list_referrers(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
        artifact_type: Option<&MediaType>,
        after: &str,
        bytes: u64,
    ) -> Result<Vec<Descriptor>> {
        let tag = Tag::of_referrers(subject);
        let sizes: Vec<(String, i64)> = on_db!(&*self.db, db => sqlx::query_as(
            select_referrers!("digest, CAST(LENGTH(content) AS BIGINT)", "ORDER BY digest LIMIT $5 + 0"),
        )
        .bind(repository.as_str())
        .bind(subject.as_str())
        .bind(after)
        .bind(artifact_type.map(MediaType::as_str))
        .bind(ROWS)
        .bind(tag.as_str())
        .fetch_all(db)
        .await)?;
        let Some(last) = last_within(&sizes, bytes)? else {
            return Ok(Vec::new());
        };
        let rows: Vec<ReferrerRow> = on_db!(&*self.db, db => sqlx::query_as(
            select_referrers!(
                "digest, media_type, artifact_type, annotations, CAST(LENGTH(content) AS BIGINT) AS size",
                "AND digest <= $7 ORDER BY digest"
            ),
        )
        .bind(repository.as_str())
        .bind(subject.as_str())
        .bind(after)
        .bind(artifact_type.map(MediaType::as_str))
        .bind(ROWS)
        .bind(tag.as_str())
        .bind(last)
        .fetch_all(db)
        .await)?;
        rows.into_iter().map(descriptor).collect()
    }
}

impl Metadata {
    /// Some indexes of `repository` that list a manifest, by digest.
    pub async fn list_indexes_of(
        &self,
        repository: &RepositoryName,
        manifest: &Digest,
        limit: i64,
    ) -> Result<Vec<Digest>> {
        let rows: Vec<(String,)> = on_db!(&*self.db, db => sqlx::query_as(
            "SELECT manifest FROM manifest_references WHERE repository = $1 AND kind = 'manifest' AND digest = $2 ORDER BY manifest LIMIT $3 + 0",
        )
        .bind(repository.as_str())
        .bind(manifest.as_str())
        .bind(limit)
        .fetch_all(db)
        .await)?;
        let digest = |(text,): (String,)| parse(&text, "manifest_references", "manifest");
        rows.into_iter().map(digest).collect()
    }
}

/// The last of the digests before which come at most `bytes`.
fn last_within(sizes: &[(String, i64)], bytes: u64) -> Result<Option<&str>> {
    let (mut last, mut before) = (None, 0);
    for (digest, size) in sizes {
        if before > bytes {
            break;
        }
        (last, before) = (Some(digest.as_str()), before + unsigned(*size, "manifests", "content")?);
    }
    Ok(last)
}

fn descriptor(row: ReferrerRow) -> Result<Descriptor> {
    let mut descriptor = Descriptor::new(
        parse(&row.media_type, "manifests", "media_type")?,
        parse(&row.digest, "manifests", "digest")?,
        unsigned(row.size, "manifests", "content")?,
    );
    descriptor.artifact_type = row
        .artifact_type
        .map(|text| parse(&text, "manifests", "artifact_type"))
        .transpose()?;
    descriptor.annotations = manifests::annotations(&row.annotations)?;
    Ok(descriptor)
}
