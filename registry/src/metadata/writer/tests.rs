//! What is committed together, and what becomes of those in bad company.

use std::sync::Arc;

use tokio::{
    sync::Semaphore,
    task::{JoinHandle, yield_now},
};

use wreg_api::{ImmutableTags, MissingReferences, Visibility};
use wreg_oci::{Digest, Manifest, MediaType, RepositoryName, TagOrDigest};

use super::super::{
    Metadata, Operation, Result, Touched, Tx,
    blobs::{Place, Publish, PutBlob},
    collection::ClockNote,
    manifests::{Precondition, Put, PutManifest},
    on_db,
    repositories::Settings,
};

const DEFAULTS: Settings = Settings {
    visibility: Visibility::Private,
    immutable_tags: ImmutableTags::None,
    components: wreg_api::ComponentPolicy::Inherit,
    missing_references: MissingReferences::Reject,
    deletable: true,
};

fn repository() -> RepositoryName {
    "acme/hello".parse().expect("a name")
}

fn blob(content: &str) -> Publish {
    Publish(PutBlob {
        repository: repository(),
        digest: Digest::sha256(content),
        size: content.len() as u64,
        place: Place::Store(content.to_owned()),
        upload: None,
        leased_until: 1,
        defaults: DEFAULTS,
        actor: "somebody".to_owned(),
        now: 0,
    })
}

/// A manifest of those blobs.
fn manifest(tag: &str, layers: &[&str], precondition: Precondition) -> PutManifest {
    let layers = layers.iter().map(|content| {
        let (digest, size) = (Digest::sha256(content), content.len());
        serde_json::json!({ "mediaType": "a/b", "digest": digest, "size": size })
    });
    let layers: Vec<_> = layers.collect();
    let content = serde_json::json!({
        "schemaVersion": 2, "mediaType": MediaType::IMAGE_MANIFEST, "config": layers[0], "layers": layers, "annotations": { "for": tag },
    });
    let content = content.to_string().into_bytes();
    PutManifest {
        component: None,
        versions_stay: false,
        repository: repository(),
        digest: Digest::sha256(&content),
        manifest: Manifest::parse(&content, &MediaType::IMAGE_MANIFEST).expect("a manifest"),
        content,
        tags: vec![tag.parse().expect("a tag")],
        precondition,
        may_create_tags: true,
        may_update_tags: true,
        defaults: DEFAULTS,
        actor: "somebody".to_owned(),
        now: 0,
    }
}

/// Puts a row into a table that is not in use here.
const INSERT: &str = "INSERT INTO collection_clock (name, seen_at, held_until) VALUES ('collection', 1, 2)";

/// Operations of a test.
enum Act {
    /// Says that it has begun, and waits until the test says so.
    Wait(Arc<Semaphore>, Arc<Semaphore>),
    /// Adds a row.
    Insert,
    /// Tells what is seen of that row: within the transaction, and outside of it.
    Look(Metadata),
    Fail,
    Panic,
}

impl Operation for Act {
    type Output = Vec<bool>;

    fn touched(&self) -> Touched<'_> {
        Touched::Nothing
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<bool>> {
        match self {
            Self::Wait(begun, until) => {
                begun.add_permits(1);
                until.acquire().await.expect("it is not closed").forget();
            }
            Self::Insert => on_db!(tx, db => sqlx::query(INSERT).execute(db).await.map(drop))?,
            Self::Look(metadata) => {
                let within = on_db!(tx, db => sqlx::query("SELECT 1 FROM collection_clock").fetch_optional(db).await.map(|row| row.is_some()))?;
                return Ok(vec![within, metadata.find_clock_note().await?.is_some()]);
            }
            Self::Fail => on_db!(tx, db => sqlx::query("INSERT INTO nowhere VALUES (1)").execute(db).await.map(drop))?,
            Self::Panic => panic!("as the test wants it"),
        }
        Ok(Vec::new())
    }
}

/// Hands over `acts` while the writer is busy, so that all of them are waiting when it comes to them.
async fn together<O: Operation>(metadata: &Metadata, acts: Vec<O>) -> Vec<Result<O::Output>> {
    fn ask<O: Operation>(metadata: &Metadata, act: O) -> JoinHandle<Result<O::Output>> {
        let metadata = metadata.clone();
        tokio::spawn(async move { metadata.write(act).await })
    }
    let until = Arc::new(Semaphore::new(0));
    let begun = Arc::new(Semaphore::new(0));
    let busy = ask(metadata, Act::Wait(Arc::clone(&begun), Arc::clone(&until)));
    begun.acquire().await.expect("it is not closed").forget();
    let mut asked = Vec::new();
    for act in acts {
        asked.push(ask(metadata, act));
        while metadata.load().2 < asked.len() {
            yield_now().await;
        }
    }
    until.add_permits(1);
    busy.await.expect("no panic").expect("it is done");
    let mut told = Vec::new();
    for one in asked {
        told.push(one.await.expect("no panic"));
    }
    told
}

