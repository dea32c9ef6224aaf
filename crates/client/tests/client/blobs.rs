//! Pulling blobs: verified, bounded, written whole or not at all.

use std::sync::atomic::Ordering;

use tempfile::TempDir;
use wreg_client::{Client, ClientOptions, Error, NoProgress, PulledBlob};
use wreg_oci::{Descriptor, Digest, MediaType};

use crate::{
    memory::Memory,
    server::{Body, Reply, Server},
    setup::{Told, anonymous, content, descriptor, files, name, patient, read, storing},
};

#[tokio::test]
async fn a_blob_is_pulled_whole() {
    let bytes = content(300_000);
    let memory = Memory::with_blob(&bytes);
    let server = Server::start(move |request| memory.answer(request)).await;
    let folder = TempDir::new().expect("a folder");
    let target = folder.path().join("x.wasm");
    let told = Told::default();
    let pulled = anonymous(&server)
        .pull_blob(&name(), &descriptor(&bytes), &target, &told)
        .await
        .expect("pulled");
    assert_eq!(pulled, PulledBlob::Downloaded { resumed_at: 0 });
    assert_eq!(read(&target), bytes);
    assert_eq!(told.sums(), (300_000, 300_000, 1));
    assert_eq!(files(folder.path()), ["x.wasm"]);
}

#[tokio::test]
async fn the_second_pull_of_a_digest_costs_no_transfer() {
    let bytes = content(1000);
    let memory = Memory::with_blob(&bytes);
    let server = Server::start(move |request| memory.answer(request)).await;
    let folder = TempDir::new().expect("a folder");
    let registry = storing(&server, &folder);
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    registry
        .pull_blob(&name(), &descriptor(&bytes), &first, &NoProgress)
        .await
        .expect("pulled");
    let pulled = registry
        .pull_blob(&name(), &descriptor(&bytes), &second, &NoProgress)
        .await
        .expect("pulled again");
    assert_eq!(pulled, PulledBlob::FromStore);
    assert_eq!(read(&second), bytes);
    assert_eq!(
        registry
            .blob_bytes(&name(), &descriptor(&bytes), 1000)
            .await
            .expect("bytes"),
        bytes
    );
    assert_eq!(
        registry
            .blob_range(&name(), &descriptor(&bytes), 10..20)
            .await
            .expect("a part"),
        bytes[10..20]
    );
    assert_eq!(server.lines().len(), 1);
    let digest = Digest::sha256(&bytes);
    assert_eq!(
        files(folder.path()),
        ["first", "second", &format!("store/sha256/{}", digest.encoded())]
    );
}

#[tokio::test]
async fn damage_in_the_store_is_found_and_mended() {
    let bytes = content(1000);
    let memory = Memory::with_blob(&bytes);
    let server = Server::start(move |request| memory.answer(request)).await;
    let folder = TempDir::new().expect("a folder");
    let registry = storing(&server, &folder);
    let (stored, _) = registry
        .pull_to_store(&name(), &descriptor(&bytes), &NoProgress)
        .await
        .expect("pulled");
    let mut damaged = bytes.clone();
    damaged[500] ^= 1;
    for _ in 0..2 {
        std::fs::write(&stored, &damaged).expect("damaged");
        let target = folder.path().join("x");
        let pulled = registry
            .pull_blob(&name(), &descriptor(&bytes), &target, &NoProgress)
            .await
            .expect("pulled");
        assert_eq!(pulled, PulledBlob::Downloaded { resumed_at: 0 });
        assert_eq!(read(&target), bytes);
    }
    std::fs::write(&stored, &damaged).expect("damaged");
    let (_, pulled) = registry
        .pull_to_store(&name(), &descriptor(&bytes), &NoProgress)
        .await
        .expect("pulled");
    assert_eq!(pulled, PulledBlob::Downloaded { resumed_at: 0 });
    std::fs::write(&stored, &damaged).expect("damaged");
    assert_eq!(
        registry
            .blob_bytes(&name(), &descriptor(&bytes), 1000)
            .await
            .expect("bytes"),
        bytes
    );
}

