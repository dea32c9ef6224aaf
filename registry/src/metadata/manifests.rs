//! Manifests: their bytes, their edges, and the tags that a push gives them.

use std::sync::Arc;

use bytes::Bytes;
use sqlx::FromRow;
use wreg_api::MissingReferences;
use wreg_oci::{Annotations, Descriptor, Digest, Manifest, MediaType, RepositoryName, Tag, TagOrDigest};

use super::{
    Metadata, Operation, Result, Touched, Tx, blobs,
    blobs::Deletion,
    deletions,
    edges::Edge,
    events::{self, Event, Kind},
    facts::Within,
    on_db, parse, repositories,
    repositories::Settings,
    tags,
};
use crate::clock::Millis;

/// A stored manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestRecord {
    /// Its digest, by the algorithm that it was pushed with.
    pub digest: Digest,
    /// Its type, as it was pushed.
    pub media_type: MediaType,
    /// Its bytes, as they were pushed: at most 4 MiB.
    pub content: Bytes,
}

#[derive(FromRow)]
struct ManifestRow {
    digest: String,
    media_type: String,
    content: Vec<u8>,
}

impl TryFrom<ManifestRow> for ManifestRecord {
    type Error = super::Error;

    fn try_from(row: ManifestRow) -> Result<Self> {
        Ok(Self {
            digest: parse(&row.digest, "manifests", "digest")?,
            media_type: parse(&row.media_type, "manifests", "media_type")?,
            content: row.content.into(),
        })
    }
}

impl Metadata {
    /// The manifest that a tag or digest selects in `repository`, if there is one.
    pub async fn find_manifest(
        &self,
        repository: &RepositoryName,
        selector: &TagOrDigest,
    ) -> Result<Option<Arc<ManifestRecord>>> {
        let read = self.read_manifest(repository, selector);
        let Some(facts) = &self.facts else {
            return read.await;
        };
        let key = || Within(repository.clone(), selector.clone());
        let asked = Within(repository, selector);
        facts
            .manifests
            .get_or_read(facts.of(repository), &asked, key, read)
            .await
    }

    /// The same from the database itself, whatever is in memory.
    pub(crate) async fn read_manifest(
        &self,
        repository: &RepositoryName,
        selector: &TagOrDigest,
    ) -> Result<Option<Arc<ManifestRecord>>> {
        let (statement, selector) = match selector {
            TagOrDigest::Digest(digest) => {
                ("SELECT digest, media_type, content FROM manifests WHERE repository = $1 AND digest = $2", digest.as_str())
            }
            TagOrDigest::Tag(tag) => (
                "SELECT m.digest, m.media_type, m.content FROM tags t JOIN manifests m ON m.repository = t.repository AND m.digest = t.digest
                 WHERE t.repository = $1 AND t.name = $2",
                tag.as_str(),
            ),
        };
        let row: Option<ManifestRow> = on_db!(&*self.db, db => sqlx::query_as(statement).bind(repository.as_str()).bind(selector).fetch_optional(db).await)?;
        row.map(|row| row.try_into().map(Arc::new)).transpose()
    }
}

/// What a request says of the state that it expects (RFC 9110, section 13.1).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Precondition {
    /// Nothing.
    #[default]
    None,
    /// `If-Match`: the tag or digest selects this manifest.
    Is(Digest),
    /// `If-None-Match: *`: it selects none.
    Absent,
}

/// Stores a manifest with its edges and tags, or nothing.
pub(crate) struct PutManifest {
    pub(crate) repository: RepositoryName,
    pub(crate) digest: Digest,
    pub(crate) manifest: Manifest,
    pub(crate) content: Vec<u8>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) precondition: Precondition,
    pub(crate) may_create_tags: bool,
    pub(crate) may_update_tags: bool,
    pub(crate) defaults: Settings,
    pub(crate) actor: String,
    pub(crate) now: Millis,
}

