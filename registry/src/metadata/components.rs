//! Wasm artifacts: which manifests are some, and what their layers are.
//!
//! What a layer is depends on its bytes alone, so it is kept once, whatever repositories hold it. What is known of an artifact stays
//! when its manifest is deleted, since that can come back, and goes when it is purged.

use sqlx::FromRow;
use wreg_oci::{Digest, Layout, RepositoryName, Tag, TagOrDigest, WasmLayer};

use super::{
    Metadata, Operation, Result, Touched, Tx,
    group::{Answers, Group},
    jobs, on_db, parse, unsigned,
};
use crate::clock::Millis;

/// An artifact that is pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewComponent {
    /// The layer with the WebAssembly.
    pub(crate) layer: Digest,
    /// Its size, in bytes.
    pub(crate) size: u64,
    /// How it is laid out.
    pub(crate) layout: Layout,
    /// The config.
    pub(crate) config: Option<Digest>,
    /// How long its analysis is left to whoever has begun it, in milliseconds, before anybody makes it.
    pub(crate) head_start: Millis,
}

impl From<WasmLayer<'_>> for NewComponent {
    fn from(found: WasmLayer<'_>) -> Self {
        Self {
            layer: found.layer.digest.clone(),
            size: found.layer.size,
            layout: found.layout,
            config: found.config.map(|config| config.digest.clone()),
            head_start: 0,
        }
    }
}

/// How far the analysis of a layer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnalysisState {
    /// It is still to be made.
    Pending,
    /// The layer is valid WebAssembly.
    Analysed,
    /// The layer is no valid WebAssembly.
    Invalid,
    /// It could not be found out within the limits, and will not be tried again.
    Failed,
}

impl AnalysisState {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Pending, "pending"),
        (Self::Analysed, "analysed"),
        (Self::Invalid, "invalid"),
        (Self::Failed, "failed"),
    ];

    fn as_str(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(state, _)| *state == self)
            .map_or("failed", |(_, text)| text)
    }
}

impl std::str::FromStr for AnalysisState {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let found = Self::ALL.iter().find(|(_, name)| *name == text);
        found.map(|(state, _)| *state).ok_or(())
    }
}

/// What is known of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnalysisRecord {
    /// How far the analysis is.
    pub state: AnalysisState,
    /// As JSON, without the WIT: the analysis of a valid layer, what is wrong with an invalid one, or why nothing was found out.
    pub document: String,
    /// The WIT text, as JSON.
    pub wit: Option<String>,
}

/// A Wasm artifact that a tag or digest selects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentRecord {
    /// The digest of its manifest.
    pub manifest: Digest,
    /// The layer with the WebAssembly.
    pub layer: Digest,
    /// Its size, in bytes.
    pub size: u64,
    /// How it is laid out.
    pub layout: Layout,
    /// The config.
    pub config: Option<Digest>,
    /// What is known of the layer, without the WIT.
    pub analysis: AnalysisRecord,
}

#[derive(FromRow)]
struct ComponentRow {
    manifest: String,
    layer: String,
    size: i64,
    layout: String,
    config: Option<String>,
    state: String,
    document: String,
}

impl TryFrom<ComponentRow> for ComponentRecord {
    type Error = super::Error;

    fn try_from(row: ComponentRow) -> Result<Self> {
        let config = row.config.as_deref();
        Ok(Self {
            manifest: parse(&row.manifest, "components", "manifest")?,
            layer: parse(&row.layer, "components", "layer")?,
            size: unsigned(row.size, "components", "size")?,
            layout: parse(&row.layout, "components", "layout")?,
            config: config.map(|config| parse(config, "components", "config")).transpose()?,
            analysis: AnalysisRecord {
                state: parse(&row.state, "analyses", "state")?,
                document: row.document,
                wit: None,
            },
        })
    }
}

