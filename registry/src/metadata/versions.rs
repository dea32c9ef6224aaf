//! Versions: tags that are semantic versions, and what is said of manifests after they were pushed.

use std::sync::Arc;

use sqlx::FromRow;
use wreg_api::{MarkChange, Marks, Version, version::MAX_ADVISORIES};
use wreg_oci::{Digest, RepositoryName, Tag, version};

use super::{
    Error, Metadata, Operation, Result, Touched, Tx,
    events::{self, Event, Kind},
    group::Group,
    jobs, on_db, parse, repositories, unsigned,
};
use crate::clock::Millis;

/// A tag with what it points to.
#[derive(FromRow)]
struct TagRow {
    name: String,
    digest: String,
    updated_at: Millis,
    marks: Option<String>,
    size: Option<i64>,
}

impl TagRow {
    fn version(self) -> Result<Option<Version>> {
        let tag: Tag = parse(&self.name, "tags", "name")?;
        let Some(version) = version::of_tag(&tag) else {
            return Ok(None);
        };
        Ok(Some(Version {
            version,
            tag,
            digest: parse(&self.digest, "tags", "digest")?,
            created_at: self.updated_at,
            size: self.size.map(|size| unsigned(size, "components", "size")).transpose()?,
            marks: marks(self.marks.as_deref())?,
        }))
    }
}

/// Reads the marks of a manifest's row.
pub(super) fn marks(text: Option<&str>) -> Result<Marks> {
    let corrupt = |_| Error::Corrupt {
        table: "manifests",
        column: "marks",
    };
    text.map_or(Ok(Marks::default()), |text| serde_json::from_str(text).map_err(corrupt))
}

impl Metadata {
    /// The versions of a repository, the highest first; none for one that is not there.
    pub async fn list_versions(&self, repository: &RepositoryName) -> Result<Arc<Vec<Version>>> {
        let read = || async { self.read_versions(repository).await.map(Arc::new).map(Some) };
        let found = match &self.facts {
            Some(facts) => {
                let key = || repository.clone();
                facts
                    .versions
                    .get_or_read(facts.of(repository), repository, key, read)
                    .await?
            }
            None => read().await?,
        };
        Ok(found.unwrap_or_default())
    }

    async fn read_versions(&self, repository: &RepositoryName) -> Result<Vec<Version>> {
        // Every version begins with a digit, or a v and a digit; ':' is what follows '9'.
        let rows: Vec<TagRow> = on_db!(&*self.db, db => sqlx::query_as(
            "SELECT t.name, t.digest, t.updated_at, m.marks, c.size FROM tags t
             JOIN manifests m ON m.repository = t.repository AND m.digest = t.digest
             LEFT JOIN components c ON c.repository = t.repository AND c.manifest = t.digest
             WHERE t.repository = $1 AND ((t.name >= '0' AND t.name < ':') OR (t.name >= 'v0' AND t.name < 'v:'))",
        )
        .bind(repository.as_str())
        .fetch_all(db)
        .await)?;
        let versions = rows.into_iter().filter_map(|row| row.version().transpose());
        let mut versions = versions.collect::<Result<Vec<_>>>()?;
        versions.sort_by(|a, b| b.version.cmp(&a.version).then_with(|| a.tag.cmp(&b.tag)));
        Ok(versions)
    }
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Marked {
    /// It stands, like this.
    Done(Marks),
    /// The repository holds no such manifest.
    Unknown,
    /// There are too many already.
    TooMany,
}

/// Says something of a manifest, or takes it back.
pub(crate) struct ChangeMarks {
    pub(crate) repository: RepositoryName,
    pub(crate) digest: Digest,
    pub(crate) change: MarkChange,
    pub(crate) actor: String,
    pub(crate) now: Millis,
}

impl Operation for ChangeMarks {
    type Output = Marked;

    fn touched(&self) -> Touched<'_> {
        Touched::Repository(self.repository.as_str())
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Marked> {
        if repositories::lock(tx, &self.repository).await?.is_none() {
            return Ok(Marked::Unknown);
        }
        let row: Option<(Option<String>,)> = on_db!(tx, db => sqlx::query_as("SELECT marks FROM manifests WHERE repository = $1 AND digest = $2")
            .bind(self.repository.as_str())
            .bind(self.digest.as_str())
            .fetch_optional(db)
            .await)?;
        let Some((before,)) = row else {
            return Ok(Marked::Unknown);
        };
        let old = marks(before.as_deref())?;
        let new = old.clone().changed(&self.change, self.now);
        if new.advisories.len() > MAX_ADVISORIES {
            return Ok(Marked::TooMany);
        }
        if new == old {
            return Ok(Marked::Done(new));
        }
        let after = (!new.is_empty()).then(|| serde_json::to_string(&new).unwrap_or_default());
        let mut group = Group::default();
        group.add(
            "UPDATE manifests SET marks = $3 WHERE repository = $1 AND digest = $2",
            [
                self.repository.as_str().into(),
                self.digest.as_str().into(),
                after.as_deref().into(),
            ],
        );
        let event = Event {
            at: self.now,
            actor: &self.actor,
            kind: Kind::ManifestMarked,
            repository: Some(&self.repository),
            subject: self.digest.as_str(),
            old: before.as_deref(),
            new: after.as_deref(),
        };
        events::add(&mut group, &event);
        jobs::ask_index_of_components(&mut group, &self.repository, self.now);
        group.send(tx).await?;
        Ok(Marked::Done(new))
    }
}