async fn database() -> (tempfile::TempDir, Metadata) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let metadata = Metadata::open_sqlite(&folder.path().join("wreg.db")).await;
    (folder, metadata.expect("a new database"))
}

#[tokio::test]
async fn what_waits_is_committed_together() {
    let (_folder, metadata) = database().await;
    let told = together(&metadata, vec![Act::Insert, Act::Look(metadata.clone())]).await;
    let [Ok(_), Ok(seen)] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!(seen[..], [true, false], "the row was there and not committed yet");
    assert!(metadata.find_clock_note().await.expect("an answer").is_some());
}

#[tokio::test]
async fn an_operation_that_fails_takes_no_other_one_with_it() {
    for bad in [Act::Fail, Act::Panic] {
        let (_folder, metadata) = database().await;
        let told = together(&metadata, vec![Act::Insert, bad, Act::Look(metadata.clone())]).await;
        let [Ok(_), Err(_), Ok(seen)] = &told[..] else {
            panic!("{told:?}")
        };
        assert_eq!(seen[..], [true, true], "each was done again by itself");
        let note = metadata.find_clock_note().await.expect("an answer");
        assert_eq!(
            note,
            Some(ClockNote {
                seen_at: 1,
                held_until: 2
            })
        );
    }
}

#[tokio::test]
async fn blobs_of_a_new_repository_are_put_together() {
    let (_folder, metadata) = database().await;
    // As many as make trips of eight, two and one.
    let contents: Vec<_> = (0..11).map(|number| format!("content {number}")).collect();
    let told = together(&metadata, contents.iter().map(|content| blob(content)).collect()).await;
    for (content, told) in contents.iter().zip(told) {
        assert_eq!(
            told.expect("it is put").as_ref(),
            Some(content),
            "each at its own place"
        );
        let found = metadata.find_blob(&repository(), &Digest::sha256(content)).await;
        assert_eq!(
            found.expect("an answer").expect("it is there").place,
            Place::Store(content.clone())
        );
    }
    let mut again = blob(&contents[0]);
    again.0.place = Place::Store("elsewhere".to_owned());
    let told = together(&metadata, vec![again, blob("another")]).await;
    let told: Vec<_> = told.into_iter().map(|told| told.expect("it is put")).collect();
    assert_eq!(told, [Some(contents[0].clone()), Some("another".to_owned())]);
}

#[tokio::test]
async fn manifests_that_are_put_together_see_each_other() {
    let (_folder, metadata) = database().await;
    // More blobs than the smallest statement has room for.
    let contents: Vec<_> = (0..12).map(|number| format!("content {number}")).collect();
    let layers: Vec<_> = contents.iter().map(String::as_str).collect();
    for told in together(&metadata, contents.iter().map(|content| blob(content)).collect()).await {
        told.expect("it is put");
    }
    let put = |layers: &[&str]| manifest("1.0.0", layers, Precondition::Absent);
    let (first, second) = (put(&layers), put(&layers[..1]));
    let digest = first.digest.clone();
    let told = together(&metadata, vec![first, second, put(&["nowhere"])]).await;
    let told: Vec<_> = told.into_iter().map(|told| told.expect("an answer")).collect();
    assert_eq!(
        told,
        [
            Put::Done { kept: Vec::new() },
            Put::PreconditionFailed,
            Put::PreconditionFailed
        ]
    );
    let tag = TagOrDigest::Tag("1.0.0".parse().expect("a tag"));
    let found = metadata.find_manifest(&repository(), &tag).await.expect("an answer");
    assert_eq!(found.expect("it is there").digest, digest);
    for content in &contents {
        let referenced = metadata
            .is_blob_referenced(&repository(), &Digest::sha256(content))
            .await;
        assert!(referenced.expect("an answer"), "{content}");
    }
    let told = metadata
        .write(manifest("2.0.0", &["nowhere"], Precondition::None))
        .await;
    assert_eq!(told.expect("an answer"), Put::Missing(vec![Digest::sha256("nowhere")]));
}
