//! Pulls that break off are taken up again.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tempfile::TempDir;
use tokio::sync::Notify;
use wreg_client::{Error, NoProgress, Progress, PulledBlob};
use wreg_oci::Digest;

use crate::{
    memory::{Memory, blob},
    server::{Body, Reply, Request, Server},
    setup::{Told, anonymous, content, descriptor, files, name, read, storing},
};

fn partial(folder: &TempDir, bytes: &[u8]) -> PathBuf {
    let name = format!("{}.partial", Digest::sha256(bytes).encoded());
    folder.path().join("store").join("sha256").join(name)
}

/// The right answer, of which `length` bytes arrive before the connection is cut.
fn cut(request: &Request, bytes: &[u8], length: usize) -> Reply {
    let mut reply = blob(request, &Digest::sha256(bytes), bytes);
    if let Body::Whole(body) = &reply.body {
        reply.headers.retain(|(name, _)| name != "content-length");
        reply.body = Body::Cut(body.len() as u64, body[..length.min(body.len())].to_vec());
    }
    reply
}

/// **K07** A connection that is cut again and again in the middle of a blob → each time the rest is asked for.
#[tokio::test]
async fn a_cut_connection_is_taken_up_where_it_was() {
    let bytes = content(100_000);
    let full = bytes.clone();
    let server = Server::start(move |request| cut(request, &full, 15_000)).await;
    let folder = TempDir::new().expect("a folder");
    for registry in [anonymous(&server), storing(&server, &folder)] {
        server.requests.lock().expect("requests").clear();
        let (target, told) = (folder.path().join("x"), Told::default());
        registry
            .pull_blob(&name(), &descriptor(&bytes), &target, &told)
            .await
            .expect("pulled");
        assert_eq!(read(&target), bytes);
        assert_eq!(
            server.headers("range"),
            (1..7).map(|i| format!("bytes={}-", i * 15_000)).collect::<Vec<_>>()
        );
        assert_eq!(told.sums(), (100_000, 100_000, 1));
    }
}

#[tokio::test]
async fn a_registry_that_never_gets_further_is_given_up() {
    let bytes = content(1000);
    let full = bytes.clone();
    let server = Server::start(move |request| match request.header("range") {
        None => cut(request, &full, 500),
        Some(_) => Reply::hang_up(),
    })
    .await;
    let folder = TempDir::new().expect("a folder");
    let registry = storing(&server, &folder);
    let error = registry
        .pull_blob(&name(), &descriptor(&bytes), &folder.path().join("x"), &NoProgress)
        .await
        .expect_err("stuck");
    assert!(matches!(error, Error::Network { .. }), "{error}");
    assert!(!error.is_no());
    assert_eq!(server.lines().len(), 4, "one that moved, and three that did not");
    assert_eq!(read(partial(&folder, &bytes)), bytes[..500]);
}

#[tokio::test]
async fn a_registry_without_ranges_is_asked_for_everything_again() {
    let bytes = content(1000);
    let full = bytes.clone();
    let answers = AtomicUsize::new(0);
    let server = Server::start(move |_| match answers.fetch_add(1, Ordering::Relaxed) {
        0 => Reply::new(200).with(Body::Cut(1000, full[..700].to_vec())),
        _ => Reply::new(200).body(full.clone()),
    })
    .await;
    let folder = TempDir::new().expect("a folder");
    let target = folder.path().join("x");
    anonymous(&server)
        .pull_blob(&name(), &descriptor(&bytes), &target, &NoProgress)
        .await
        .expect("pulled");
    assert_eq!(read(&target), bytes);
}

#[tokio::test]
async fn a_registry_without_ranges_that_always_cuts_is_given_up() {
    let bytes = content(1000);
    let full = bytes.clone();
    let server = Server::start(move |_| Reply::new(200).with(Body::Cut(1000, full[..700].to_vec()))).await;
    let folder = TempDir::new().expect("a folder");
    let pulled = anonymous(&server)
        .pull_blob(&name(), &descriptor(&bytes), &folder.path().join("x"), &NoProgress)
        .await;
    assert!(matches!(pulled, Err(Error::Network { .. })), "{pulled:?}");
    assert_eq!(server.lines().len(), 4);
    assert_eq!(files(folder.path()), [""; 0]);
}

/// **K04** A part from another offset than was asked for → not appended; the whole is asked for instead.
#[tokio::test]
async fn a_part_from_elsewhere_is_not_appended() {
    let bytes = content(1000);
    let full = bytes.clone();
    let server = Server::start(move |request| match request.header("range") {
        Some(_) => Reply::new(206)
            .header("content-range", "bytes 0-999/1000")
            .body(full.clone()),
        None => blob(request, &Digest::sha256(&full), &full),
    })
    .await;
    let folder = TempDir::new().expect("a folder");
    let registry = storing(&server, &folder);
    leave(&folder, &bytes, &bytes[..400]);
    let target = folder.path().join("x");
    registry
        .pull_blob(&name(), &descriptor(&bytes), &target, &NoProgress)
        .await
        .expect("pulled");
    assert_eq!(read(&target), bytes);
    assert_eq!(server.headers("range"), ["bytes=400-"]);
    assert_eq!(server.lines().len(), 2);
}

