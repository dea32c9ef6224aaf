//! A store that fails, and rows that cannot be read.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use wreg_registry::{Faults, Operation};

use super::{CONFIG, Collecting, DAY, MINUTE};
use crate::bucket::on_files;

/// **C06** The store fails to remove bytes after the database has given the blob up → no row is left without bytes, the content can be pushed again, and the bytes go later.
#[tokio::test]
async fn bytes_that_could_not_be_removed_go_later() {
    if !on_files() {
        return;
    }
    let failing = Arc::new(AtomicBool::new(true));
    let watched = Arc::clone(&failing);
    let faults = Faults::new(move |operation, object| {
        let befallen = operation == Operation::Unlink && object.starts_with("blobs/sha256/");
        if befallen && watched.load(Ordering::SeqCst) {
            return Err(io::Error::other("injected"));
        }
        Ok(())
    });
    let collecting = Collecting::with(CONFIG, faults).await;
    let registry = &collecting.registry;
    registry.push_blob("acme/hello", b"one").await;
    registry.push_blob("acme/hello", b"two").await;
    collecting.pass(DAY).await;
    let counts = collecting.collect_bytes().await;
    assert_eq!((counts.blobs, counts.removed, counts.failed), (2, 0, 2));
    assert!(!collecting.has("acme/hello", b"one").await);
    registry.push_blob("acme/hello", b"one").await;
    failing.store(false, Ordering::SeqCst);
    let counts = collecting.collect().await;
    assert_eq!((counts.removed, counts.freed, counts.failed), (2, 6, 0));
    assert!(collecting.has("acme/hello", b"one").await, "it has bytes of its own");
    assert_eq!(registry.blob_files().len(), 1);
}

/// **C06** The bytes are gone and the database does not know yet, because the server died between the two → the next pass makes it good; nothing live lacks bytes meanwhile.
#[tokio::test]
async fn a_removal_that_was_not_written_down_is_repeated() {
    if !on_files() {
        return;
    }
    let collecting = Collecting::start().await;
    let registry = &collecting.registry;
    registry.push_blob("acme/hello", b"one").await;
    collecting.pass(DAY).await;
    collecting.collect().await;
    std::fs::remove_file(&registry.blob_files()[0]).expect("it is there");
    assert_eq!(registry.count("SELECT COUNT(*) FROM blobs").await, 0);
    assert_eq!(registry.count("SELECT COUNT(*) FROM blob_removals").await, 1);
    collecting.pass(2 * MINUTE).await;
    assert_eq!(collecting.collect().await.removed, 1);
    assert_eq!(registry.count("SELECT COUNT(*) FROM blob_removals").await, 0);
}

/// **C13** A manifest that cannot be decoded, and a blob whose row says no place → what the manifest is made of is kept, the row is counted and stays, and the rest is collected.
#[tokio::test]
async fn rows_that_cannot_be_read_stop_nothing_and_lose_nothing() {
    let collecting = Collecting::start().await;
    let registry = &collecting.registry;
    registry.push_image("acme/hello", "1.0.0", b"layer").await;
    registry.push_image("acme/hello", "2.0.0", b"subject").await;
    registry.push_blob("acme/hello", b"badly placed").await;
    registry.push_blob("acme/hello", b"loose").await;
    let broken = "UPDATE manifests SET media_type = '?', annotations = '?', artifact_type = '?', subject = '?'";
    assert_eq!(collecting.registry.execute(broken).await, 2);
    let misplaced = "UPDATE blobs SET location = 'nowhere' WHERE size = 12";
    assert_eq!(collecting.registry.execute(misplaced).await, 1);
    collecting.pass(DAY).await;
    let counts = collecting.collect_bytes().await;
    assert_eq!(
        (counts.links, counts.blobs, counts.removed, counts.quarantined),
        (2, 2, 1, 1)
    );
    for content in [&b"layer"[..], b"subject", b"{}"] {
        assert!(collecting.has("acme/hello", content).await);
    }
    assert_eq!(
        registry.blob_files().len(),
        4,
        "nobody knows whose the misplaced bytes are"
    );
    assert_eq!(collecting.collect().await.quarantined, 1);
    registry.push_blob("acme/hello", b"badly placed").await;
    assert!(collecting.has("acme/hello", b"badly placed").await);
}
