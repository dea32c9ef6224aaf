//! Referrers: the manifests that name another one as their subject.

use sqlx::FromRow;
use wreg_oci::{Descriptor, Digest, MediaType, RepositoryName};

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

impl Metadata {
    /// Some manifests of `repository` whose subject is `subject`, by digest, those after `after`; of one artifact type only, if
    /// one is given. Each descriptor carries the manifest's annotations. There is at least one, unless there are no more, and
    /// all but one of them have at most `bytes` together: annotations can fill a manifest, and many would fill the memory.
    pub async fn list_referrers(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
        artifact_type: Option<&MediaType>,
        after: &str,
        bytes: u64,
    ) -> Result<Vec<Descriptor>> {
        let sizes: Vec<(String, i64)> = on_db!(&*self.db, db => sqlx::query_as(
            "SELECT digest, CAST(LENGTH(content) AS BIGINT) FROM manifests
             WHERE repository = $1 AND subject = $2 AND digest > $3 AND (artifact_type = $4 OR $4 IS NULL) ORDER BY digest LIMIT $5",
        )
        .bind(repository.as_str())
        .bind(subject.as_str())
        .bind(after)
        .bind(artifact_type.map(MediaType::as_str))
        .bind(ROWS)
        .fetch_all(db)
        .await)?;
        let Some(last) = last_within(&sizes, bytes)? else {
            return Ok(Vec::new());
        };
        let rows: Vec<ReferrerRow> = on_db!(&*self.db, db => sqlx::query_as(
            "SELECT digest, media_type, artifact_type, annotations, CAST(LENGTH(content) AS BIGINT) AS size FROM manifests
             WHERE repository = $1 AND subject = $2 AND digest > $3 AND (artifact_type = $4 OR $4 IS NULL) AND digest <= $5 ORDER BY digest",
        )
        .bind(repository.as_str())
        .bind(subject.as_str())
        .bind(after)
        .bind(artifact_type.map(MediaType::as_str))
        .bind(last)
        .fetch_all(db)
        .await)?;
        rows.into_iter().map(descriptor).collect()
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
