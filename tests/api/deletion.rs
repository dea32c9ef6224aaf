//! Deleting manifests, tags and blobs, and where that is not allowed.

use serde_json::{Value, json};
use wreg_oci::{Digest, MediaType};

use crate::registry::{TestRegistry, header, refused};

fn manifest(selector: impl std::fmt::Display) -> String {
    format!("/v2/acme/hello/manifests/{selector}")
}

fn blob(content: &str) -> String {
    format!("/v2/acme/hello/blobs/{}", Digest::sha256(content))
}

async fn deleted(registry: &TestRegistry, path: &str) {
    let answer = registry.send("DELETE", path).await;
    assert_eq!(answer.status(), 202, "{path}");
}

async fn gone(registry: &TestRegistry, path: &str) {
    for method in ["GET", "DELETE"] {
        refused(registry.send(method, path).await, 404, "MANIFEST_UNKNOWN").await;
    }
    assert_eq!(registry.send("HEAD", path).await.status(), 404);
}

async fn in_use(registry: &TestRegistry, path: &str) {
    let body = refused(registry.send("DELETE", path).await, 400, "UNSUPPORTED").await;
    assert_eq!(body["errors"][0]["detail"]["wreg_code"], "in-use");
    assert_eq!(registry.send("GET", path).await.status(), 200, "{path}");
}

/// An index over manifests of the repository, or over what is said to be one.
fn index(children: &[(Digest, usize)]) -> Value {
    let child = |(digest, size): &(Digest, usize)| json!({ "mediaType": MediaType::IMAGE_MANIFEST, "digest": digest, "size": size });
    json!({ "schemaVersion": 2, "mediaType": MediaType::IMAGE_INDEX, "manifests": children.iter().map(child).collect::<Vec<_>>() })
}

#[tokio::test]
async fn a_deleted_tag_is_gone_and_its_manifest_is_not() {
    let registry = TestRegistry::start().await;
    let digest = registry.push_image("acme/hello", "1.0.0", b"layer").await;
    registry.push_image("acme/hello", "latest", b"layer").await;
    deleted(&registry, &manifest("1.0.0")).await;
    gone(&registry, &manifest("1.0.0")).await;
    for selector in ["latest", digest.as_str()] {
        assert_eq!(registry.send("GET", &manifest(selector)).await.status(), 200);
    }
}

#[tokio::test]
async fn a_deleted_manifest_takes_its_tags_with_it_at_once() {
    let registry = TestRegistry::start().await;
    let digest = registry.push_image("acme/hello", "1.0.0", b"layer").await;
    registry.push_image("acme/hello", "latest", b"layer").await;
    registry.push_image("acme/hello", "other", b"other").await;
    registry.push_image("acme/two", "1.0.0", b"layer").await;
    deleted(&registry, &manifest(&digest)).await;
    for selector in [digest.as_str(), "1.0.0", "latest"] {
        gone(&registry, &manifest(selector)).await;
    }
    let tags: Value = registry
        .send("GET", "/v2/acme/hello/tags/list")
        .await
        .json()
        .await
        .expect("JSON");
    assert_eq!(tags["tags"], json!(["other"]));
    assert_eq!(registry.send("GET", "/v2/acme/two/manifests/1.0.0").await.status(), 200);
    // Now nothing is made of the layer, so that it can go too; the config is still in use.
    deleted(&registry, &blob("layer")).await;
    in_use(&registry, &blob("{}")).await;
    let again = registry.image("acme/hello", b"layer").await;
    assert_eq!(
        registry
            .put_manifest("acme/hello", digest.as_str(), &again)
            .await
            .status(),
        201
    );
    refused(registry.send("GET", &manifest("1.0.0")).await, 404, "MANIFEST_UNKNOWN").await;
}

#[tokio::test]
async fn what_an_index_lists_goes_after_the_index() {
    let registry = TestRegistry::start().await;
    let image = registry.image("acme/hello", b"layer").await.to_string();
    let child = registry.push_image("acme/hello", "child", b"layer").await;
    let inner = index(&[(child.clone(), image.len())]);
    let answer = registry.put_manifest("acme/hello", "inner", &inner).await;
    let inner_digest: Digest = header(&answer, "docker-content-digest").parse().expect("a digest");
    let outer = index(&[(inner_digest.clone(), inner.to_string().len())]);
    let answer = registry.put_manifest("acme/hello", "outer", &outer).await;
    let outer_digest = header(&answer, "docker-content-digest");
    for digest in [&child, &inner_digest] {
        in_use(&registry, &manifest(digest)).await;
    }
    deleted(&registry, &manifest("inner")).await;
    for digest in [outer_digest.as_str(), inner_digest.as_str(), child.as_str()] {
        deleted(&registry, &manifest(digest)).await;
        gone(&registry, &manifest(digest)).await;
    }
}

