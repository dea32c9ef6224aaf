//! Bringing back what was deleted, until it is purged.

use reqwest::StatusCode;
use serde_json::{Value, json};
use wreg_oci::{Digest, MediaType};

use super::{Collecting, DAY, HOUR};
use crate::registry::{header, refused};

const DELETED: &str = "/api/v1/deleted?repository=acme/hello";

fn manifest(selector: impl std::fmt::Display) -> String {
    format!("/v2/acme/hello/manifests/{selector}")
}

fn undelete(selector: impl std::fmt::Display) -> String {
    format!("{DELETED}&reference={selector}")
}

impl Collecting {
    async fn json(&self, method: &str, target: &str) -> Value {
        let answer = self.registry.send(method, target).await;
        assert_eq!(answer.status(), StatusCode::OK, "{target}");
        answer.json().await.expect("JSON")
    }

    /// Pushes something about `subject`; gives its digest.
    async fn attach(&self, subject: &Digest, content: &str, tag: Option<&str>) -> Digest {
        let mut about = self.registry.image("acme/hello", content.as_bytes()).await;
        about["subject"] = json!({ "mediaType": MediaType::IMAGE_MANIFEST, "digest": subject, "size": 1 });
        let digest = Digest::sha256(about.to_string());
        let selector = tag.unwrap_or(digest.as_str());
        let answer = self.registry.put_manifest("acme/hello", selector, &about).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        digest
    }

    async fn delete(&self, path: &str) {
        assert_eq!(self.status("DELETE", path).await, 202, "{path}");
    }
}

#[tokio::test]
async fn a_deleted_manifest_comes_back_with_its_tags_and_its_content() {
    let collecting = Collecting::start().await;
    let registry = &collecting.registry;
    let digest = registry.push_image("acme/hello", "1.0.0", b"layer").await;
    registry.push_image("acme/hello", "latest", b"layer").await;
    let bytes = registry
        .send("GET", &manifest("1.0.0"))
        .await
        .bytes()
        .await
        .expect("bytes");
    collecting.delete(&manifest(&digest)).await;
    let layer = format!("/v2/acme/hello/blobs/{}", Digest::sha256("layer"));
    collecting.delete(&layer).await;
    registry.push_image("acme/hello", "latest", b"other").await;
    collecting.pass(6 * DAY).await;
    collecting.collect_bytes().await;
    for path in [manifest(&digest), manifest("1.0.0"), layer.clone()] {
        assert_eq!(collecting.status("GET", &path).await, 404, "{path}");
    }
    let listed = collecting.json("GET", DELETED).await;
    let names: Vec<_> = listed["deleted"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| &entry["name"])
        .collect();
    assert_eq!(names, [digest.as_str(), "1.0.0"]);

    let undeleted = collecting.json("POST", &undelete("1.0.0")).await;
    assert_eq!(
        undeleted,
        json!({ "digest": digest, "manifests": 1, "tags": ["1.0.0"] })
    );
    let answer = registry.send("GET", &manifest("1.0.0")).await;
    assert_eq!(answer.bytes().await.expect("bytes"), bytes);
    assert!(
        collecting.has("acme/hello", b"layer").await,
        "deleted by name, and made of it all the same"
    );
    assert_ne!(
        header(
            &registry.send("GET", &manifest("latest")).await,
            "docker-content-digest"
        ),
        digest.as_str()
    );
    let again = registry.send("POST", &undelete("1.0.0")).await;
    refused(again, 412, "DENIED").await;
    refused(registry.send("POST", &undelete(&digest)).await, 404, "MANIFEST_UNKNOWN").await;
    assert_eq!(collecting.json("GET", DELETED).await["deleted"], json!([]));
    collecting.pass(30 * DAY).await;
    collecting.collect_bytes().await;
    assert!(collecting.has("acme/hello", b"layer").await);
}

