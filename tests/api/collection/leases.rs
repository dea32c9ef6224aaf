//! What keeps content that nothing refers to yet.

use std::time::Duration;

use reqwest::StatusCode;
use wreg_registry::Faults;

use super::{Collecting, DAY, HOUR, MINUTE};
use crate::registry::refused;

#[tokio::test]
async fn what_nothing_refers_to_goes_and_the_rest_stays() {
    let collecting = Collecting::start().await;
    let registry = &collecting.registry;
    registry.push_image("acme/hello", "1.0.0", b"layer").await;
    registry.push_blob("acme/hello", b"loose").await;
    registry.push_blob("acme/other", b"loose").await;
    collecting.pass(DAY).await;
    let counts = collecting.collect().await;
    assert_eq!((counts.links, counts.blobs, counts.bytes, counts.removed), (2, 1, 5, 0));
    assert_eq!(
        registry.blob_files().len(),
        3,
        "who looked up where the bytes are can still open them"
    );
    collecting.pass(2 * MINUTE).await;
    let counts = collecting.collect().await;
    assert_eq!((counts.blobs, counts.removed, counts.freed), (0, 1, 5));
    assert_eq!(registry.blob_files().len(), 2);
    assert!(!collecting.has("acme/hello", b"loose").await);
    assert!(collecting.has("acme/hello", b"layer").await && collecting.has("acme/hello", b"{}").await);
    assert_eq!(collecting.collect_bytes().await, wreg_api::Counts::default());
    registry.push_blob("acme/hello", b"loose").await;
    assert!(collecting.has("acme/hello", b"loose").await);
}

/// **C01** Collections between the last blob's 201 and the manifest's PUT, 1 ms to 23 hours apart → the manifest's 201, always.
#[tokio::test]
async fn a_push_that_takes_its_time_loses_nothing() {
    let collecting = Collecting::start().await;
    let registry = &collecting.registry;
    for (number, gap) in [
        Duration::from_millis(1),
        Duration::from_secs(1),
        MINUTE,
        HOUR,
        23 * HOUR,
    ]
    .into_iter()
    .enumerate()
    {
        let content = format!("layer {number}");
        let manifest = registry.image("acme/hello", content.as_bytes()).await;
        collecting.pass(gap).await;
        collecting.collect_bytes().await;
        let answer = registry
            .put_manifest("acme/hello", &format!("v{number}"), &manifest)
            .await;
        assert_eq!(answer.status(), StatusCode::CREATED, "after {gap:?}");
        collecting.pass(2 * DAY).await;
        collecting.collect_bytes().await;
        assert!(collecting.has("acme/hello", content.as_bytes()).await);
    }
}

#[tokio::test]
async fn a_push_that_was_given_up_is_told_so_and_can_begin_again() {
    let collecting = Collecting::start().await;
    let registry = &collecting.registry;
    let manifest = registry.image("acme/hello", b"layer").await;
    collecting.pass(DAY).await;
    collecting.collect_bytes().await;
    let answer = registry.put_manifest("acme/hello", "1.0.0", &manifest).await;
    refused(answer, 400, "MANIFEST_BLOB_UNKNOWN").await;
    registry.push_image("acme/hello", "1.0.0", b"layer").await;
    assert!(collecting.has("acme/hello", b"layer").await);
}

const LEASED_UNTIL: &str = "SELECT leased_until FROM blobs WHERE size = 5";

/// **C02** HEAD 200, then collections until the lease of the push has long ended, then the manifest's PUT → 201: HEAD renewed the lease.
#[tokio::test]
async fn whoever_heard_that_a_blob_is_there_can_name_it() {
    let collecting = Collecting::start().await;
    let registry = &collecting.registry;
    let manifest = registry.image("acme/hello", b"layer").await;
    for _ in 0..4 {
        collecting.pass(18 * HOUR).await;
        for content in [&b"layer"[..], b"{}"] {
            assert_eq!(collecting.head("acme/hello", content).await, StatusCode::OK);
        }
        collecting.collect_bytes().await;
    }
    let answer = registry.put_manifest("acme/hello", "1.0.0", &manifest).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert!(collecting.has("acme/hello", b"layer").await);
}

