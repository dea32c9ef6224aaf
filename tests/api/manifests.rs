//! Manifests: what is taken is served again to the letter.

use std::{fmt::Display, net::TcpListener};

use reqwest::{Body, Response, header::HeaderMap};
use serde_json::{Value, json};
use wreg_oci::{Digest, MediaType, manifest::MAX_LEN};

use crate::registry::{TestRegistry, header, refused};

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";

fn target(selector: impl Display) -> String {
    format!("/v2/acme/hello/manifests/{selector}")
}

/// Pushes bytes as an image manifest tagged `1.0.0`, and reads them back by tag and by digest.
async fn comes_back(registry: &TestRegistry, content: &str) -> Digest {
    let answer = registry
        .put_bytes("acme/hello", "1.0.0", IMAGE, content.to_owned())
        .await;
    assert_eq!(answer.status(), 201, "{content}");
    let digest = Digest::sha256(content);
    assert_eq!(header(&answer, "docker-content-digest"), digest.to_string());
    assert_eq!(header(&answer, "location"), target(&digest));
    for selector in ["1.0.0", digest.as_str()] {
        let answer = registry.send("GET", &target(selector)).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(header(&answer, "content-type"), IMAGE);
        assert_eq!(header(&answer, "docker-content-digest"), digest.to_string());
        assert_eq!(header(&answer, "etag"), format!("\"{digest}\""));
        assert_eq!(header(&answer, "content-length"), content.len().to_string());
        assert_eq!(answer.text().await.expect("a body"), content);
    }
    digest
}

/// **D08** A manifest with odd white space, its members in another order, escapes, unknown members → served byte for byte.
#[tokio::test]
async fn a_manifest_is_served_byte_for_byte() {
    let registry = TestRegistry::start().await;
    let image = registry.image("acme/hello", b"layer").await;
    let (config, layers) = (&image["config"], &image["layers"]);
    let odd = format!(
        "\n\t {{ \"x-own\" :\t[ 1.0e2, null ,\"\\u00e4\\/\" ] ,\r\n\"layers\":{layers},\"annotations\":{{\"b\":\"2\",\"a\":\"1\"}},\
         \"config\" : {config},\"schemaVersion\":2\n}}\n\n "
    );
    let reordered = format!("{{\"layers\":{layers},\"schemaVersion\":2,\"config\":{config}}}");
    let usual = format!("{{\"schemaVersion\":2,\"config\":{config},\"layers\":{layers}}}");
    for content in [odd, reordered, usual] {
        comes_back(&registry, &content).await;
    }
}

/// **M15** Annotations of 1 MiB, with NUL, with script, with direction marks → stored and served as they are.
#[tokio::test]
async fn annotations_may_hold_any_text() {
    let registry = TestRegistry::start().await;
    let mut image = registry.image("acme/hello", b"layer").await;
    let annotations = json!({
        "long": "x".repeat(1024 * 1024),
        "nul": "a\u{0}b",
        "nul\u{0}in name": "\u{1}\u{7f}",
        "script": "<script>alert(1)</script><img src=x onerror=alert(1)>",
        "marks": "\u{202e}gnp.exe\u{2066}\u{feff}\u{10ffff}",
    });
    image["annotations"] = annotations.clone();
    let digest = comes_back(&registry, &image.to_string()).await;
    let mut about = registry.image("acme/hello", b"about").await;
    about["subject"] = json!({ "mediaType": IMAGE, "digest": digest, "size": image.to_string().len() });
    about["annotations"] = annotations.clone();
    assert_eq!(registry.put_manifest("acme/hello", "about", &about).await.status(), 201);
    let referrers = registry
        .send("GET", &format!("/v2/acme/hello/referrers/{digest}"))
        .await;
    let referrers: Value = referrers.json().await.expect("JSON");
    assert_eq!(referrers["manifests"][0]["annotations"], annotations);
}

