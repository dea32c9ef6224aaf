//! Blobs: pushed, read, mounted, deleted.

use reqwest::StatusCode;
use wreg_oci::Digest;

use crate::registry::{TestRegistry, header, refused};

#[tokio::test]
async fn a_pushed_blob_is_read_back_byte_for_byte() {
    let registry = TestRegistry::start().await;
    let content = vec![7; 300_000];
    let digest = registry.push_blob("acme/hello", &content).await;
    let target = format!("/v2/acme/hello/blobs/{digest}");
    let answer = registry.send("GET", &target).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(header(&answer, "docker-content-digest"), digest.to_string());
    assert_eq!(header(&answer, "content-length"), "300000");
    assert_eq!(answer.bytes().await.expect("a body"), content);
    let head = registry.send("HEAD", &target).await;
    assert_eq!(
        (head.status(), header(&head, "content-length").as_str()),
        (StatusCode::OK, "300000")
    );
}

#[tokio::test]
async fn a_blob_is_mounted_only_from_where_it_is() {
    let registry = TestRegistry::start().await;
    let digest = registry.push_blob("acme/one", b"layer").await;
    let mount = |digest: &Digest, from: &str| format!("/v2/acme/two/blobs/uploads/?mount={digest}{from}");
    let absent = Digest::sha256("absent");
    for (target, status) in [
        (mount(&digest, "&from=acme/three"), 202),
        (mount(&absent, "&from=acme/one"), 202),
        (mount(&digest, "&from=acme/one"), 201),
        (mount(&digest, ""), 201),
    ] {
        let answer = registry.send("POST", &target).await;
        assert_eq!(answer.status(), status, "{target}");
        if status == 202 {
            assert_eq!(
                registry.send("DELETE", &header(&answer, "location")).await.status(),
                StatusCode::NO_CONTENT
            );
        }
    }
    let answer = registry.send("GET", &format!("/v2/acme/two/blobs/{digest}")).await;
    assert_eq!(answer.text().await.expect("a body"), "layer");
}

#[tokio::test]
async fn a_deleted_blob_is_gone_from_its_repository_alone() {
    let registry = TestRegistry::start().await;
    for repository in ["acme/one", "acme/two"] {
        registry.push_blob(repository, b"layer").await;
    }
    let digest = Digest::sha256("layer");
    assert_eq!(
        registry
            .send("DELETE", &format!("/v2/acme/one/blobs/{digest}"))
            .await
            .status(),
        StatusCode::ACCEPTED
    );
    refused(
        registry.send("GET", &format!("/v2/acme/one/blobs/{digest}")).await,
        404,
        "BLOB_UNKNOWN",
    )
    .await;
    refused(
        registry.send("DELETE", &format!("/v2/acme/one/blobs/{digest}")).await,
        404,
        "BLOB_UNKNOWN",
    )
    .await;
    assert_eq!(
        registry
            .send("GET", &format!("/v2/acme/two/blobs/{digest}"))
            .await
            .status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_blob_that_a_manifest_is_made_of_cannot_be_deleted() {
    let registry = TestRegistry::start().await;
    registry.push_image("acme/hello", "1.0.0", b"layer").await;
    let target = format!("/v2/acme/hello/blobs/{}", Digest::sha256("layer"));
    let body = refused(registry.send("DELETE", &target).await, 400, "UNSUPPORTED").await;
    assert_eq!(body["errors"][0]["detail"]["wreg_code"], "in-use");
    assert_eq!(registry.send("GET", &target).await.status(), StatusCode::OK);
}
