//! Bodies that are refused unread: coded, too large, or of somebody who may not send any.

use reqwest::StatusCode;
use wreg_harness::raw::Connection;
use wreg_oci::Digest;

use crate::{
    auth::unknown_token,
    registry::{Options, TestRegistry, refused},
};

const CAP: u64 = 1_000_000;

/// A registry that takes blobs of a million bytes.
async fn capped() -> TestRegistry {
    TestRegistry::with(Options {
        config: "max_blob_size = 1000000",
        ..Options::default()
    })
    .await
}

/// Sends a head of the administrator's, and nothing of the body that it announces.
fn head(registry: &TestRegistry, request: &str, fields: &str) -> Connection {
    let mut connection = Connection::open(registry.address);
    let (address, token) = (registry.address, &registry.token);
    let head = format!("{request} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n{fields}\r\n\r\n");
    connection.send(head).expect("the server reads");
    connection
}

/// **H15** `Content-Encoding` on a body that is to be stored → 415 UNSUPPORTED; nothing is unpacked, nothing is stored.
#[tokio::test]
async fn a_coded_body_is_refused() {
    let registry = TestRegistry::start().await;
    registry.push_image("acme/hello", "1.0", b"layer").await;
    let (digest, session) = (Digest::sha256("body"), registry.start_upload("acme/hello").await);
    let before = registry.count("SELECT COUNT(*) FROM events").await;
    for codings in [
        &["gzip"][..],
        &["zstd"],
        &["GZIP"],
        &["identity, gzip"],
        &["identity", "gzip"],
        &["x-unknown"],
        &[""],
    ] {
        for (method, target) in [
            ("PATCH", session.clone()),
            ("PUT", format!("{session}?digest={digest}")),
            ("POST", format!("/v2/acme/hello/blobs/uploads/?digest={digest}")),
            ("PUT", "/v2/acme/hello/manifests/2.0".to_owned()),
            ("PATCH", "/api/v1/repository?repository=acme/hello".to_owned()),
            ("POST", "/token".to_owned()),
        ] {
            let request = registry.request(method, &target).body("body");
            let request = codings
                .iter()
                .fold(request, |request, coding| request.header("content-encoding", *coding));
            refused(request.send().await.expect("an answer"), 415, "UNSUPPORTED").await;
        }
    }
    assert_eq!(registry.count("SELECT COUNT(*) FROM events").await, before);
    assert_eq!(registry.send("GET", &session).await.status(), StatusCode::NO_CONTENT);
    // Identity is no coding.
    let request = registry.request("PUT", &format!("{session}?digest={digest}"));
    let request = request.header("content-encoding", "identity").body("body");
    assert_eq!(request.send().await.expect("an answer").status(), StatusCode::CREATED);
}

/// **H16** A declared length above the cap → 413 before anything of the body is sent or read.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_declared_too_large_is_refused_before_it_comes() {
    let registry = capped().await;
    let session = registry.start_upload("acme/hello").await;
    let half = registry.send_body("PATCH", &session, vec![7; 600_000]).await;
    assert_eq!(half.status(), StatusCode::ACCEPTED);
    let digest = Digest::sha256("x");
    for (request, length, code) in [
        (
            format!("POST /v2/acme/hello/blobs/uploads/?digest={digest}"),
            CAP + 1,
            "SIZE_INVALID",
        ),
        (
            format!("POST /v2/acme/hello/blobs/uploads/?digest={digest}"),
            u64::MAX / 2,
            "SIZE_INVALID",
        ),
        (format!("PATCH {session}"), 400_001, "SIZE_INVALID"),
        (format!("PUT {session}?digest={digest}"), 400_001, "SIZE_INVALID"),
        (
            "PUT /v2/acme/hello/manifests/1.0".to_owned(),
            4 * 1024 * 1024 + 1,
            "MANIFEST_INVALID",
        ),
        (
            "PATCH /api/v1/repository?repository=acme/hello".to_owned(),
            16 * 1024 + 1,
            "SIZE_INVALID",
        ),
        ("POST /token".to_owned(), 16 * 1024 + 1, "SIZE_INVALID"),
    ] {
        let fields = format!("content-length: {length}\r\ncontent-type: application/vnd.oci.image.manifest.v1+json");
        let answer = head(&registry, &request, &fields).read_response();
        let answer = answer.unwrap_or_else(|error| panic!("{request} {length}: {error}"));
        assert_eq!(answer.status, 413, "{request} {length}: {}", answer.text());
        assert!(answer.text().contains(code), "{}", answer.text());
    }
    assert_eq!(registry.send("DELETE", &session).await.status(), StatusCode::NO_CONTENT);
}

/// **H16** An endless body in chunks → 413 where it crosses the cap, and what came of it is freed.
#[tokio::test(flavor = "multi_thread")]
async fn an_endless_body_is_cut_off_at_the_cap() {
    let registry = capped().await;
    let session = registry.start_upload("acme/hello").await;
    let digest = Digest::sha256("x");
    let chunk = [b"10000\r\n".as_slice(), &vec![7; 0x10000], b"\r\n"].concat();
    for request in [
        format!("POST /v2/acme/hello/blobs/uploads/?digest={digest}"),
        format!("PATCH {session}"),
        "PUT /v2/acme/hello/manifests/1.0".to_owned(),
        "PATCH /api/v1/repository?repository=acme/hello".to_owned(),
        "POST /token".to_owned(),
    ] {
        let fields = "transfer-encoding: chunked\r\ncontent-type: application/vnd.oci.image.manifest.v1+json";
        let mut connection = head(&registry, &request, fields);
        // 8 MiB, more than any of them takes, and no end. A server that has said its word reads no more.
        for _ in 0..128 {
            if connection.send(&chunk).is_err() {
                break;
            }
        }
        let answer = connection.read_response();
        let answer = answer.unwrap_or_else(|error| panic!("{request}: {error}"));
        assert_eq!(answer.status, 413, "{request}: {}", answer.text());
        assert_eq!(registry.upload_files(), Vec::<std::path::PathBuf>::new(), "{request}");
    }
    refused(registry.send("GET", &session).await, 404, "BLOB_UPLOAD_UNKNOWN").await;
}

/// **H17** `Expect: 100-continue` with credentials that are wrong or missing → 401 at once, and the body is never asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_not_asked_for_before_its_sender_may_send_it() {
    let registry = TestRegistry::start().await;
    let digest = Digest::sha256("layer");
    let wrong = format!("authorization: Bearer {}\r\n", unknown_token());
    let jwt = registry.registry_token("repository:acme/hello:pull", false).await;
    let lacking = format!("authorization: Bearer {jwt}\r\n");
    let request = |authorization: &str| {
        let mut connection = Connection::open(registry.address);
        let head = format!(
            "POST /v2/acme/hello/blobs/uploads/?digest={digest} HTTP/1.1\r\nhost: {}\r\n{authorization}expect: 100-continue\r\ncontent-length: 5\r\n\r\n",
            registry.address
        );
        connection.send(head).expect("the server reads");
        connection
    };
    for authorization in [wrong.as_str(), &lacking, ""] {
        let answer = request(authorization).read_head().expect("an answer");
        assert_eq!(answer.status, 401);
    }
    let mut allowed = request(&format!("authorization: Bearer {}\r\n", registry.token));
    assert_eq!(allowed.read_head().expect("an answer").status, 100);
    allowed.send("layer").expect("the server reads");
    assert_eq!(allowed.read_response().expect("an answer").status, 201);
}