/// **K04** Other bytes of the same length than the digest stands for → an error, and no file, neither there nor in the store.
#[tokio::test]
async fn other_bytes_are_not_written() {
    let asked = descriptor(b"right");
    let server = Server::start(|_| Reply::new(200).body("wrong")).await;
    let folder = TempDir::new().expect("a folder");
    let target = folder.path().join("x");
    for registry in [anonymous(&server), storing(&server, &folder)] {
        let error = registry
            .pull_blob(&name(), &asked, &target, &NoProgress)
            .await
            .expect_err("other bytes");
        assert!(matches!(error, Error::DigestMismatch { .. }), "{error}");
        assert!(registry.blob_bytes(&name(), &asked, 100).await.is_err());
    }
    assert_eq!(files(folder.path()), [""; 0]);
}

/// **K04** A file that is there, and a pull that fails → the file stays as it was.
#[tokio::test]
async fn a_failed_pull_leaves_the_old_file_alone() {
    let server = Server::start(|_| Reply::new(200).body("wrong")).await;
    let folder = TempDir::new().expect("a folder");
    let target = folder.path().join("x");
    std::fs::write(&target, "old").expect("written");
    assert!(
        anonymous(&server)
            .pull_blob(&name(), &descriptor(b"right"), &target, &NoProgress)
            .await
            .is_err()
    );
    assert_eq!(read(&target), b"old");
}

/// **K04** Another `Docker-Content-Digest` than the digest asked for → an error before anything is read.
#[tokio::test]
async fn another_stated_digest_is_an_error() {
    let server = Server::start(|_| {
        Reply::new(200)
            .header("docker-content-digest", Digest::sha256("x").as_str())
            .with(Body::Endless)
    })
    .await;
    let folder = TempDir::new().expect("a folder");
    let asked = Descriptor::new(MediaType::WASM, Digest::sha256("y"), 1 << 40);
    let pulled = anonymous(&server)
        .pull_blob(&name(), &asked, &folder.path().join("x"), &NoProgress)
        .await;
    assert!(matches!(pulled, Err(Error::DigestMismatch { .. })), "{pulled:?}");
}

/// **K03** A blob that is longer than its descriptor says → cut off there, an error, and no file.
#[tokio::test]
async fn a_blob_without_an_end_is_cut_off() {
    let server = Server::start(|_| Reply::new(200).with(Body::Endless)).await;
    let folder = TempDir::new().expect("a folder");
    let target = folder.path().join("x");
    for registry in [anonymous(&server), storing(&server, &folder)] {
        let error = registry
            .pull_blob(&name(), &descriptor(&[0; 1000]), &target, &NoProgress)
            .await
            .expect_err("longer");
        assert!(
            matches!(
                error,
                Error::SizeMismatch {
                    expected: 1000,
                    longer: true,
                    ..
                }
            ),
            "{error}"
        );
        let error = registry
            .blob_bytes(&name(), &descriptor(&[0; 1000]), 1000)
            .await
            .expect_err("longer");
        assert!(matches!(error, Error::SizeMismatch { longer: true, .. }), "{error}");
    }
    assert_eq!(files(folder.path()), [""; 0]);
    assert!(server.sent.load(Ordering::Relaxed) < 64 << 20);
}

