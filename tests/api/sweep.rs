//! What nobody will finish: abandoned sessions, and what a crash left in the store.

use std::{
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use wreg_oci::Digest;
use wreg_registry::Clock;

use crate::{
    bucket::on_files,
    flows::{bytes, is_stored, patch, put, stands_at},
    registry::{Options, TestRegistry, refused},
    resume::until,
};

const HOUR: Duration = Duration::from_hours(1);
/// When the tests begin, in seconds since 1970.
const BEGIN: u64 = 1_800_000_000;

fn begin() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(BEGIN)
}

/// A registry whose clock is moved by hand and which has made the sweep of its start. From then on it sweeps when told.
async fn start() -> (TestRegistry, Clock) {
    let clock = Clock::manual(1000 * i64::try_from(BEGIN).expect("it is small"));
    let registry = TestRegistry::with(Options::at(&clock)).await;
    let swept = "SELECT COUNT(*) FROM jobs WHERE name = 'sweep-uploads' AND owner IS NULL";
    until(async || registry.count(swept).await == 1).await;
    (registry, clock)
}

async fn sweep(registry: &TestRegistry) -> usize {
    let swept = registry.app.registry().sweep_if_due("test").await;
    swept.expect("the sweep succeeds")
}

/// Says when a file of an upload last grew.
fn grew(path: &Path, when: SystemTime) {
    let file = std::fs::File::options().write(true).open(path).expect("it is there");
    file.set_modified(when).expect("it is ours");
}

/// A file in the folder of the uploads that no session knows.
fn orphan(registry: &TestRegistry, name: &str, when: SystemTime) {
    let path = registry.data.path().join("uploads").join(name);
    std::fs::File::create_new(&path)
        .expect("there is none")
        .set_len(1000)
        .expect("there is room");
    grew(&path, when);
}

fn names(registry: &TestRegistry) -> Vec<String> {
    let names = registry
        .upload_files()
        .into_iter()
        .filter_map(|path| path.file_name()?.to_str().map(str::to_owned));
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    names
}

/// **S17** Files of uploads that no session knows, left by a crash → removed once they have rested for as long as a session may; younger ones, those of live sessions however old, and files that are not wreg's stay.
#[tokio::test]
async fn orphans_of_a_crash_are_swept_and_live_sessions_never() {
    if !on_files() {
        return;
    }
    let (registry, clock) = start().await;
    let content = bytes(2000);
    let live = registry.start_upload("acme/hello").await;
    assert_eq!(patch(&registry, &live, None, &content[..1000]).await.status(), 202);
    let id = live.rsplit('/').next().expect("an id").to_owned();
    // Its row says that it is alive, whatever its file says.
    grew(&registry.upload_files()[0], begin());
    let (old, young) = (
        "00000000-0000-4000-8000-000000000001",
        "00000000-0000-4000-8000-000000000002",
    );
    orphan(&registry, old, begin());
    orphan(&registry, young, begin() + 20 * HOUR);
    orphan(&registry, "notes.txt", begin());

    clock.advance(20 * HOUR);
    assert_eq!(patch(&registry, &live, None, &content[1000..1500]).await.status(), 202);
    grew(&registry.data.path().join("uploads").join(&id), begin());
    assert_eq!(sweep(&registry).await, 0, "nothing has rested for 24 hours");
    clock.advance(5 * HOUR);
    assert_eq!(sweep(&registry).await, 1);
    let mut left = vec![young.to_owned(), id, "notes.txt".to_owned()];
    left.sort_unstable();
    assert_eq!(names(&registry), left);
    assert_eq!(sweep(&registry).await, 0, "the sweep was made and is not due");

    stands_at(&registry, &live, 1500).await;
    let digest = Digest::sha256(&content);
    assert_eq!(
        put(&registry, &live, &digest, content[1500..].to_vec()).await.status(),
        201
    );
    is_stored(&registry, "acme/hello", &content, &digest).await;
    clock.advance(20 * HOUR);
    assert_eq!(sweep(&registry).await, 1);
    assert_eq!(names(&registry), ["notes.txt"]);
    std::fs::remove_file(&registry.upload_files()[0]).expect("it is there");
    is_stored(&registry, "acme/hello", &content, &digest).await;
}

/// **O08** Multipart uploads in a bucket that a session left for 24 hours, or that no session knows → aborted by the sweep; that of a live session goes on.
#[tokio::test]
async fn multipart_uploads_that_nobody_ends_are_aborted() {
    let (registry, clock) = start().await;
    let Some(bucket) = registry.bucket.clone() else { return };
    let content = bytes(10 << 20);
    let [live, abandoned] = [
        registry.start_upload("acme/hello").await,
        registry.start_upload("acme/hello").await,
    ];
    for session in [&live, &abandoned] {
        assert_eq!(patch(&registry, session, None, &content[..9 << 20]).await.status(), 202);
    }
    bucket.begin_multipart("data/00000000-0000-4000-8000-000000000001");
    clock.advance(20 * HOUR);
    assert_eq!(patch(&registry, &live, None, &content[9 << 20..]).await.status(), 202);
    clock.advance(5 * HOUR);
    assert_eq!(sweep(&registry).await, 2);
    let id = live.rsplit('/').next().expect("an id");
    let left = bucket.uploads();
    assert!(
        !left.is_empty() && left.iter().all(|name| name.to_string_lossy().contains(id)),
        "{left:?}"
    );
    let digest = Digest::sha256(&content);
    assert_eq!(put(&registry, &live, &digest, Vec::new()).await.status(), 201);
    is_stored(&registry, "acme/hello", &content, &digest).await;
}

/// **U13** Sessions that were abandoned, more of them than are looked at in one go → they and their bytes are gone after 24 hours, the others go on.
#[tokio::test]
async fn abandoned_sessions_are_swept_with_their_bytes() {
    let (registry, clock) = start().await;
    let mut abandoned = Vec::new();
    for _ in 0..300 {
        abandoned.push(registry.start_upload("acme/hello").await);
    }
    for session in &abandoned[..3] {
        assert_eq!(patch(&registry, session, None, &[0; 1000]).await.status(), 202);
    }
    clock.advance(HOUR);
    let other = registry.start_upload("acme/hello").await;
    assert_eq!(patch(&registry, &other, None, b"hel").await.status(), 202);
    clock.advance(23 * HOUR);
    assert_eq!(sweep(&registry).await, 300);
    assert_eq!(registry.count("SELECT COUNT(*) FROM uploads").await, 1);
    assert_eq!(registry.upload_files().len(), 1);
    refused(registry.send("GET", &abandoned[0]).await, 404, "BLOB_UPLOAD_UNKNOWN").await;
    assert_eq!(
        put(&registry, &other, &Digest::sha256("hello"), "lo").await.status(),
        201
    );
}
