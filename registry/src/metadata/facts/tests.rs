//! When a fact counts, and when it does not.

use std::cell::Cell;

use futures_util::future::lazy;
use wreg_api::{ImmutableTags, MissingReferences, Visibility};

use super::*;

fn settings(deletable: bool) -> Settings {
    Settings {
        visibility: Visibility::Private,
        immutable_tags: ImmutableTags::None,
        components: wreg_api::ComponentPolicy::Inherit,
        missing_references: MissingReferences::Reject,
        deletable,
    }
}

/// A database of one fact that counts how often it is read.
struct Database {
    facts: Arc<Facts>,
    name: RepositoryName,
    deletable: Cell<bool>,
    reads: Cell<usize>,
}

impl Database {
    fn new() -> Self {
        Self {
            facts: Arc::new(Facts::new()),
            name: "acme/hello".parse().expect("a name"),
            deletable: Cell::new(true),
            reads: Cell::new(0),
        }
    }

    /// Read once it is awaited, and not before.
    fn read(&self) -> impl Future<Output = Result<Option<Settings>>> {
        lazy(|_| {
            self.reads.set(self.reads.get() + 1);
            Ok(Some(settings(self.deletable.get())))
        })
    }

    async fn get(&self, read: impl Future<Output = Result<Option<Settings>>>) -> bool {
        let (kept, epoch) = (&self.facts.settings, self.facts.of(&self.name));
        let found = kept.get_or_read(epoch, &self.name, || self.name.clone(), || read).await;
        found.expect("an answer").expect("a repository").deletable
    }

    fn commit(&self) -> Commit {
        self.facts
            .commit([Touched::Repository(self.name.as_str()); 2].into_iter())
    }
}

#[tokio::test]
async fn a_fact_is_read_once_until_a_commit_touches_it() {
    let database = Database::new();
    assert!(database.get(database.read()).await && database.get(database.read()).await);
    assert_eq!(database.reads.get(), 1);

    let commit = database.commit();
    database.deletable.set(false);
    drop(commit);
    assert!(!database.get(database.read()).await && !database.get(database.read()).await);
    assert_eq!(database.reads.get(), 2);

    drop(database.facts.commit([Touched::Nothing, Touched::Tokens].into_iter()));
    database.get(database.read()).await;
    assert_eq!(database.reads.get(), 2);
    drop(database.facts.commit(std::iter::once(Touched::Everything)));
    database.get(database.read()).await;
    assert_eq!(database.reads.get(), 3);
}

#[tokio::test]
async fn while_a_commit_is_under_way_its_facts_are_read_and_not_kept() {
    let database = Database::new();
    database.get(database.read()).await;
    let commit = database.commit();
    for reads in 2..4 {
        database.get(database.read()).await;
        assert_eq!(database.reads.get(), reads);
    }
    drop(commit);
    database.get(database.read()).await;
    assert_eq!(database.reads.get(), 4);
}

#[tokio::test]
async fn what_was_read_before_a_commit_does_not_count_after_it() {
    let database = Database::new();
    let overtaken = async {
        let old = database.read().await;
        let commit = database.commit();
        database.deletable.set(false);
        drop(commit);
        old
    };
    assert!(database.get(overtaken).await);
    assert!(!database.get(database.read()).await);
}

#[test]
fn what_is_borrowed_finds_what_is_owned() {
    let facts = Facts::new();
    let name: RepositoryName = "acme/hello".parse().expect("a name");
    let selector: TagOrDigest = "latest".parse().expect("a tag");
    let record = Arc::new(ManifestRecord {
        marks: wreg_api::Marks::default(),
        digest: Digest::sha256("{}"),
        media_type: "application/vnd.oci.image.manifest.v1+json".parse().expect("a type"),
        content: bytes::Bytes::from_static(b"{}"),
    });
    let kept = &facts.manifests.0;
    kept.insert(Within(name.clone(), selector.clone()), (0, record));
    assert!(kept.get(&Within(&name, &selector)).is_some());
    let other: TagOrDigest = "newest".parse().expect("a tag");
    assert!(kept.get(&Within(&name, &other)).is_none());
}