/// **M06** A manifest of exactly 4 MiB → 201, and it comes back whole.
/// **M06** A manifest of 4 MiB and one byte, its length declared or not → 413 `MANIFEST_INVALID`.
#[tokio::test]
async fn a_manifest_can_have_4_mib() {
    let registry = TestRegistry::start().await;
    let image = registry.image("acme/hello", b"layer").await.to_string();
    let padded = |length: usize| format!("{image}{}", " ".repeat(length - image.len()));
    comes_back(&registry, &padded(MAX_LEN)).await;
    let too_long = padded(MAX_LEN + 1);
    let pieces: Vec<_> = too_long.as_bytes().chunks(100_000).map(<[u8]>::to_vec).collect();
    let undeclared = Body::wrap_stream(futures_util::stream::iter(pieces.into_iter().map(std::io::Result::Ok)));
    for body in [Body::from(too_long), undeclared] {
        let answer = registry.put_bytes("acme/hello", "2.0.0", IMAGE, body).await;
        refused(answer, 413, "MANIFEST_INVALID").await;
    }
    refused(registry.send("GET", &target("2.0.0")).await, 404, "MANIFEST_UNKNOWN").await;
}

/// **M04** A Content-Type with parameters → they are left off, and the type is served without them.
#[tokio::test]
async fn parameters_of_a_content_type_are_ignored() {
    let registry = TestRegistry::start().await;
    let image = registry.image("acme/hello", b"layer").await;
    for content_type in [
        format!("{IMAGE}; charset=utf-8"),
        format!("{IMAGE} ;a=\"b;c\""),
        format!("{IMAGE};"),
    ] {
        let answer = registry
            .put_bytes("acme/hello", "1.0.0", &content_type, image.to_string())
            .await;
        assert_eq!(answer.status(), 201, "{content_type}");
        assert_eq!(
            header(&registry.send("GET", &target("1.0.0")).await, "content-type"),
            IMAGE
        );
    }
}

#[tokio::test]
async fn types_that_nobody_has_heard_of_are_taken() {
    let registry = TestRegistry::start().await;
    let blob = registry.push_blob("acme/hello", b"layer").await;
    let descriptor = json!({ "mediaType": "x-a/b.c+d", "digest": blob, "size": 5, "artifactType": "x/y", "platform": {"os": "wasi"} });
    let media_type = "application/vnd.example.thing.v7+json";
    for manifest in [
        json!({ "mediaType": media_type, "blobs": [descriptor] }),
        json!({ "whatever": [1, { "deep": null }] }),
        json!({ "schemaVersion": 2, "artifactType": "x-own/type", "config": descriptor, "layers": [], "subject": null }),
    ] {
        let answer = registry
            .put_bytes("acme/hello", "odd", media_type, manifest.to_string())
            .await;
        assert_eq!(answer.status(), 201, "{manifest}");
        let answer = registry.send("GET", &target("odd")).await;
        assert_eq!(header(&answer, "content-type"), media_type);
        assert_eq!(answer.text().await.expect("a body"), manifest.to_string());
    }
}