/// **K03** A size of 2⁶² in a descriptor → no memory and no disk is set aside for it; what comes is too short.
#[tokio::test]
async fn an_absurd_size_costs_nothing() {
    let server = Server::start(|_| Reply::new(200).body("short")).await;
    let folder = TempDir::new().expect("a folder");
    let absurd = Descriptor::new(MediaType::WASM, Digest::sha256("short"), 1 << 62);
    let registry = storing(&server, &folder);
    let error = registry
        .pull_blob(&name(), &absurd, &folder.path().join("x"), &NoProgress)
        .await
        .expect_err("short");
    assert!(
        matches!(
            error,
            Error::SizeMismatch {
                actual: 5,
                longer: false,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(files(folder.path()), [""; 0]);
    let error = registry
        .blob_bytes(&name(), &absurd, 1 << 20)
        .await
        .expect_err("too large");
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
    let error = registry
        .blob_range(&name(), &absurd, 0..1 << 62)
        .await
        .expect_err("too large");
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
}

#[tokio::test]
async fn an_empty_blob_is_an_empty_file() {
    let server = Server::start(|_| Reply::new(404)).await;
    let folder = TempDir::new().expect("a folder");
    let target = folder.path().join("x");
    anonymous(&server)
        .pull_blob(&name(), &descriptor(b""), &target, &NoProgress)
        .await
        .expect("pulled");
    assert_eq!(read(&target), b"");
    let lie = Descriptor::new(MediaType::WASM, Digest::sha256("x"), 0);
    assert!(
        anonymous(&server)
            .pull_blob(&name(), &lie, &target, &NoProgress)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_part_is_read_whether_or_not_the_registry_knows_ranges() {
    let bytes = content(5000);
    let memory = Memory::with_blob(&bytes);
    let server = Server::start(move |request| memory.answer(request)).await;
    let whole = bytes.clone();
    let simple = Server::start(move |_| Reply::new(200).body(whole.clone())).await;
    for server in [server, simple] {
        let registry = anonymous(&server);
        for (range, expected) in [
            (0..10, 0..10),
            (4990..9999, 4990..5000),
            (1234..4321, 1234..4321),
            (7000..8000, 0..0),
        ] {
            let part = registry
                .blob_range(&name(), &descriptor(&bytes), range)
                .await
                .expect("a part");
            assert_eq!(part, bytes[expected]);
        }
    }
}

#[tokio::test]
async fn another_part_than_the_one_asked_for_is_refused() {
    let server = Server::start(|_| {
        Reply::new(206)
            .header("content-range", "bytes 50-59/100")
            .body("0123456789")
    })
    .await;
    let error = anonymous(&server)
        .blob_range(&name(), &descriptor(&[0; 100]), 0..10)
        .await
        .expect_err("another part");
    assert!(matches!(error, Error::Protocol { .. }), "{error}");
}

#[tokio::test]
async fn a_missing_blob_is_an_answer_and_asked_for_once() {
    let server = Server::start(|_| Reply::new(404)).await;
    let folder = TempDir::new().expect("a folder");
    let pulled = anonymous(&server)
        .pull_blob(&name(), &descriptor(b"x"), &folder.path().join("x"), &NoProgress)
        .await;
    assert!(pulled.expect_err("missing").is_no());
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn a_registry_that_asks_to_wait_is_waited_for() {
    let bytes = b"content".as_slice();
    let memory = Memory::with_blob(bytes);
    let left = std::sync::atomic::AtomicUsize::new(2);
    let server = Server::start(move |request| {
        match left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)) {
            Ok(_) => Reply::new(429).header("retry-after", "7"),
            Err(_) => memory.answer(request),
        }
    })
    .await;
    let (retries, pauses) = patient();
    let client = Client::with_retries(ClientOptions::default(), retries).expect("a client");
    let registry = client.registry(&server.host()).expect("a registry");
    assert_eq!(
        registry
            .blob_bytes(&name(), &descriptor(bytes), 100)
            .await
            .expect("bytes"),
        bytes
    );
    assert_eq!(
        pauses
            .lock()
            .expect("pauses")
            .iter()
            .map(std::time::Duration::as_secs)
            .collect::<Vec<_>>(),
        [7, 7]
    );
}

#[tokio::test]
async fn a_registry_that_asks_to_wait_long_is_not_waited_for() {
    let server = Server::start(|_| Reply::new(503).header("retry-after", "3600")).await;
    let error = anonymous(&server)
        .blob_bytes(&name(), &descriptor(b"x"), 100)
        .await
        .expect_err("busy");
    assert_eq!(
        error.hint().as_deref(),
        Some("the registry asks to try again after 3600 seconds")
    );
    assert!(!error.is_no());
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn a_registry_that_was_never_there_is_not_waited_for() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let host = listener
        .local_addr()
        .expect("an address")
        .to_string()
        .parse()
        .expect("a host");
    drop(listener);
    let (retries, pauses) = patient();
    let client = Client::with_retries(ClientOptions::default(), retries).expect("a client");
    let error = client
        .registry(&host)
        .expect("a registry")
        .tags(&name())
        .await
        .expect_err("nobody there");
    assert_eq!(pauses.lock().expect("pauses").len(), 0);
    assert_eq!(
        error.hint(),
        Some(format!(
            "check that {host} is the right address, and that the registry runs"
        ))
    );
}
