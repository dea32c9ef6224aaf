//! Heads: for each repository with WebAssembly the version that search shows, and what it imports and exports.

use std::collections::BTreeSet;

use sqlx::FromRow;
use wreg_oci::{Digest, RepositoryName, Tag, version};

use super::{
    Metadata, Operation, Result, Touched, Tx,
    group::{Group, Value},
    jobs::{self, Claim},
    on_db, parse, search, versions,
};
use crate::clock::Millis;

/// A tag that may be what search shows: its layer has been analysed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) tag: Tag,
    pub(crate) manifest: Digest,
    pub(crate) layer: Digest,
    pub(crate) size: i64,
    pub(crate) updated_at: Millis,
    pub(crate) yanked: bool,
}

#[derive(FromRow)]
struct CandidateRow {
    name: String,
    digest: String,
    layer: String,
    size: i64,
    updated_at: Millis,
    marks: Option<String>,
}

impl Metadata {
    /// The tags of a repository that point to analysed WebAssembly. Those of signatures are as many, and passed over before anything is
    /// looked up for them: '.' is what follows '-'.
    pub(crate) async fn list_candidates(&self, repository: &RepositoryName) -> Result<Vec<Candidate>> {
        let rows: Vec<CandidateRow> = on_db!(&*self.db, db => sqlx::query_as(
            "SELECT t.name, t.digest, c.layer, c.size, t.updated_at, m.marks FROM tags t
             JOIN components c ON c.repository = t.repository AND c.manifest = t.digest
             JOIN analyses a ON a.layer = c.layer AND a.state = 'analysed'
             JOIN manifests m ON m.repository = t.repository AND m.digest = t.digest
             WHERE t.repository = $1 AND (t.name < 'sha256-' OR t.name >= 'sha256.')",
        )
        .bind(repository.as_str())
        .fetch_all(db)
        .await)?;
        let candidate = |row: CandidateRow| {
            Ok(Candidate {
                tag: parse(&row.name, "tags", "name")?,
                manifest: parse(&row.digest, "tags", "digest")?,
                layer: parse(&row.layer, "components", "layer")?,
                size: row.size,
                updated_at: row.updated_at,
                yanked: versions::marks(row.marks.as_deref())?.yanked.is_some(),
            })
        };
        rows.into_iter().map(candidate).collect()
    }
}

/// The one of these that search shows: the highest version that is neither yanked nor a pre-release; else the highest pre-release; else
/// `latest`; else what was pushed last.
pub(crate) fn head(candidates: Vec<Candidate>) -> Option<Candidate> {
    let open = candidates
        .into_iter()
        .filter(|candidate| !candidate.yanked && !candidate.tag.is_attachment());
    open.max_by_key(|candidate| {
        let version = version::of_tag(&candidate.tag);
        let is_release = version.as_ref().is_some_and(|version| version.pre.is_empty());
        let is_latest = candidate.tag == Tag::latest();
        (
            is_release,
            version,
            is_latest,
            candidate.updated_at,
            candidate.tag.clone(),
        )
    })
}

/// What search knows of a head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) candidate: Candidate,
    pub(crate) kind: &'static str,
    pub(crate) world: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) licenses: Option<String>,
    /// In lower case.
    pub(crate) languages: Vec<String>,
    pub(crate) items: Vec<HeadItem>,
    pub(crate) words: Words,
}

/// Something that a head imports or exports, or the world that it is made for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HeadItem {
    pub(crate) direction: Direction,
    /// Without the version: `wasi:http/types`.
    pub(crate) name: String,
    /// Empty if it has none.
    pub(crate) version: String,
}

/// What an item is to its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Direction {
    /// It needs it.
    Import,
    /// It provides it.
    Export,
    /// It is made for this world.
    World,
}

impl Direction {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Export => "export",
            Self::World => "world",
        }
    }
}

/// The words that a head is found by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Words {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) items: String,
    pub(crate) docs: String,
}