/// What an earlier process left of a blob.
fn leave(folder: &TempDir, bytes: &[u8], left: &[u8]) {
    let path = partial(folder, bytes);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(path, left).expect("written");
}

/// **K07** A process that was killed in the middle of a pull → the next one hashes what is there and asks for the rest.
#[tokio::test]
async fn what_an_earlier_process_left_is_taken_up() {
    let bytes = content(1000);
    let memory = Memory::with_blob(&bytes);
    let server = Server::start(move |request| memory.answer(request)).await;
    let folder = TempDir::new().expect("a folder");
    let registry = storing(&server, &folder);
    leave(&folder, &bytes, &bytes[..400]);
    let target = folder.path().join("x");
    let pulled = registry
        .pull_blob(&name(), &descriptor(&bytes), &target, &NoProgress)
        .await
        .expect("pulled");
    assert_eq!(pulled, PulledBlob::Downloaded { resumed_at: 400 });
    assert_eq!(read(&target), bytes);
    assert_eq!(server.headers("range"), ["bytes=400-"]);
    assert!(!partial(&folder, &bytes).exists());
}

/// **K07** What was left is damaged, longer than the blob, or whole already → the blob is right in the end.
#[tokio::test]
async fn whatever_an_earlier_process_left_the_blob_is_right() {
    let bytes = content(1000);
    let memory = Memory::with_blob(&bytes);
    let server = Server::start(move |request| memory.answer(request)).await;
    for (left, requests) in [
        (vec![0; 400], 2),
        (vec![0; 1000], 1),
        (vec![0; 2000], 1),
        (bytes.clone(), 0),
        (Vec::new(), 1),
    ] {
        server.requests.lock().expect("requests").clear();
        let folder = TempDir::new().expect("a folder");
        let registry = storing(&server, &folder);
        leave(&folder, &bytes, &left);
        let target = folder.path().join("x");
        registry
            .pull_blob(&name(), &descriptor(&bytes), &target, &NoProgress)
            .await
            .expect("pulled");
        assert_eq!(read(&target), bytes);
        assert_eq!(server.lines().len(), requests, "{} bytes were left", left.len());
    }
}

/// Says when a transfer has come so far.
struct Reached(u64, AtomicUsize, Arc<Notify>);

impl Progress for Reached {
    fn start(&self, _digest: &Digest, _total: u64) {}

    fn advance(&self, _digest: &Digest, bytes: u64) {
        let bytes = usize::try_from(bytes).expect("small");
        let so_far = self.1.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if so_far as u64 >= self.0 {
            self.2.notify_one();
        }
    }

    fn finish(&self, _digest: &Digest) {}
}

/// **K07** A pull that is stopped in the middle → no file under the name that was wanted, nothing beside it, and the next pull
/// goes on from there.
#[tokio::test]
async fn a_stopped_pull_leaves_no_file_and_is_taken_up() {
    let bytes = content(1000);
    let full = bytes.clone();
    let server = Server::start(move |request| match request.header("range") {
        None => Reply::new(200).with(Body::Stalled(1000, full[..600].to_vec())),
        Some(_) => blob(request, &Digest::sha256(&full), &full),
    })
    .await;
    let (folder, out) = (TempDir::new().expect("a folder"), TempDir::new().expect("a folder"));
    let target = out.path().join("x");
    for registry in [anonymous(&server), storing(&server, &folder)] {
        let reached = Arc::new(Notify::new());
        let progress = Reached(600, AtomicUsize::new(0), Arc::clone(&reached));
        let descriptor = descriptor(&bytes);
        let name = name();
        tokio::select! {
            _ = registry.pull_blob(&name, &descriptor, &target, &progress) => panic!("it stalls"),
            () = reached.notified() => {}
        }
        assert_eq!(files(out.path()), [""; 0]);
    }
    let pulled = storing(&server, &folder)
        .pull_blob(&name(), &descriptor(&bytes), &target, &NoProgress)
        .await
        .expect("pulled");
    assert_eq!(pulled, PulledBlob::Downloaded { resumed_at: 600 });
    assert_eq!(read(&target), bytes);
}

#[tokio::test]
async fn two_pulls_of_one_blob_at_once_do_not_disturb_each_other() {
    let bytes = content(200_000);
    let memory = Memory::with_blob(&bytes);
    let server = Server::start(move |request| memory.answer(request)).await;
    let folder = TempDir::new().expect("a folder");
    let pulls = (0..8).map(|i| {
        let (registry, target, descriptor) = (
            storing(&server, &folder),
            folder.path().join(i.to_string()),
            descriptor(&bytes),
        );
        tokio::spawn(async move { registry.pull_blob(&name(), &descriptor, &target, &NoProgress).await })
    });
    for pull in pulls.collect::<Vec<_>>() {
        pull.await.expect("joined").expect("pulled");
    }
    for i in 0..8 {
        assert_eq!(read(folder.path().join(i.to_string())), bytes);
    }
    assert_eq!(
        files(&folder.path().join("store")),
        [format!("sha256/{}", Digest::sha256(&bytes).encoded())]
    );
}