#[tokio::test]
async fn after_the_purge_nothing_comes_back() {
    let collecting = Collecting::start().await;
    let registry = &collecting.registry;
    let digest = registry.push_image("acme/hello", "1.0.0", b"layer").await;
    collecting.delete(&manifest(&digest)).await;
    collecting.pass(7 * DAY).await;
    // Also before a collection has come around to it.
    refused(registry.send("POST", &undelete(&digest)).await, 404, "MANIFEST_UNKNOWN").await;
    refused(registry.send("POST", &undelete("1.0.0")).await, 404, "MANIFEST_UNKNOWN").await;
    let counts = collecting.collect_bytes().await;
    assert_eq!(
        (counts.purged, counts.links, counts.blobs, counts.removed),
        (1, 2, 2, 2)
    );
    assert_eq!(registry.blob_files().len(), 0);
    for table in [
        "SELECT COUNT(*) FROM deleted_manifests",
        "SELECT COUNT(*) FROM deleted_manifest_references",
        "SELECT COUNT(*) FROM deleted_tags",
    ] {
        assert_eq!(registry.count(table).await, 0, "{table}");
    }
}

#[tokio::test]
async fn a_tag_alone_comes_back_unless_it_is_there_again() {
    let collecting = Collecting::start().await;
    let registry = &collecting.registry;
    let digest = registry.push_image("acme/hello", "1.0.0", b"layer").await;
    registry.push_image("acme/hello", "latest", b"layer").await;
    collecting.delete(&manifest("1.0.0")).await;
    collecting.delete(&manifest("latest")).await;
    let undeleted = collecting.json("POST", &undelete("1.0.0")).await;
    assert_eq!(
        undeleted,
        json!({ "digest": digest, "manifests": 0, "tags": ["1.0.0"] })
    );
    let moved = registry.push_image("acme/hello", "latest", b"other").await;
    refused(registry.send("POST", &undelete("latest")).await, 412, "DENIED").await;
    collecting.delete(&manifest("latest")).await;
    collecting.json("POST", &undelete("latest")).await;
    let answer = registry.send("GET", &manifest("latest")).await;
    assert_eq!(
        header(&answer, "docker-content-digest"),
        moved.as_str(),
        "where it pointed last"
    );
}

#[tokio::test]
async fn a_version_that_was_deleted_is_taken_until_it_comes_back() {
    let collecting = Collecting::start().await;
    let registry = &collecting.registry;
    registry.set("acme/hello", &json!({ "immutable_tags": "semver" })).await;
    let digest = registry.push_image("acme/hello", "1.0.0", b"layer").await;
    collecting.delete(&manifest(&digest)).await;
    let other = registry.image("acme/hello", b"other").await;
    refused(
        registry.put_manifest("acme/hello", "1.0.0", &other).await,
        409,
        "DENIED",
    )
    .await;
    collecting.json("POST", &undelete("1.0.0")).await;
    let answer = registry.send("GET", &manifest("1.0.0")).await;
    assert_eq!(header(&answer, "docker-content-digest"), digest.as_str());
    refused(
        registry.put_manifest("acme/hello", "1.0.0", &other).await,
        409,
        "DENIED",
    )
    .await;
}

