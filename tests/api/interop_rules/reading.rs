//! Rules 18 to 21 and 23: what clients send along when they read, and what they make of the answer.

use serde_json::json;
use wreg_oci::Digest;

use super::{has_headers, lacks};
use crate::registry::{Options, TestRegistry, header, refused};

/// What can be read of an image that is there.
async fn targets(registry: &TestRegistry) -> Vec<String> {
    let manifest = registry.push_image("acme/hello", "1.0", &b"layer".repeat(1000)).await;
    let layer = Digest::sha256(b"layer".repeat(1000));
    vec![
        format!("/v2/acme/hello/blobs/{layer}"),
        format!("/v2/acme/hello/manifests/{manifest}"),
        "/v2/acme/hello/manifests/1.0".to_owned(),
        "/v2/acme/hello/tags/list".to_owned(),
        format!("/v2/acme/hello/referrers/{manifest}"),
        "/v2/".to_owned(),
    ]
}

/// oci-client sends the types of manifests when it asks for a blob.
#[tokio::test]
async fn rule_18_what_a_client_accepts_is_not_asked_for_blobs() {
    let registry = TestRegistry::start().await;
    let blob = &targets(&registry).await[0];
    for accept in [
        "application/vnd.oci.image.manifest.v1+json",
        "text/html;q=0.1",
        "*/*;q=0",
        "junk",
    ] {
        for method in ["GET", "HEAD"] {
            let request = registry.request(method, blob).header("accept", accept);
            let answer = request.send().await.expect("an answer");
            assert_eq!(answer.status(), 200, "{accept}");
            has_headers(&answer, &[("accept-ranges", "bytes"), ("content-length", "5000")]);
        }
    }
    for (range, status, length) in [
        ("bytes=10-19", 206, "10"),
        ("pages=1-2", 200, "5000"),
        ("bytes=x-", 200, "5000"),
    ] {
        let answer = registry.request("GET", blob).header("range", range).send().await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status(), status, "{range}");
        has_headers(&answer, &[("content-length", length)]);
    }
}

/// Go's HTTP client asks for gzip by itself, unpacks it unseen, and then knows no length any more.
#[tokio::test]
async fn rule_19_nothing_is_sent_as_gzip() {
    let registry = TestRegistry::start().await;
    for target in targets(&registry).await {
        for accepted in ["gzip", "gzip, deflate, br, zstd", "*", "gzip;q=1.0, identity;q=0"] {
            let request = registry.request("GET", &target).header("accept-encoding", accepted);
            let answer = request.send().await.expect("an answer");
            assert_eq!(answer.status(), 200, "{target}");
            lacks(&answer, "content-encoding");
            header(&answer, "content-length");
        }
    }
}

/// Clients take a redirect of anything but a blob for a fault.
#[tokio::test]
async fn rule_20_manifests_lists_and_head_are_never_redirected() {
    let registry = TestRegistry::start().await;
    for (number, target) in targets(&registry).await.iter().enumerate() {
        let answer = registry.send("HEAD", target).await;
        assert_eq!(answer.status(), 200, "{target}");
        lacks(&answer, "location");
        // Only the first is a blob, whose GET may be redirected to where its bytes are.
        if number > 0 {
            assert_eq!(registry.send("GET", target).await.status(), 200, "{target}");
        }
    }
}

/// containerd, regctl and oras show every `Warning` to people.
#[tokio::test]
async fn rule_21_nobody_is_warned_without_a_reason() {
    let registry = TestRegistry::start().await;
    for target in targets(&registry).await {
        lacks(&registry.send("GET", &target).await, "warning");
    }
}

/// containerd names the registry that it takes this one for a mirror of; crane tries again after `Retry-After`.
#[tokio::test]
async fn rule_23_ns_changes_nothing_and_429_says_when_to_come_back() {
    let registry = TestRegistry::with(Options {
        config: "max_open_uploads = 1\n",
        ..Options::default()
    })
    .await;
    for target in targets(&registry).await {
        let separator = if target.contains('?') { '&' } else { '?' };
        let with_ns = format!("{target}{separator}ns=docker.io");
        let (with, without) = (
            registry.send("GET", &with_ns).await,
            registry.send("GET", &target).await,
        );
        assert_eq!(with.status(), 200);
        assert_eq!(
            with.bytes().await.expect("a body"),
            without.bytes().await.expect("a body")
        );
    }
    let session = registry.start_upload("acme/hello").await;
    let answer = registry.send("POST", "/v2/acme/hello/blobs/uploads/").await;
    assert!(header(&answer, "retry-after").parse::<u32>().is_ok());
    let body = refused(answer, 429, "TOOMANYREQUESTS").await;
    assert_eq!(body["errors"][0]["detail"]["wreg_code"], json!("too-many-uploads"));
    assert_eq!(registry.send("DELETE", &session).await.status(), 204);
}
