//! Edges: what a manifest is made of, written when it is pushed.

use std::{collections::HashMap, sync::LazyLock};

use wreg_oci::{Descriptor, Digest, RepositoryName};

use super::{
    Result,
    group::{Answers, Group, Rows, Value},
    unsigned,
};

/// How many edges one statement looks up or writes: the least of these that is enough, filled up with the last edge, so that statements
/// are few and stay prepared. A manifest of 4 MiB can have tens of thousands of edges, for which the largest is used again and again.
const AT_ONCE: [usize; 2] = [8, 500];

/// What edges lead to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Edge {
    Blob,
    Manifest,
}

/// The texts of the statements, by their sizes.
type Texts = [String; AT_ONCE.len()];

static BLOB_SIZES: LazyLock<Texts> = LazyLock::new(|| {
    sizes(
        "SELECT held.digest, b.size FROM repository_blobs held JOIN blobs b ON b.digest = held.digest AND b.state = 'live'",
    )
});
// LENGTH of a binary column counts bytes on both databases; PostgreSQL's is a 32-bit number.
static MANIFEST_SIZES: LazyLock<Texts> =
    LazyLock::new(|| sizes("SELECT held.digest, CAST(LENGTH(held.content) AS BIGINT) FROM manifests held"));
static INSERTS: LazyLock<Texts> = LazyLock::new(|| {
    AT_ONCE.map(|count| {
        let rows: Vec<_> = (4..count + 4)
            .map(|number| format!("($1, $2, $3, ${number})"))
            .collect();
        format!(
            "INSERT INTO manifest_references (repository, manifest, kind, digest) VALUES {} ON CONFLICT DO NOTHING",
            rows.join(", ")
        )
    })
});

static BLOB_ROWS: LazyLock<Rows> = LazyLock::new(|| {
    Rows::new(
        "INSERT INTO manifest_references (repository, manifest, kind, digest) VALUES {rows} ON CONFLICT DO NOTHING",
        "($1, ?, 'blob', ?)",
        1,
    )
});

/// Writes the edges from some small manifests to their blobs.
pub(super) fn insert_to_blobs(group: &mut Group, repository: &RepositoryName, edges: &[(&Digest, &Digest)]) {
    let row = |(manifest, blob): &(&Digest, &Digest)| vec![manifest.as_str().into(), blob.as_str().into()];
    let rows: Vec<_> = edges.iter().map(row).collect();
    BLOB_ROWS.add(group, &[repository.as_str().into()], &rows);
}

fn sizes(select: &str) -> Texts {
    AT_ONCE.map(|count| {
        let digests: Vec<_> = (2..count + 2).map(|number| format!("${number}")).collect();
        format!(
            "{select} WHERE held.repository = $1 AND held.digest IN ({})",
            digests.join(", ")
        )
    })
}

/// Of `texts` the one for so many targets, and the digests of these, filled up.
fn filled(texts: &'static Texts, targets: &[&Descriptor]) -> (&'static str, impl Iterator<Item = Value>) {
    let index = AT_ONCE.iter().position(|count| targets.len() <= *count);
    let index = index.unwrap_or(AT_ONCE.len() - 1);
    let digests: Vec<Value> = targets.iter().map(|target| target.digest.as_str().into()).collect();
    let last = digests.last().cloned().into_iter().cycle();
    (&texts[index], digests.into_iter().chain(last).take(AT_ONCE[index]))
}

/// The parts that one statement each is for.
fn parts<'t, 'a>(targets: &'t [&'a Descriptor]) -> std::slice::Chunks<'t, &'a Descriptor> {
    targets.chunks(AT_ONCE[AT_ONCE.len() - 1])
}

impl Edge {
    fn as_str(self) -> &'static str {
        match self {
            Self::Blob => "blob",
            Self::Manifest => "manifest",
        }
    }

    /// Asks for the sizes of those of `targets` that `repository` holds.
    pub(super) fn ask_sizes(self, group: &mut Group, repository: &RepositoryName, targets: &[&Descriptor]) {
        let texts = match self {
            Self::Blob => &BLOB_SIZES,
            Self::Manifest => &MANIFEST_SIZES,
        };
        for part in parts(targets) {
            let (text, digests) = filled(texts, part);
            let values: Vec<_> = std::iter::once(repository.as_str().into()).chain(digests).collect();
            group.add(text, values);
        }
    }

    /// The answer to that, by digest.
    pub(super) fn sizes(self, answers: &mut Answers, targets: &[&Descriptor]) -> Result<HashMap<String, u64>> {
        let (table, column) = match self {
            Self::Blob => ("blobs", "size"),
            Self::Manifest => ("manifests", "content"),
        };
        let mut sizes = HashMap::new();
        for _ in parts(targets) {
            for (digest, size) in answers.rows::<(String, i64)>()? {
                sizes.insert(digest, unsigned(size, table, column)?);
            }
        }
        Ok(sizes)
    }

    /// Writes the edges from `manifest` to `targets`.
    pub(super) fn insert(
        self,
        group: &mut Group,
        repository: &RepositoryName,
        manifest: &Digest,
        targets: &[&Descriptor],
    ) {
        for part in parts(targets) {
            let (text, digests) = filled(&INSERTS, part);
            let from = [repository.as_str(), manifest.as_str(), self.as_str()].map(Value::from);
            let values: Vec<_> = from.into_iter().chain(digests).collect();
            group.add(text, values);
        }
    }
}