#[tokio::test]
async fn a_lease_is_renewed_only_where_it_matters() {
    let collecting = Collecting::start().await;
    let registry = &collecting.registry;
    let lease = async || registry.count(LEASED_UNTIL).await;
    let manifest = registry.image("acme/hello", b"layer").await;
    let first = lease().await;
    collecting.pass(11 * HOUR).await;
    assert_eq!(collecting.head("acme/hello", b"layer").await, StatusCode::OK);
    assert_eq!(lease().await, first, "more than half of it remains");
    collecting.pass(2 * HOUR).await;
    assert_eq!(collecting.head("acme/other", b"layer").await, StatusCode::NOT_FOUND);
    assert_eq!(lease().await, first, "that repository has no such blob");
    assert_eq!(collecting.head("acme/hello", b"layer").await, StatusCode::OK);
    let second = lease().await;
    assert_eq!(second - first, 13 * 3_600_000);
    registry.put_manifest("acme/hello", "1.0.0", &manifest).await;
    collecting.pass(5 * DAY).await;
    assert_eq!(collecting.head("acme/hello", b"layer").await, StatusCode::OK);
    assert_eq!(lease().await, second, "a manifest keeps it");
}

/// **C15** A blob deleted in one repository and then pushed, read and mounted in others, with collections between → the first one's stays 404.
#[tokio::test]
async fn what_was_deleted_in_one_repository_is_not_there_again_because_another_has_it() {
    let collecting = Collecting::start().await;
    let registry = &collecting.registry;
    let digest = registry.push_blob("acme/a", b"content").await;
    let (in_a, in_b) = (
        format!("/v2/acme/a/blobs/{digest}"),
        format!("/v2/acme/b/blobs/{digest}"),
    );
    assert_eq!(collecting.status("DELETE", &in_a).await, 202);
    assert_eq!(collecting.status("GET", &in_a).await, 404);
    registry.push_blob("acme/b", b"content").await;
    let mount = format!("/v2/acme/c/blobs/uploads/?mount={digest}&from=acme/b");
    assert_eq!(collecting.status("POST", &mount).await, 201);
    for _ in 0..3 {
        assert_eq!(collecting.status("HEAD", &in_b).await, 200);
        assert_eq!(collecting.status("GET", &in_a).await, 404);
        assert_eq!(collecting.status("HEAD", &in_a).await, 404);
        collecting.pass(18 * HOUR).await;
        collecting.collect_bytes().await;
    }
    assert!(collecting.has("acme/b", b"content").await);
}

/// **D06** The same bytes under both algorithms, one of the two collected → the other one survives, with bytes of its own.
#[tokio::test]
async fn the_same_bytes_under_another_algorithm_survive() {
    let collecting = Collecting::start().await;
    let registry = &collecting.registry;
    let content = b"the same bytes";
    let other = wreg_oci::Digest::of(wreg_oci::Algorithm::Sha512, content);
    let target = format!("/v2/acme/hello/blobs/uploads/?digest={other}");
    assert_eq!(
        registry.send_body("POST", &target, &content[..]).await.status(),
        StatusCode::CREATED
    );
    collecting.pass(13 * HOUR).await;
    let digest = registry.push_blob("acme/hello", content).await;
    assert_eq!(
        collecting
            .status("DELETE", &format!("/v2/acme/hello/blobs/{digest}"))
            .await,
        202
    );
    let path = format!("/v2/acme/hello/blobs/{other}");
    assert_eq!(collecting.status("HEAD", &path).await, 200);
    collecting.pass(DAY).await;
    registry.send("HEAD", &path).await;
    collecting.pass(HOUR).await;
    collecting.collect_bytes().await;
    assert!(!collecting.has("acme/hello", content).await);
    let answer = registry.send("GET", &path).await;
    assert_eq!(answer.bytes().await.expect("a body"), &content[..]);
    assert_eq!(registry.blob_files().len(), 1);
}

/// The bytes of a small blob are in its row, so they go with it and nothing is left for the next pass.
#[tokio::test]
async fn a_small_blob_goes_with_its_row() {
    let collecting = Collecting::with("collection_interval_seconds = 3153600000\n", Faults::NONE).await;
    let registry = &collecting.registry;
    registry.push_image("acme/hello", "1.0.0", b"layer").await;
    registry.push_blob("acme/hello", b"loose").await;
    collecting.pass(DAY).await;
    let counts = collecting.collect().await;
    assert_eq!((counts.blobs, counts.bytes, counts.removed, counts.freed), (1, 5, 1, 5));
    assert_eq!(registry.count("SELECT COUNT(*) FROM blob_removals").await, 0);
    assert!(!collecting.has("acme/hello", b"loose").await);
    assert!(collecting.has("acme/hello", b"layer").await);
}