/// Makes `head` what search shows of a repository, or takes the repository out of it. Does nothing for a claim that has been lost.
pub(crate) struct PutHead {
    pub(crate) claim: Claim,
    pub(crate) repository: RepositoryName,
    pub(crate) head: Option<Head>,
}

impl Operation for PutHead {
    type Output = bool;

    fn touched(&self) -> Touched<'_> {
        Touched::Nothing
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool> {
        if !jobs::done(tx, &self.claim).await? {
            return Ok(false);
        }
        let old: Option<(i64,)> = on_db!(tx, db => sqlx::query_as("DELETE FROM heads WHERE repository = $1 RETURNING id")
            .bind(self.repository.as_str())
            .fetch_optional(db)
            .await)?;
        if let Some((id,)) = old {
            search::forget_words(tx, id).await?;
            on_db!(tx, db => sqlx::query("DELETE FROM head_items WHERE head = $1").bind(id).execute(db).await.map(drop))?;
        }
        let Some(head) = &self.head else {
            return Ok(true);
        };
        let languages = format!(" {} ", head.languages.join(" "));
        let (id,): (i64,) = on_db!(tx, db => sqlx::query_as(
            "INSERT INTO heads (repository, manifest, tag, kind, world, description, licenses, languages, size, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id",
        )
        .bind(self.repository.as_str())
        .bind(head.candidate.manifest.as_str())
        .bind(head.candidate.tag.as_str())
        .bind(head.kind)
        .bind(&head.world)
        .bind(&head.description)
        .bind(&head.licenses)
        .bind(&languages)
        .bind(head.candidate.size)
        .bind(head.candidate.updated_at)
        .fetch_one(db)
        .await)?;
        search::put_words(tx, id, &head.words).await?;
        let mut group = Group::default();
        // In one order everywhere: on PostgreSQL two servers that add the same ones would otherwise wait for each other.
        for item in head.items.iter().collect::<BTreeSet<_>>() {
            let [direction, name, version] = [item.direction.as_str(), &item.name, &item.version].map(Value::from);
            group.add(
                "INSERT INTO items (direction, name, version) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                [direction.clone(), name.clone(), version.clone()],
            );
            group.add(
                "INSERT INTO head_items (item, head) SELECT id, $4 FROM items WHERE direction = $1 AND name = $2 AND version = $3",
                [direction, name, version, id.into()],
            );
        }
        group.send(tx).await?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(tag: &str, updated_at: Millis, yanked: bool) -> Candidate {
        Candidate {
            tag: tag.parse().expect("a tag"),
            manifest: Digest::sha256(tag),
            layer: Digest::sha256(tag),
            size: 1,
            updated_at,
            yanked,
        }
    }

    #[test]
    fn search_shows_the_highest_release_that_is_not_yanked() {
        let shown = |candidates: &[(&str, Millis, bool)]| {
            let candidates = candidates.iter().map(|(tag, at, yanked)| candidate(tag, *at, *yanked));
            head(candidates.collect()).map(|head| head.tag.to_string())
        };
        let attachment = format!("sha256-{}.sig", "a".repeat(64));
        for (candidates, expected) in [
            (
                vec![("1.2.0", 5, false), ("1.10.0", 1, false), ("latest", 9, false)],
                Some("1.10.0"),
            ),
            (
                vec![("1.2.0", 1, false), ("2.0.0", 2, true), ("2.1.0-rc.1", 3, false)],
                Some("1.2.0"),
            ),
            (vec![("2.1.0-rc.1", 3, false), ("latest", 4, false)], Some("2.1.0-rc.1")),
            (vec![("edge", 9, false), ("latest", 4, false)], Some("latest")),
            (vec![("edge", 9, false), ("nightly", 10, false)], Some("nightly")),
            (vec![("1.0.0", 9, true)], None),
            (vec![(attachment.as_str(), 9, false)], None),
            (vec![], None),
        ] {
            assert_eq!(shown(&candidates).as_deref(), expected, "{candidates:?}");
        }
    }
}