#[tokio::test]
async fn a_subject_can_be_deleted_and_what_is_about_it_stays() {
    let registry = TestRegistry::start().await;
    let subject = registry.push_image("acme/hello", "1.0.0", b"layer").await;
    let mut about = registry.image("acme/hello", b"about").await;
    about["subject"] = json!({ "mediaType": MediaType::IMAGE_MANIFEST, "digest": subject, "size": 1 });
    assert_eq!(registry.put_manifest("acme/hello", "about", &about).await.status(), 201);
    deleted(&registry, &manifest(&subject)).await;
    gone(&registry, &manifest(&subject)).await;
    assert_eq!(registry.send("GET", &manifest("about")).await.status(), 200);
}

#[tokio::test]
async fn what_is_not_there_cannot_be_deleted() {
    let registry = TestRegistry::start().await;
    let absent = Digest::sha256("absent");
    let unknown = [manifest(&absent), manifest("latest"), manifest(".wrong")];
    for path in &unknown {
        gone(&registry, path).await;
    }
    refused(registry.send("DELETE", &blob("absent")).await, 404, "BLOB_UNKNOWN").await;
    registry.push_image("acme/hello", "1.0.0", b"layer").await;
    for path in &unknown {
        gone(&registry, path).await;
    }
    refused(
        registry.send("DELETE", &manifest("sha256:00")).await,
        400,
        "DIGEST_INVALID",
    )
    .await;
    refused(
        registry.send("DELETE", "/v2/acme/hello/blobs/sha256:00").await,
        400,
        "DIGEST_INVALID",
    )
    .await;
}

#[tokio::test]
async fn what_a_sparse_manifest_names_and_is_not_there_is_unknown_and_not_in_use() {
    let registry = TestRegistry::start().await;
    registry
        .set("acme/hello", &json!({ "missing_references": "accept" }))
        .await;
    let absent = Digest::sha256("absent");
    let answer = registry
        .put_manifest("acme/hello", "index", &index(&[(absent.clone(), 300)]))
        .await;
    assert_eq!(answer.status(), 201);
    let image = json!({ "schemaVersion": 2, "config": { "mediaType": MediaType::EMPTY, "digest": absent, "size": 300 }, "layers": [] });
    assert_eq!(registry.put_manifest("acme/hello", "image", &image).await.status(), 201);
    gone(&registry, &manifest(&absent)).await;
    refused(registry.send("DELETE", &blob("absent")).await, 404, "BLOB_UNKNOWN").await;
}

/// **M19** Deleting switched off: a tag, a manifest, a blob → 405 UNSUPPORTED each, and all of it stays.
#[tokio::test]
async fn where_deleting_is_switched_off_nothing_is_deleted() {
    let registry = TestRegistry::start().await;
    let digest = registry.push_image("acme/hello", "1.0.0", b"layer").await;
    registry.push_blob("acme/hello", b"loose").await;
    registry.set("acme/hello", &json!({ "deletable": false })).await;
    let paths = [manifest("1.0.0"), manifest(&digest), blob("layer"), blob("loose")];
    for path in &paths {
        let answer = registry.send("DELETE", path).await;
        assert!(!header(&answer, "allow").contains("DELETE"));
        let body = refused(answer, 405, "UNSUPPORTED").await;
        assert_eq!(body["errors"][0]["detail"]["wreg_code"], "deletion-disabled");
        assert_eq!(registry.send("GET", path).await.status(), 200, "{path}");
    }
    let upload = registry.start_upload("acme/hello").await;
    assert_eq!(registry.send("DELETE", &upload).await.status(), 204);
    registry.set("acme/hello", &json!({ "deletable": true })).await;
    for path in [&paths[0], &paths[1], &paths[2], &paths[3]] {
        deleted(&registry, path).await;
    }
}
