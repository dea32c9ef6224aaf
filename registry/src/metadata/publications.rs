//! A manifest with all that it takes to vouch for it, in one look.

use sqlx::FromRow;
use wreg_oci::{Digest, MediaType, RepositoryName, Tag};

use super::{
    Metadata, Result, Tx,
    components::{AnalysisRecord, AnalysisState},
    on_db, parse, unsigned,
};

/// A manifest that is vouched for.
#[derive(Debug)]
pub(crate) struct Publishable {
    pub(crate) media_type: MediaType,
    /// Of the manifest, in bytes.
    pub(crate) size: u64,
    /// The layer with the WebAssembly, and what is known of it, if there is one.
    pub(crate) component: Option<(Digest, AnalysisRecord)>,
    /// What its tag for signatures of the older form points to.
    pub(crate) signatures: Option<Signatures>,
}

/// The manifest of signatures of the older form.
#[derive(Debug)]
pub(crate) struct Signatures {
    pub(crate) digest: Digest,
    pub(crate) media_type: MediaType,
    pub(crate) content: Vec<u8>,
}

#[derive(FromRow)]
struct Row {
    media_type: String,
    size: i64,
    layer: Option<String>,
    state: Option<String>,
    document: Option<String>,
    signatures: Option<String>,
    signatures_type: Option<String>,
    signatures_content: Option<Vec<u8>>,
}

// LENGTH of a binary column counts bytes on both databases; PostgreSQL's is a 32-bit number.
const STATEMENT: &str = "SELECT m.media_type, CAST(LENGTH(m.content) AS BIGINT) AS size, c.layer, a.state, a.document,
        s.digest AS signatures, s.media_type AS signatures_type, s.content AS signatures_content
    FROM manifests m
    LEFT JOIN components c ON c.repository = m.repository AND c.manifest = m.digest
    LEFT JOIN analyses a ON a.layer = c.layer
    LEFT JOIN tags t ON t.repository = m.repository AND t.name = $3
    LEFT JOIN manifests s ON s.repository = t.repository AND s.digest = t.digest
    WHERE m.repository = $1 AND m.digest = $2";

/// A manifest of a repository, and the tag of its signatures.
pub(crate) type Wanted<'a> = (&'a RepositoryName, &'a Digest, Option<&'a Tag>);

/// The question, for either database.
macro_rules! question {
    ($wanted:expr) => {{
        let (repository, digest, tag): Wanted<'_> = $wanted;
        sqlx::query_as::<_, Row>(STATEMENT)
            .bind(repository.as_str())
            .bind(digest.as_str())
            .bind(tag.map(Tag::as_str))
    }};
}

impl Metadata {
    /// A manifest, if it is there.
    pub(crate) async fn find_publishable(&self, wanted: Wanted<'_>) -> Result<Option<Publishable>> {
        let row = on_db!(&*self.db, db => question!(wanted).fetch_optional(db).await)?;
        row.map(Publishable::try_from).transpose()
    }
}

/// The same in a transaction.
pub(super) async fn find(tx: &mut Tx<'_>, wanted: Wanted<'_>) -> Result<Option<Publishable>> {
    let row = on_db!(tx, db => question!(wanted).fetch_optional(db).await)?;
    row.map(Publishable::try_from).transpose()
}

impl TryFrom<Row> for Publishable {
    type Error = super::Error;

    fn try_from(row: Row) -> Result<Self> {
        let component = row.layer.map(|layer| {
            let state = row.state.as_deref().map(|state| parse(state, "analyses", "state"));
            let record = AnalysisRecord {
                state: state.transpose()?.unwrap_or(AnalysisState::Pending),
                document: row.document.unwrap_or_default(),
                wit: None,
            };
            Ok::<_, super::Error>((parse(&layer, "components", "layer")?, record))
        });
        let there = row.signatures.zip(row.signatures_type).zip(row.signatures_content);
        let signatures = there.map(|((digest, media_type), content)| {
            Ok::<_, super::Error>(Signatures {
                digest: parse(&digest, "manifests", "digest")?,
                media_type: parse(&media_type, "manifests", "media_type")?,
                content,
            })
        });
        Ok(Self {
            media_type: parse(&row.media_type, "manifests", "media_type")?,
            size: unsigned(row.size, "manifests", "content")?,
            component: component.transpose()?,
            signatures: signatures.transpose()?,
        })
    }
}