/// **M13** Layers of a non-distributable type, and layers with `urls`, that the registry does not hold → stored; nobody is asked for them.
#[tokio::test]
async fn layers_that_are_elsewhere_are_stored_and_never_fetched() {
    let registry = TestRegistry::start().await;
    let elsewhere = TcpListener::bind("127.0.0.1:0").expect("a free port");
    elsewhere.set_nonblocking(true).expect("a socket takes its options");
    let url = format!("http://{}/layer", elsewhere.local_addr().expect("an address"));
    let mut image = registry.image("acme/hello", b"layer").await;
    let absent = Digest::sha256("absent");
    image["layers"] = json!([
        { "mediaType": "application/octet-stream", "digest": absent, "size": 6, "urls": [url, "javascript:alert(1)", "file:///etc/passwd"] },
        { "mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "digest": Digest::sha256("b"), "size": 1 },
        { "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "digest": Digest::sha256("c"), "size": 1 },
    ]);
    comes_back(&registry, &image.to_string()).await;
    let answer = registry.send("GET", &format!("/v2/acme/hello/blobs/{absent}")).await;
    refused(answer, 404, "BLOB_UNKNOWN").await;
    let asked = elsewhere.accept().map_err(|error| error.kind());
    assert_eq!(asked.map(drop), Err(std::io::ErrorKind::WouldBlock));
}

#[tokio::test]
async fn indexes_may_hold_indexes_and_be_empty() {
    let registry = TestRegistry::start().await;
    let image = registry.push_image("acme/hello", "image", b"layer").await;
    let size = registry.image("acme/hello", b"layer").await.to_string().len();
    let index =
        |children: Value| json!({ "schemaVersion": 2, "mediaType": MediaType::IMAGE_INDEX, "manifests": children });
    let mut inner = index(json!([{ "mediaType": IMAGE, "digest": image, "size": size }]));
    for depth in 0..10 {
        let answer = registry
            .put_manifest("acme/hello", &format!("depth-{depth}"), &inner)
            .await;
        assert_eq!(answer.status(), 201);
        let digest = header(&answer, "docker-content-digest");
        let size = inner.to_string().len();
        inner = index(json!([{ "mediaType": MediaType::IMAGE_INDEX, "digest": digest, "size": size }]));
    }
    let empty = registry.put_manifest("acme/hello", "empty", &index(json!([]))).await;
    assert_eq!(empty.status(), 201);
    let answer = registry.send("GET", &target("empty")).await;
    assert_eq!(header(&answer, "content-type"), MediaType::IMAGE_INDEX.as_str());
}

/// Everything but what differs from answer to answer.
fn headers(answer: &Response) -> HeaderMap {
    let mut headers = answer.headers().clone();
    assert!(headers.remove("date").is_some());
    assert!(headers.remove("x-request-id").is_some());
    headers
}

#[tokio::test]
async fn head_answers_with_the_headers_of_get_and_no_body() {
    let registry = TestRegistry::start().await;
    let digest = registry.push_image("acme/hello", "1.0.0", b"layer").await;
    for path in [
        target("1.0.0"),
        target(&digest),
        target("absent"),
        format!("/v2/acme/hello/blobs/{}", Digest::sha256("layer")),
        "/v2/acme/hello/tags/list".to_owned(),
        "/v2/acme/hello/tags/list?n=0".to_owned(),
        format!("/v2/acme/hello/referrers/{digest}"),
        "/v2/".to_owned(),
        "/api/v1/repositories".to_owned(),
        "/api/v1/repository?repository=acme/hello".to_owned(),
    ] {
        let (get, head) = (registry.send("GET", &path).await, registry.send("HEAD", &path).await);
        assert_eq!((get.status(), headers(&get)), (head.status(), headers(&head)), "{path}");
        let length = header(&get, "content-length");
        assert_eq!(get.bytes().await.expect("a body").len().to_string(), length);
        assert_eq!(head.bytes().await.expect("no body").len(), 0, "{path}");
    }
}

#[tokio::test]
async fn a_client_that_has_the_manifest_already_is_told_so() {
    let registry = TestRegistry::start().await;
    let digest = registry.push_image("acme/hello", "1.0.0", b"layer").await;
    let other = Digest::sha256("other");
    for (tag, status) in [
        (format!("\"{digest}\""), 304),
        (format!("W/\"{digest}\""), 304),
        (format!("\"{other}\", \"{digest}\""), 304),
        ("*".to_owned(), 304),
        (format!("\"{other}\""), 200),
        ("\"\"".to_owned(), 200),
    ] {
        for method in ["GET", "HEAD"] {
            for selector in ["1.0.0", digest.as_str()] {
                let request = registry
                    .request(method, &target(selector))
                    .header("if-none-match", &tag);
                let answer = request.send().await.expect("an answer");
                assert_eq!(answer.status(), status, "{method} {selector} {tag}");
                assert_eq!(header(&answer, "etag"), format!("\"{digest}\""));
                assert_eq!(header(&answer, "docker-content-digest"), digest.to_string());
                let empty = answer.bytes().await.expect("a body").is_empty();
                assert_eq!(empty, status == 304 || method == "HEAD");
            }
        }
    }
}