/// What became of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Put {
    /// It is stored, or was before.
    Done,
    /// These blobs and manifests are not in the repository.
    Missing(Vec<Digest>),
    /// A descriptor names this content with another size than it has.
    SizeDiffers(Digest),
    /// The pusher may not make this tag, or not move it.
    TagDenied {
        /// The tag.
        tag: Tag,
        /// Whether it is there.
        there: bool,
    },
    /// This tag exists, or did until it was deleted, and keeps its manifest.
    TagImmutable(Tag),
    /// The precondition does not hold.
    PreconditionFailed,
}

impl Operation for PutManifest {
    type Output = Put;

    fn touched(&self) -> Touched<'_> {
        Touched::Repository(self.repository.as_str())
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Put> {
        let known = repositories::lock(tx, &self.repository).await?;
        if let Some(refusal) = self.refusal(tx, known.unwrap_or(self.defaults)).await? {
            return Ok(refusal);
        }
        if known.is_none() {
            // Only now, so that what is refused leaves no repository behind; asked again, since another push may have made it.
            let settings = repositories::ensure(tx, &self.repository, self.defaults, &self.actor, self.now).await?;
            if let Some(refusal) = self.refusal(tx, settings).await? {
                return Ok(refusal);
            }
        }
        if self.insert(tx).await? {
            deletions::forget(tx, &self.repository, &self.digest).await?;
            for (kind, targets) in self.references() {
                kind.insert(tx, &self.repository, &self.digest, &targets).await?;
            }
            let event = Event {
                at: self.now,
                actor: &self.actor,
                kind: Kind::ManifestPut,
                repository: Some(&self.repository),
                subject: self.digest.as_str(),
                old: None,
                new: Some(self.manifest.media_type.as_str()),
            };
            events::append(tx, event).await?;
        }
        for tag in &self.tags {
            tags::put(tx, &self.repository, tag, &self.digest, &self.actor, self.now).await?;
        }
        Ok(Put::Done)
    }
}

impl PutManifest {
    async fn refusal(&self, tx: &mut Tx<'_>, settings: Settings) -> Result<Option<Put>> {
        if let Some(refusal) = self.denied_tag(tx).await? {
            return Ok(Some(refusal));
        }
        let holds = match &self.precondition {
            Precondition::None => true,
            Precondition::Is(expected) => self.selected(tx).await?.as_ref() == Some(expected),
            Precondition::Absent => self.selected(tx).await?.is_none(),
        };
        if !holds {
            return Ok(Some(Put::PreconditionFailed));
        }
        for tag in &self.tags {
            let keeps = tags::is_immutable(tag, settings.immutable_tags);
            if keeps
                && tags::find_last(tx, &self.repository, tag)
                    .await?
                    .is_some_and(|digest| digest != self.digest)
            {
                return Ok(Some(Put::TagImmutable(tag.clone())));
            }
        }
        self.wrong_reference(tx, settings.missing_references).await
    }

    /// What the first tag, or else the digest, selects now.
    async fn selected(&self, tx: &mut Tx<'_>) -> Result<Option<Digest>> {
        match self.tags.first() {
            Some(tag) => tags::find(tx, &self.repository, tag).await,
            None => find_digest(tx, &self.repository, &self.digest).await,
        }
    }

    /// Whether a tag may be made or moved depends on whether it is there, and only here is that certain.
    async fn denied_tag(&self, tx: &mut Tx<'_>) -> Result<Option<Put>> {
        if self.may_create_tags && self.may_update_tags {
            return Ok(None);
        }
        for tag in &self.tags {
            let found = tags::find(tx, &self.repository, tag).await?;
            let there = found.is_some();
            let stays = found.as_ref() == Some(&self.digest);
            let may = if there {
                self.may_update_tags
            } else {
                self.may_create_tags
            };
            if !may && !stays {
                let tag = tag.clone();
                return Ok(Some(Put::TagDenied { tag, there }));
            }
        }
        Ok(None)
    }