impl Metadata {
    /// The Wasm artifact that a tag or digest selects, if it selects one.
    pub async fn find_component(
        &self,
        repository: &RepositoryName,
        selector: &TagOrDigest,
    ) -> Result<Option<ComponentRecord>> {
        let (statement, selector) = match selector {
            TagOrDigest::Digest(digest) => (
                "SELECT c.manifest, c.layer, c.size, c.layout, c.config, COALESCE(a.state, 'pending') AS state, COALESCE(a.document, '') AS document FROM manifests m
                 JOIN components c ON c.repository = m.repository AND c.manifest = m.digest LEFT JOIN analyses a ON a.layer = c.layer
                 WHERE m.repository = $1 AND m.digest = $2",
                digest.as_str(),
            ),
            TagOrDigest::Tag(tag) => (
                "SELECT c.manifest, c.layer, c.size, c.layout, c.config, COALESCE(a.state, 'pending') AS state, COALESCE(a.document, '') AS document FROM tags t
                 JOIN components c ON c.repository = t.repository AND c.manifest = t.digest LEFT JOIN analyses a ON a.layer = c.layer
                 WHERE t.repository = $1 AND t.name = $2",
                tag.as_str(),
            ),
        };
        let row: Option<ComponentRow> = on_db!(&*self.db, db => sqlx::query_as(statement).bind(repository.as_str()).bind(selector).fetch_optional(db).await)?;
        row.map(ComponentRecord::try_from).transpose()
    }

    /// What is known of a layer, by this analyser or a later one; with its WIT.
    pub async fn find_analysis(&self, layer: &Digest, analyser: i64) -> Result<Option<AnalysisRecord>> {
        let row: Option<(String, String, Option<String>)> = on_db!(&*self.db, db => sqlx::query_as(
            "SELECT state, document, wit FROM analyses WHERE layer = $1 AND analyser >= $2 AND state <> 'pending'",
        )
        .bind(layer.as_str())
        .bind(analyser)
        .fetch_optional(db)
        .await)?;
        let record = |(state, document, wit): (String, String, Option<String>)| {
            Ok(AnalysisRecord {
                state: parse(&state, "analyses", "state")?,
                document,
                wit,
            })
        };
        row.map(record).transpose()
    }

    /// A repository that holds a layer, and its size: where a job finds the bytes. `None` once nobody holds it any more.
    pub(crate) async fn find_layer(&self, layer: &Digest) -> Result<Option<(RepositoryName, u64)>> {
        let row: Option<(String, i64)> = on_db!(&*self.db, db => sqlx::query_as(
            "SELECT c.repository, c.size FROM components c
             JOIN repository_blobs held ON held.digest = c.layer AND held.repository = c.repository WHERE c.layer = $1 LIMIT 1",
        )
        .bind(layer.as_str())
        .fetch_optional(db)
        .await)?;
        let found = |(name, size): (String, i64)| {
            Ok((
                parse(&name, "components", "repository")?,
                unsigned(size, "components", "size")?,
            ))
        };
        row.map(found).transpose()
    }
}

/// Asks for the WebAssembly that a tag points to.
pub(super) fn ask_layer(group: &mut Group, repository: &RepositoryName, tag: &Tag) {
    group.add(
        "SELECT c.layer FROM tags t JOIN components c ON c.repository = t.repository AND c.manifest = t.digest
         WHERE t.repository = $1 AND t.name = $2",
        [repository.as_str().into(), tag.as_str().into()],
    );
}

/// The answer to that.
pub(super) fn layer(answers: &mut Answers) -> Result<Option<Digest>> {
    let row: Option<(String,)> = answers.row()?;
    row.map(|(layer,)| parse(&layer, "components", "layer")).transpose()
}