/// **F07** A subject is deleted → what is about it and untagged follows after a lease, a chain one link at a time; what is tagged, and what is about something that was never there, stays; bringing the subject back brings all of them back.
#[tokio::test]
async fn referrers_follow_their_subject_and_come_back_with_it() {
    let collecting = Collecting::start().await;
    let registry = &collecting.registry;
    let subject = registry.push_image("acme/hello", "1.0.0", b"layer").await;
    let about = collecting.attach(&subject, "about", None).await;
    let about_that = collecting.attach(&about, "about that", None).await;
    let tagged = collecting.attach(&subject, "tagged", Some("tagged")).await;
    let nothing = collecting
        .attach(&Digest::sha256("never there"), "about nothing", None)
        .await;
    collecting.delete(&manifest(&subject)).await;
    collecting.pass(23 * HOUR).await;
    assert_eq!(collecting.collect().await.followers, 0, "the lease has not ended");
    for _ in 0..2 {
        collecting.pass(DAY).await;
        assert_eq!(collecting.collect().await.followers, 1);
    }
    collecting.pass(DAY).await;
    assert_eq!(collecting.collect_bytes().await.followers, 0);
    for (digest, status) in [(&about, 404), (&about_that, 404), (&tagged, 200), (&nothing, 200)] {
        assert_eq!(collecting.status("GET", &manifest(digest)).await, status);
    }
    let undeleted = collecting.json("POST", &undelete(&subject)).await;
    assert_eq!(undeleted["manifests"], 3);
    let referrers = collecting
        .json("GET", &format!("/v2/acme/hello/referrers/{subject}"))
        .await;
    assert_eq!(referrers["manifests"].as_array().map(Vec::len), Some(2));
    assert_eq!(collecting.status("GET", &manifest(&about_that)).await, 200);
    assert!(collecting.has("acme/hello", b"about that").await);
}

#[tokio::test]
async fn an_index_comes_back_with_what_it_lists() {
    let collecting = Collecting::start().await;
    let registry = &collecting.registry;
    let image = registry.image("acme/hello", b"layer").await.to_string();
    let child = registry.push_image("acme/hello", "child", b"layer").await;
    let index = json!({ "schemaVersion": 2, "mediaType": MediaType::IMAGE_INDEX,
        "manifests": [{ "mediaType": MediaType::IMAGE_MANIFEST, "digest": child, "size": image.len() }] });
    let answer = registry.put_manifest("acme/hello", "index", &index).await;
    let digest = header(&answer, "docker-content-digest");
    collecting.delete(&manifest(&digest)).await;
    collecting.pass(DAY).await;
    collecting.delete(&manifest(&child)).await;
    let undeleted = collecting.json("POST", &undelete("index")).await;
    assert_eq!(
        (&undeleted["manifests"], &undeleted["tags"]),
        (&json!(2), &json!(["child", "index"]))
    );
    assert_eq!(collecting.status("GET", &manifest("child")).await, 200);
}

/// What a manifest merely names may be another repository's: bringing the manifest back grants nothing.
#[tokio::test]
async fn a_sparse_manifest_brings_back_only_what_was_there() {
    let collecting = Collecting::start().await;
    let registry = &collecting.registry;
    registry.push_blob("secret/place", b"secret").await;
    registry
        .set("acme/hello", &json!({ "missing_references": "accept" }))
        .await;
    let config = registry.push_blob("acme/hello", b"{}").await;
    let sparse = json!({ "schemaVersion": 2, "config": { "mediaType": MediaType::EMPTY, "digest": config, "size": 2 },
        "layers": [{ "mediaType": "application/octet-stream", "digest": Digest::sha256("secret"), "size": 6 }] });
    let answer = registry.put_manifest("acme/hello", "sparse", &sparse).await;
    collecting
        .delete(&manifest(header(&answer, "docker-content-digest")))
        .await;
    collecting.json("POST", &undelete("sparse")).await;
    assert!(!collecting.has("acme/hello", b"secret").await);
    assert!(collecting.has("acme/hello", b"{}").await);
}

#[tokio::test]
async fn only_who_may_delete_sees_what_was_deleted() {
    let collecting = Collecting::start().await;
    let registry = &collecting.registry;
    registry.set("acme/hello", &json!({ "visibility": "public" })).await;
    let digest = registry.push_image("acme/hello", "1.0.0", b"layer").await;
    collecting.delete(&manifest(&digest)).await;
    for (method, path) in [("GET", DELETED.to_owned()), ("POST", undelete("1.0.0"))] {
        let answer = registry.anonymous(method, &path).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{method} {path}");
    }
    for (method, path, status) in [
        ("POST", undelete("?"), 400),
        ("POST", DELETED.to_owned(), 400),
        ("PUT", DELETED.to_owned(), 405),
    ] {
        assert_eq!(collecting.status(method, &path).await, status, "{method} {path}");
    }
}