    async fn wrong_reference(&self, tx: &mut Tx<'_>, policy: MissingReferences) -> Result<Option<Put>> {
        let mut missing = Vec::new();
        for (kind, targets) in self.references() {
            let held = kind.sizes(tx, &self.repository, &targets).await?;
            for target in targets {
                match held.get(target.digest.as_str()) {
                    Some(size) if *size != target.size => return Ok(Some(Put::SizeDiffers(target.digest.clone()))),
                    None if !target.may_be_elsewhere() => missing.push(target.digest.clone()),
                    _ => {}
                }
            }
        }
        let refused = policy == MissingReferences::Reject && !missing.is_empty();
        Ok(refused.then_some(Put::Missing(missing)))
    }

    /// What it is made of, by the kind of its edges.
    fn references(&self) -> [(Edge, Vec<&Descriptor>); 2] {
        [
            (Edge::Blob, self.manifest.blobs()),
            (Edge::Manifest, self.manifest.manifests()),
        ]
    }

    /// Whether it was not there before.
    async fn insert(&self, tx: &mut Tx<'_>) -> Result<bool> {
        let artifact_type = self.manifest.effective_artifact_type().map(MediaType::as_str);
        let subject = self.manifest.subject.as_ref().map(|subject| subject.digest.as_str());
        let annotations = serde_json::to_string(&self.manifest.annotations).unwrap_or_default();
        Ok(on_db!(tx, db => sqlx::query(
            "INSERT INTO manifests (repository, digest, media_type, artifact_type, subject, annotations, content, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (repository, digest) DO NOTHING",
        )
        .bind(self.repository.as_str())
        .bind(self.digest.as_str())
        .bind(self.manifest.media_type.as_str())
        .bind(artifact_type)
        .bind(subject)
        .bind(&annotations)
        .bind(&self.content)
        .bind(self.now)
        .execute(db)
        .await
        .map(|done| done.rows_affected() == 1))?)
    }
}

async fn find_digest(tx: &mut Tx<'_>, repository: &RepositoryName, digest: &Digest) -> Result<Option<Digest>> {
    Ok(find_size(tx, repository, digest).await?.map(|_| digest.clone()))
}

async fn find_size(tx: &mut Tx<'_>, repository: &RepositoryName, digest: &Digest) -> Result<Option<u64>> {
    // LENGTH of a binary column counts bytes on both databases; PostgreSQL's is a 32-bit number.
    let row: Option<(i64,)> = on_db!(tx, db => sqlx::query_as("SELECT CAST(LENGTH(content) AS BIGINT) FROM manifests WHERE repository = $1 AND digest = $2")
        .bind(repository.as_str())
        .bind(digest.as_str())
        .fetch_optional(db)
        .await)?;
    row.map(|(size,)| super::unsigned(size, "manifests", "content"))
        .transpose()
}

/// Deletes a manifest and the tags that point to it. They can be brought back until they are purged.
pub(crate) struct DeleteManifest {
    pub(crate) repository: RepositoryName,
    pub(crate) digest: Digest,
    pub(crate) actor: String,
    pub(crate) now: Millis,
}

impl Operation for DeleteManifest {
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
        if find_size(tx, &self.repository, &self.digest).await?.is_none() {
            return Ok(Deletion::Unknown);
        }
        if let Some(by) = blobs::user(tx, &self.repository, "manifest", &self.digest).await? {
            return Ok(Deletion::InUse { by });
        }
        deletions::bury(tx, &self.repository, &self.digest, None, &self.actor, self.now).await?;
        Ok(Deletion::Done)
    }
}

/// Reads the annotations of a manifest's row.
pub(super) fn annotations(text: &str) -> Result<Annotations> {
    serde_json::from_str(text).map_err(|_| super::Error::Corrupt {
        table: "manifests",
        column: "annotations",
    })
}