/// Notes that a manifest is a Wasm artifact, and what is still to be done about it: an analysis where none is known.
pub(super) fn add(
    group: &mut Group,
    repository: &RepositoryName,
    manifest: &Digest,
    component: &NewComponent,
    now: Millis,
) {
    group.add(
        "INSERT INTO components (repository, manifest, layer, size, layout, config) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        [
            repository.as_str().into(),
            manifest.as_str().into(),
            component.layer.as_str().into(),
            super::signed(component.size).into(),
            component.layout.as_str().into(),
            component.config.as_ref().map(Digest::as_str).into(),
        ],
    );
    group.add(
        "INSERT INTO analyses (layer, state, document, analyser, analysed_at) VALUES ($1, 'pending', '', 0, $2) ON CONFLICT DO NOTHING",
        [component.layer.as_str().into(), now.into()],
    );
    group.add(
        "INSERT INTO jobs (name, run_at, attempts, fence, leased_until) SELECT $2, $3, 0, 0, 0 FROM analyses
         WHERE layer = $1 AND state = 'pending' ON CONFLICT DO NOTHING",
        [
            component.layer.as_str().into(),
            jobs::analysis(&component.layer).as_str().into(),
            now.saturating_add(component.head_start).into(),
        ],
    );
}

/// Gives up finding out what a layer is that nobody holds any more, or not yet: whoever pushes it asks for that anew.
pub(crate) struct ForgetAnalysis {
    pub(crate) layer: Digest,
}

impl Operation for ForgetAnalysis {
    type Output = ();

    fn touched(&self) -> Touched<'_> {
        Touched::Nothing
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<()> {
        let mut group = Group::default();
        group.add(
            "DELETE FROM analyses WHERE layer = $1 AND state = 'pending'",
            [self.layer.as_str().into()],
        );
        group.add(
            "DELETE FROM jobs WHERE name = $1",
            [jobs::analysis(&self.layer).as_str().into()],
        );
        group.send(tx).await?;
        Ok(())
    }
}

/// Writes down what a layer is, which ends the job of finding it out, and asks for a look at what search shows of those who hold it.
pub(crate) struct PutAnalysis {
    pub(crate) layer: Digest,
    pub(crate) analysis: AnalysisRecord,
    /// The version of what found it out.
    pub(crate) analyser: i64,
    pub(crate) now: Millis,
}

impl Operation for PutAnalysis {
    type Output = ();

    fn touched(&self) -> Touched<'_> {
        Touched::Nothing
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<()> {
        let mut group = Group::default();
        group.add(
            "INSERT INTO analyses (layer, state, document, wit, analyser, analysed_at) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (layer) DO UPDATE SET state = excluded.state, document = excluded.document, wit = excluded.wit,
                analyser = excluded.analyser, analysed_at = excluded.analysed_at
             WHERE analyses.state IN ('pending', 'failed') OR analyses.analyser < excluded.analyser",
            [
                self.layer.as_str().into(),
                self.analysis.state.as_str().into(),
                self.analysis.document.as_str().into(),
                self.analysis.wit.as_deref().into(),
                self.analyser.into(),
                self.now.into(),
            ],
        );
        group.add(
            "DELETE FROM jobs WHERE name = $1",
            [jobs::analysis(&self.layer).as_str().into()],
        );
        group.send(tx).await?;
        let holders: Vec<(String,)> = on_db!(tx, db => sqlx::query_as("SELECT DISTINCT repository FROM components WHERE layer = $1")
            .bind(self.layer.as_str())
            .fetch_all(db)
            .await)?;
        let mut group = Group::default();
        for (holder,) in holders {
            jobs::ask_index(&mut group, &parse(&holder, "components", "repository")?, self.now);
        }
        group.send(tx).await?;
        Ok(())
    }
}

/// Forgets what was in a manifest that is gone for good, and what its layer was, unless somebody else has it too.
pub(super) async fn forget(tx: &mut Tx<'_>, repository: &str, manifest: &str) -> Result<()> {
    let row: Option<(String,)> = on_db!(tx, db => sqlx::query_as("DELETE FROM components WHERE repository = $1 AND manifest = $2 RETURNING layer")
        .bind(repository)
        .bind(manifest)
        .fetch_optional(db)
        .await)?;
    let Some((layer,)) = row else {
        return Ok(());
    };
    on_db!(tx, db => sqlx::query("DELETE FROM analyses WHERE layer = $1 AND NOT EXISTS (SELECT 1 FROM components WHERE layer = $1)")
        .bind(&layer)
        .execute(db)
        .await
        .map(drop))?;
    Ok(())
}
