//! A disk that fails: what clients are told, what goes on meanwhile, and how it ends.

use std::{
    io,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI32, AtomicUsize, Ordering},
    },
};

use reqwest::{Response, StatusCode};
use wreg_oci::Digest;
use wreg_registry::{Faults, Operation};

use crate::{
    bucket::on_files,
    flows::{bytes, is_stored, patch, put, stands_at, where_it_stands},
    registry::{Options, TestRegistry, header, refused},
};

const EIO: i32 = 5;
const EACCES: i32 = 13;
const ENFILE: i32 = 23;
const EMFILE: i32 = 24;
const ENOSPC: i32 = 28;
const EROFS: i32 = 30;

/// A fault that a test switches on and off: the number of an error, and the steps that it befalls.
struct Switch(AtomicI32);

impl Switch {
    fn new(befalls: impl Fn(Operation, &str) -> bool + Send + Sync + 'static) -> (Arc<Self>, Faults) {
        let switch = Arc::new(Self(AtomicI32::new(0)));
        let watched = Arc::clone(&switch);
        let faults = Faults::new(move |operation, object| match watched.0.load(Ordering::SeqCst) {
            code if code != 0 && befalls(operation, object) => Err(io::Error::from_raw_os_error(code)),
            _ => Ok(()),
        });
        (switch, faults)
    }

    fn on(&self, code: i32) {
        self.0.store(code, Ordering::SeqCst);
    }

    fn off(&self) {
        self.on(0);
    }
}

async fn start(faults: Faults) -> TestRegistry {
    TestRegistry::with(Options::failing(faults)).await
}

/// Asserts an error that is the server's own: its status and code, an id to look it up by, and nothing of the inside.
async fn failed(answer: Response, status: u16, wreg_code: &str) {
    assert!(!header(&answer, "x-request-id").is_empty());
    if status == 503 {
        assert_eq!(header(&answer, "retry-after"), "5");
    }
    let body = refused(answer, status, "UNSUPPORTED").await;
    assert_eq!(body["errors"][0]["detail"]["wreg_code"], wreg_code);
    let text = body.to_string();
    for inside in ["uploads/", "blobs/", "os error", "cannot write", "/tmp"] {
        assert!(!text.contains(inside), "{text}");
    }
}

/// Whether a step is the one that finds the disk full.
type Befalls = fn(Operation, &str) -> bool;

/// The steps of a push that can find the disk full, by name.
const STEPS: [(&str, Befalls); 8] = [
    ("create the file", |operation, _| operation == Operation::Create),
    ("write", |operation, _| operation == Operation::Write),
    ("flush the file", |operation, _| operation == Operation::Sync),
    ("make a folder", |operation, _| operation == Operation::CreateDir),
    ("flush a folder that got a folder", |operation, object| {
        operation == Operation::SyncDir && object == "blobs/sha256"
    }),
    ("rename", |operation, _| operation == Operation::Rename),
    ("flush the folder that got the blob", |operation, object| {
        operation == Operation::SyncDir && object.starts_with("blobs/sha256/")
    }),
    ("flush the folder that lost the upload", |operation, object| {
        operation == Operation::SyncDir && object == "uploads"
    }),
];

/// **S01** No space in the write of a chunk, in making a folder, in the rename, in the flush of a folder → 507; the upload stands at what is durable, reads go on, and once there is room the upload ends well without a restart.
#[tokio::test]
async fn a_full_disk_is_507_and_passes() {
    if !on_files() {
        return;
    }
    for (step, befalls) in STEPS {
        let (switch, faults) = Switch::new(befalls);
        let registry = start(faults).await;
        let content = bytes(1000);
        let digest = Digest::sha256(&content);
        let session = registry.start_upload("acme/hello").await;
        assert_eq!(patch(&registry, &session, None, &content[..600]).await.status(), 202);
        switch.on(ENOSPC);

        let answer = patch(&registry, &session, Some("600-899"), &content[600..900]).await;
        let at = if answer.status() == StatusCode::ACCEPTED {
            900
        } else {
            failed(answer, 507, "no-space").await;
            600
        };
        stands_at(&registry, &session, at).await;
        failed(
            put(&registry, &session, &digest, content[at..].to_vec()).await,
            507,
            "no-space",
        )
        .await;
        let at = where_it_stands(&registry, &session).await;
        assert!(
            at >= 600,
            "{step}: what was acknowledged is kept, and not only {at} bytes"
        );
        let target = format!("/v2/acme/hello/blobs/{digest}");
        refused(registry.send("GET", &target).await, 404, "BLOB_UNKNOWN").await;

        switch.off();
        let answer = put(&registry, &session, &digest, content[at..].to_vec()).await;
        assert_eq!(answer.status(), StatusCode::CREATED, "{step}");
        is_stored(&registry, "acme/hello", &content, &digest).await;
    }
}

