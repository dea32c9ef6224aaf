//! Blobs of a few KiB, which are kept in the database: to clients they are blobs like any other.

use reqwest::StatusCode;
use wreg_api::FindingKind;
use wreg_oci::Digest;

use crate::{
    bucket::on_files,
    check::{check, kinds},
    flows::bytes,
    registry::{TestRegistry, header},
};

#[tokio::test]
async fn a_small_blob_is_kept_in_the_database_and_a_larger_one_in_the_store() {
    let registry = TestRegistry::start().await;
    let (small, larger) = (bytes(4096), bytes(4097));
    let digest = registry.push_blob("acme/hello", &small).await;
    if on_files() {
        assert!(registry.blob_files().is_empty());
    }
    let in_rows = "SELECT COUNT(*) FROM blobs WHERE location = '' AND content IS NOT NULL";
    assert_eq!(registry.count(in_rows).await, 1);
    registry.push_blob("acme/hello", &larger).await;
    assert_eq!(registry.count(in_rows).await, 1);
    if on_files() {
        assert_eq!(registry.blob_files().len(), 1);
    }

    let target = format!("/v2/acme/hello/blobs/{digest}");
    let head = registry.send("HEAD", &target).await;
    assert_eq!(
        (head.status(), header(&head, "content-length").as_str()),
        (StatusCode::OK, "4096")
    );
    let read = registry.send("GET", &target).await;
    assert!(read.bytes().await.expect("a body") == small);
    let part = registry.request("GET", &target).header("range", "bytes=4000-");
    let part = part.send().await.expect("an answer");
    assert_eq!(header(&part, "content-range"), "bytes 4000-4095/4096");
    assert!(part.bytes().await.expect("a body") == small[4000..]);
    let mount = format!("/v2/acme/other/blobs/uploads/?mount={digest}&from=acme/hello");
    assert_eq!(registry.send("POST", &mount).await.status(), StatusCode::CREATED);
    let mounted = registry.send("GET", &format!("/v2/acme/other/blobs/{digest}")).await;
    assert!(mounted.bytes().await.expect("a body") == small);
}

/// Pushed once in chunks and once in one piece, whichever came first: one copy is kept, and it is the first.
#[tokio::test]
async fn the_same_small_blob_is_kept_once_however_it_comes() {
    for chunks_first in [true, false] {
        let registry = TestRegistry::start().await;
        let content = bytes(100);
        let digest = Digest::sha256(&content);
        for in_chunks in [chunks_first, !chunks_first] {
            if in_chunks {
                let session = registry.start_upload("acme/hello").await;
                let patched = crate::flows::patch(&registry, &session, None, &content).await;
                assert_eq!(patched.status(), StatusCode::ACCEPTED);
                let closed = crate::flows::put(&registry, &session, &digest, "").await;
                assert_eq!(closed.status(), StatusCode::CREATED);
            } else {
                registry.push_blob("acme/hello", &content).await;
            }
            let read = registry.send("GET", &format!("/v2/acme/hello/blobs/{digest}")).await;
            assert!(read.bytes().await.expect("a body") == content);
        }
        if on_files() {
            assert_eq!(registry.blob_files().len(), usize::from(chunks_first));
        }
    }
}

/// **S18** The content of a small blob is not what its digest names → any check tells, since it is in the database itself.
#[tokio::test]
async fn a_small_blob_with_other_bytes_is_found() {
    let registry = TestRegistry::start().await;
    registry.push_image("acme/hello", "1.0.0", b"layer").await;
    assert_eq!(kinds(&check(&registry, "deep=true").await.0), []);
    registry
        .execute("UPDATE blobs SET content = (SELECT b.content FROM blobs b WHERE b.size = 2) WHERE size = 5")
        .await;
    assert_eq!(kinds(&check(&registry, "").await.0), [FindingKind::ContentDiffers]);
}
