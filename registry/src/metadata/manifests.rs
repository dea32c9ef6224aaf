//! Manifests: their bytes, their edges, and the tags that a push gives them.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use bytes::Bytes;
use sqlx::FromRow;
use wreg_api::{Marks, MissingReferences};
use wreg_oci::{Annotations, Descriptor, Digest, Manifest, MediaType, RepositoryName, Tag, TagOrDigest, version};

use super::{
    Error, Metadata, Operation, Result, Touched, Trips, Tx, blobs,
    blobs::Deletion,
    components::{self, NewComponent},
    deletions,
    edges::Edge,
    events::{self, Event, Kind},
    facts::Within,
    go_through,
    group::{Answers, Group, Rows},
    jobs, on_db, parse, repositories,
    repositories::Settings,
    tags, versions,
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
    /// What has been said of it since.
    pub marks: Marks,
}

#[derive(FromRow)]
struct ManifestRow {
    digest: String,
    media_type: String,
    content: Vec<u8>,
    marks: Option<String>,
}

impl TryFrom<ManifestRow> for ManifestRecord {
    type Error = super::Error;

    fn try_from(row: ManifestRow) -> Result<Self> {
        Ok(Self {
            digest: parse(&row.digest, "manifests", "digest")?,
            media_type: parse(&row.media_type, "manifests", "media_type")?,
            content: row.content.into(),
            marks: versions::marks(row.marks.as_deref())?,
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
        let read = || self.read_manifest(repository, selector);
        let Some(facts) = &self.facts else {
            return Box::pin(read()).await;
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
                ("SELECT digest, media_type, content, marks FROM manifests WHERE repository = $1 AND digest = $2", digest.as_str())
            }
            TagOrDigest::Tag(tag) => (
                "SELECT m.digest, m.media_type, m.content, m.marks FROM tags t JOIN manifests m ON m.repository = t.repository AND m.digest = t.digest
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
    /// The WebAssembly in it, if there is some.
    pub(crate) component: Option<NewComponent>,
    /// Whether tags that are versions keep their manifest, whatever the repository says of tags.
    pub(crate) versions_stay: bool,
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
    Done {
        /// Tags that stay where they are: versions, of the same WebAssembly with other words around it.
        kept: Vec<(Tag, Digest)>,
    },
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
    TagImmutable {
        /// The tag.
        tag: Tag,
        /// The manifest that it keeps.
        digest: Digest,
        /// Whether it was deleted.
        deleted: bool,
    },
    /// The precondition does not hold.
    PreconditionFailed,
}

impl Operation for PutManifest {
    type Output = Put;

    fn touched(&self) -> Touched<'_> {
        Touched::Repository(self.repository.as_str())
    }

    fn trips(&self) -> Trips {
        Trips::Two
    }

    fn ask(&self, group: &mut Group) {
        repositories::ask_lock(group, &self.repository);
        group.add(
            "SELECT 1 FROM manifests WHERE repository = $1 AND digest = $2",
            [self.repository.as_str().into(), self.digest.as_str().into()],
        );
        for tag in &self.tags {
            tags::ask(group, &self.repository, tag);
            if self.may_be_kept(tag) {
                components::ask_layer(group, &self.repository, tag);
            }
        }
        for (kind, targets) in self.references() {
            kind.ask_sizes(group, &self.repository, &targets);
        }
    }

    fn answered(&self, answers: &mut Answers, then: &mut Group) -> Result<Option<Put>> {
        let settings = repositories::locked(answers)?;
        let state = self.state(answers)?;
        if let Some(refusal) = self.refusal(&state, settings.unwrap_or(self.defaults)) {
            return Ok(Some(refusal));
        }
        if settings.is_none() {
            return Ok(None);
        }
        let kept = self.kept(&state, settings.unwrap_or(self.defaults));
        self.store(then, &state, &kept);
        Ok(Some(Put::Done { kept }))
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Put> {
        if let Some(put) = go_through(self, tx).await? {
            return Ok(put);
        }
        // Only now, so that what is refused leaves no repository behind; asked again, since another push may have made it.
        repositories::ensure(tx, &self.repository, self.defaults, &self.actor, self.now).await?;
        go_through(self, tx).await?.ok_or(Error::Lost)
    }
}

/// What there is when a manifest is pushed.
struct State {
    /// Whether the manifest is there.
    is_there: bool,
    /// Where each of the tags points.
    tags: Vec<tags::Found>,
    /// The WebAssembly that each of the tags points to, where it is asked for.
    layers: Vec<Option<Digest>>,
    /// The sizes of what it is made of, as far as the repository has it.
    sizes: [HashMap<String, u64>; 2],
}

impl PutManifest {
    /// What was asked for, but for the settings.
    fn state(&self, answers: &mut Answers) -> Result<State> {
        let is_there = answers.row::<(i32,)>()?.is_some();
        let (mut tags, mut layers) = (Vec::new(), Vec::new());
        for tag in &self.tags {
            tags.push(tags::found(answers)?);
            layers.push(if self.may_be_kept(tag) {
                components::layer(answers)?
            } else {
                None
            });
        }
        let [blobs, manifests] = self.references();
        Ok(State {
            is_there,
            tags,
            layers,
            sizes: [
                blobs.0.sizes(answers, &blobs.1)?,
                manifests.0.sizes(answers, &manifests.1)?,
            ],
        })
    }

    fn refusal(&self, state: &State, settings: Settings) -> Option<Put> {
        let tags = || self.tags.iter().zip(&state.tags);
        for (tag, found) in tags() {
            // Whether a tag may be made or moved depends on whether it is there, and only here is that certain.
            let there = found.now.is_some();
            let may = if there {
                self.may_update_tags
            } else {
                self.may_create_tags
            };
            if !may && found.now.as_ref() != Some(&self.digest) {
                let tag = tag.clone();
                return Some(Put::TagDenied { tag, there });
            }
        }
        // What the first tag, or else the digest, selects now.
        let selected = match state.tags.first() {
            Some(found) => found.now.as_ref(),
            None => state.is_there.then_some(&self.digest),
        };
        let holds = match &self.precondition {
            Precondition::None => true,
            Precondition::Is(expected) => selected == Some(expected),
            Precondition::Absent => selected.is_none(),
        };
        if !holds {
            return Some(Put::PreconditionFailed);
        }
        let kept = self.kept(state, settings);
        for (tag, found) in tags() {
            if let Some(digest) = found.last()
                && *digest != self.digest
                && self.stays(tag, settings)
                && !kept.iter().any(|(kept, _)| kept == tag)
            {
                return Some(Put::TagImmutable {
                    tag: tag.clone(),
                    digest: digest.clone(),
                    deleted: found.now.is_none(),
                });
            }
        }
        self.wrong_reference(state, settings.missing_references)
    }

    /// Whether a tag, once there, keeps its manifest.
    fn stays(&self, tag: &Tag, settings: Settings) -> bool {
        tags::is_immutable(tag, settings.immutable_tags) || (self.versions_stay && version::of_tag(tag).is_some())
    }

    /// Whether a tag may stay where it is without that being an error.
    fn may_be_kept(&self, tag: &Tag) -> bool {
        self.component.is_some() && version::of_tag(tag).is_some()
    }

    /// The tags that keep the manifest that they have, because the same WebAssembly is in it: who builds twice gets other times into the
    /// manifest, and means no other version.
    fn kept(&self, state: &State, settings: Settings) -> Vec<(Tag, Digest)> {
        let layer = self.component.as_ref().map(|component| &component.layer);
        let mut kept = Vec::new();
        for ((tag, found), there) in self.tags.iter().zip(&state.tags).zip(&state.layers) {
            if let Some(digest) = &found.now
                && *digest != self.digest
                && there.is_some()
                && there.as_ref() == layer
                && self.stays(tag, settings)
            {
                kept.push((tag.clone(), digest.clone()));
            }
        }
        kept
    }

    fn wrong_reference(&self, state: &State, policy: MissingReferences) -> Option<Put> {
        let mut missing = Vec::new();
        for ((_, targets), held) in self.references().into_iter().zip(&state.sizes) {
            for target in targets {
                match held.get(target.digest.as_str()) {
                    Some(size) if *size != target.size => return Some(Put::SizeDiffers(target.digest.clone())),
                    None if !target.may_be_elsewhere() => missing.push(target.digest.clone()),
                    _ => {}
                }
            }
        }
        let refused = policy == MissingReferences::Reject && !missing.is_empty();
        refused.then_some(Put::Missing(missing))
    }

    /// What it is made of, by the kind of its edges.
    fn references(&self) -> [(Edge, Vec<&Descriptor>); 2] {
        [
            (Edge::Blob, self.manifest.blobs()),
            (Edge::Manifest, self.manifest.manifests()),
        ]
    }

    /// Writes down what is not there yet.
    fn store(&self, group: &mut Group, state: &State, kept: &[(Tag, Digest)]) {
        if !state.is_there {
            self.insert(group);
        }
        if let Some(component) = &self.component {
            components::add(group, &self.repository, &self.digest, component, self.now);
        }
        let mut moved = false;
        for (tag, found) in self.tags.iter().zip(&state.tags) {
            if kept.iter().any(|(kept, _)| kept == tag) {
                continue;
            }
            moved |= found.now.is_some();
            let tag = (tag, found.now.as_ref());
            tags::put(group, &self.repository, tag, &self.digest, &self.actor, self.now);
        }
        // What search shows of the repository may be another version now.
        if self.component.is_some() {
            jobs::ask_index(group, &self.repository, self.now);
        } else if moved {
            jobs::ask_index_of_components(group, &self.repository, self.now);
        }
    }

    fn insert(&self, group: &mut Group) {
        insert(
            group,
            &self.repository,
            &[(&self.digest, &self.manifest, &self.content)],
            self.now,
        );
        deletions::forget(group, &self.repository, &self.digest);
        for (kind, targets) in self.references() {
            kind.insert(group, &self.repository, &self.digest, &targets);
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
        events::add(group, &event);
    }
}

static INSERT: LazyLock<Rows> = LazyLock::new(|| {
    Rows::new(
        "INSERT INTO manifests (repository, digest, media_type, artifact_type, subject, annotations, content, created_at) VALUES {rows}",
        "($1, ?, ?, ?, ?, ?, ?, $2)",
        2,
    )
});

/// Adds the rows of manifests: their digests, what they say, and their bytes.
pub(super) fn insert(
    group: &mut Group,
    repository: &RepositoryName,
    manifests: &[(&Digest, &Manifest, &[u8])],
    now: Millis,
) {
    let row = |(digest, manifest, content): &(&Digest, &Manifest, &[u8])| {
        let annotations = serde_json::to_string(&manifest.annotations).unwrap_or_default();
        let subject = manifest.subject.as_ref();
        vec![
            digest.as_str().into(),
            manifest.media_type.as_str().into(),
            manifest.effective_artifact_type().map(MediaType::as_str).into(),
            subject.map(|subject| subject.digest.as_str()).into(),
            annotations.as_str().into(),
            Some(*content).into(),
        ]
    };
    let rows: Vec<_> = manifests.iter().map(row).collect();
    INSERT.add(group, &[repository.as_str().into(), now.into()], &rows);
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