/// **S01** No space for a push in one request → 507, what is stored can be read, nothing of the push is left, and it works once there is room.
#[tokio::test]
async fn a_push_in_one_request_to_a_full_disk_leaves_nothing() {
    if !on_files() {
        return;
    }
    let steps = STEPS.iter().map(|step| (step, 300_000));
    // A small blob is stored in one go, which leaves the folder of uploads alone.
    let small = STEPS[..STEPS.len() - 1].iter().map(|step| (step, 1000));
    for ((step, befalls), length) in steps.chain(small) {
        let (switch, faults) = Switch::new(*befalls);
        let registry = start(faults).await;
        let stored = registry.push_blob("acme/hello", b"stored before").await;
        let content = bytes(length);
        let target = format!("/v2/acme/hello/blobs/uploads/?digest={}", Digest::sha256(&content));
        switch.on(ENOSPC);
        failed(
            registry.send_body("POST", &target, content.clone()).await,
            507,
            "no-space",
        )
        .await;
        assert!(registry.upload_files().is_empty(), "{step}");
        is_stored(&registry, "acme/hello", b"stored before", &stored).await;
        switch.off();
        let digest = registry.push_blob("acme/hello", &content).await;
        is_stored(&registry, "acme/hello", &content, &digest).await;
    }
}

/// **S04** A read fails in the middle of a blob → the connection is cut, so that no client takes the part for the whole; a read that fails at once is 503.
#[tokio::test]
async fn a_blob_that_cannot_be_read_to_its_end_is_cut_off() {
    if !on_files() {
        return;
    }
    let reads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reads);
    let (switch, faults) =
        Switch::new(move |operation, _| operation == Operation::Read && counted.fetch_add(1, Ordering::SeqCst) >= 3);
    let registry = start(faults).await;
    let content = bytes(1 << 20);
    let digest = registry.push_blob("acme/hello", &content).await;
    let target = format!("/v2/acme/hello/blobs/{digest}");
    switch.on(EIO);
    for range in ["bytes=0-", "bytes=1-1000000", "lines=1"] {
        reads.store(0, Ordering::SeqCst);
        let request = registry.request("GET", &target).header("range", range);
        let answer = request.send().await.expect("the head was sent before the read failed");
        assert!(answer.status().is_success());
        let announced: usize = header(&answer, "content-length").parse().expect("a number");
        assert!(announced >= 1_000_000);
        assert!(answer.bytes().await.is_err(), "{range}");
    }
    failed(registry.send("GET", &target).await, 503, "unavailable").await;
    switch.off();
    is_stored(&registry, "acme/hello", &content, &digest).await;
}

/// Takes away the end of a blob's file, behind the server's back.
fn shorten(file: &Path, length: u64) {
    let mut permissions = std::fs::metadata(file).expect("it is there").permissions();
    permissions.set_mode(0o600);
    std::fs::set_permissions(file, permissions).expect("it is ours");
    let file = std::fs::File::options().write(true).open(file).expect("it is there");
    file.set_len(length).expect("it is ours");
}

/// **S04** The file of a blob has lost its end → 503 for what it cannot give, never a short 200.
#[tokio::test]
async fn a_blob_that_became_shorter_is_never_served_as_whole() {
    if !on_files() {
        return;
    }
    let registry = TestRegistry::start().await;
    let content = bytes(500_000);
    let digest = registry.push_blob("acme/hello", &content).await;
    let target = format!("/v2/acme/hello/blobs/{digest}");
    shorten(&registry.blob_files()[0], 300_000);
    failed(registry.send("GET", &target).await, 503, "unavailable").await;
    let part = registry.request("GET", &target).header("range", "bytes=0-9").send();
    let part = part.await.expect("an answer").bytes().await.expect("a body");
    assert_eq!(part, content[..10]);
}

/// **S10** The file of a blob is gone, or shorter than it was → HEAD says 404 `BLOB_UNKNOWN`, so clients push it again, and that makes it good.
#[tokio::test]
async fn a_blob_whose_file_was_lost_is_made_good_by_pushing_it_again() {
    if !on_files() {
        return;
    }
    let registry = TestRegistry::start().await;
    let content = bytes(10_000);
    let digest = registry.push_blob("acme/hello", &content).await;
    registry.push_blob("acme/other", &content).await;
    let target = format!("/v2/acme/hello/blobs/{digest}");
    for lose in [
        |file: &Path| shorten(file, 9_999),
        |file: &Path| std::fs::remove_file(file).expect("it is there"),
    ] {
        for file in registry.blob_files() {
            lose(&file);
        }
        assert_eq!(registry.send("HEAD", &target).await.status(), StatusCode::NOT_FOUND);
        registry.push_blob("acme/hello", &content).await;
        for repository in ["acme/hello", "acme/other"] {
            is_stored(&registry, repository, &content, &digest).await;
        }
        assert_eq!(registry.send("HEAD", &target).await.status(), StatusCode::OK);
    }
    for file in registry.blob_files() {
        std::fs::remove_file(file).expect("it is there");
    }
    refused(registry.send("GET", &target).await, 404, "BLOB_UNKNOWN").await;
}

/// **O01** Every request to the bucket is refused for being too many → 503 with `Retry-After`, nothing is acknowledged, and the upload goes on later.
/// **O07** The bucket says of a blob that it may not be read, or nothing for now, or that it is not there → 503, 503, 404.
#[tokio::test]
async fn a_bucket_that_cannot_be_asked_is_503_and_not_absence() {
    let (switch, faults) = Switch::new(|_, _| true);
    let registry = start(faults).await;
    let Some(bucket) = registry.bucket.clone() else { return };
    let content = bytes(10_000);
    let digest = registry.push_blob("acme/hello", &content).await;
    let target = format!("/v2/acme/hello/blobs/{digest}");
    let session = registry.start_upload("acme/hello").await;
    for code in [EACCES, ENFILE] {
        switch.on(code);
        failed(registry.send("GET", &target).await, 503, "unavailable").await;
        assert_eq!(registry.send("HEAD", &target).await.status(), 503);
        let chunk = registry.send_body("PATCH", &session, content.clone()).await;
        failed(chunk, 503, "unavailable").await;
        switch.off();
        is_stored(&registry, "acme/hello", &content, &digest).await;
    }
    let closing = format!("{session}?digest={digest}");
    let closed = registry.send_body("PUT", &closing, content).await;
    assert_eq!(closed.status(), StatusCode::CREATED, "it stands where it began");
    bucket.remove_blobs();
    refused(registry.send("GET", &target).await, 404, "BLOB_UNKNOWN").await;
}

/// **S11** The file system became read-only, or permission is missing → writes 503 with `Retry-After`, reads go on, `/readyz` says why, and it ends without a restart.
#[tokio::test]
async fn a_disk_that_takes_no_writes_is_503_and_said_so() {
    if !on_files() {
        return;
    }
    for (code, why) in [(EROFS, "Read-only file system"), (EACCES, "Permission denied")] {
        let (switch, faults) = Switch::new(|operation, _| {
            use Operation::{Create, CreateDir, Protect, Rename, Truncate, Unlink, Write};
            matches!(
                operation,
                Create | Write | Truncate | CreateDir | Rename | Protect | Unlink
            )
        });
        let registry = start(faults).await;
        let manifest = registry.push_image("acme/hello", "1.0.0", b"layer").await;
        let session = registry.start_upload("acme/hello").await;
        assert_eq!(patch(&registry, &session, None, b"ab").await.status(), 202);
        let digest = Digest::sha256("abcd");
        switch.on(code);

        let target = format!("/v2/acme/hello/blobs/uploads/?digest={digest}");
        for answer in [
            patch(&registry, &session, Some("2-3"), b"cd").await,
            put(&registry, &session, &digest, "cd").await,
            registry.send_body("POST", &target, "abcd").await,
        ] {
            failed(answer, 503, "unavailable").await;
        }
        stands_at(&registry, &session, 2).await;
        is_stored(&registry, "acme/hello", b"layer", &Digest::sha256("layer")).await;
        let found = registry.send("GET", "/v2/acme/hello/manifests/1.0.0").await;
        assert_eq!(header(&found, "docker-content-digest"), manifest.to_string());
        let ready = registry.anonymous("GET", "/readyz").send().await.expect("an answer");
        assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
        let text = ready.text().await.expect("a body");
        assert!(text.starts_with("not ready: ") && text.contains(why), "{text}");
        assert_eq!(registry.send("GET", "/livez").await.status(), StatusCode::OK);

        switch.off();
        registry.app.registry().probe().await.expect("it is ready again");
        assert_eq!(put(&registry, &session, &digest, "cd").await.status(), 201);
        is_stored(&registry, "acme/hello", b"abcd", &digest).await;
    }
}

/// **S12** No descriptors are left, for the process or the machine → 503 with `Retry-After` for what needs a file, nothing is lost, and the same requests succeed later.
#[tokio::test]
async fn a_server_without_descriptors_is_503_and_passes() {
    if !on_files() {
        return;
    }
    let (switch, faults) =
        Switch::new(|operation, _| matches!(operation, Operation::Open | Operation::Create | Operation::List));
    let registry = start(faults).await;
    let stored = registry.push_blob("acme/hello", b"stored before").await;
    let target = format!("/v2/acme/hello/blobs/{stored}");
    let session = registry.start_upload("acme/hello").await;
    assert_eq!(patch(&registry, &session, None, b"a").await.status(), 202);
    for (code, received) in [(EMFILE, 1), (ENFILE, 2)] {
        switch.on(code);
        let whole = format!("/v2/acme/hello/blobs/uploads/?digest={}", Digest::sha256("x"));
        for answer in [
            registry.send("GET", &target).await,
            patch(&registry, &session, None, b"b").await,
            registry.send_body("POST", &whole, "x").await,
        ] {
            failed(answer, 503, "unavailable").await;
        }
        assert_eq!(registry.send("HEAD", &target).await.status(), StatusCode::OK);
        stands_at(&registry, &session, received).await;
        switch.off();
        is_stored(&registry, "acme/hello", b"stored before", &stored).await;
        assert_eq!(patch(&registry, &session, None, b"b").await.status(), 202);
    }
    let digest = Digest::sha256("abb");
    assert_eq!(put(&registry, &session, &digest, "").await.status(), 201);
}
