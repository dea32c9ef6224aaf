//! Digests: what names no content is refused before anything is looked for, and content is stored only under its own.

use std::sync::{Arc, Mutex};

use reqwest::StatusCode;
use serde_json::json;
use wreg_oci::{Algorithm, Digest, MediaType};
use wreg_registry::{Faults, Operation};

use crate::{
    flows::{Flow, is_stored},
    registry::{Options, TestRegistry, header, refused},
    wire::{exchange, refusal},
};

/// Every kind of request that names a digest.
fn requests_for(digest: &str) -> Vec<(&'static str, String)> {
    let session = "/v2/acme/hello/blobs/uploads/67e55044-10b1-426f-9247-bb680e5fe0c8";
    let mut requests = vec![
        ("GET", format!("/v2/acme/hello/blobs/{digest}")),
        ("DELETE", format!("/v2/acme/hello/blobs/{digest}")),
        ("GET", format!("/v2/acme/hello/referrers/{digest}")),
        ("POST", format!("/v2/acme/hello/blobs/uploads/?digest={digest}")),
        (
            "POST",
            format!("/v2/acme/hello/blobs/uploads/?mount={digest}&from=acme/one"),
        ),
        ("PUT", format!("{session}?digest={digest}")),
    ];
    if digest.contains(':') {
        requests.extend([
            ("GET", format!("/v2/acme/hello/manifests/{digest}")),
            ("PUT", format!("/v2/acme/hello/manifests/{digest}")),
            ("DELETE", format!("/v2/acme/hello/manifests/{digest}")),
        ]);
    }
    requests
}

async fn refused_everywhere(registry: &TestRegistry, digest: &str) {
    for (method, target) in requests_for(digest) {
        let answer = exchange(registry, method, &target, b"{}").await;
        assert_eq!(
            refusal(&answer),
            (400, "DIGEST_INVALID".to_owned()),
            "{method} {target}: {}",
            answer.text()
        );
    }
}

/// **D01** A digest of 63 or 65 characters, in upper case, without a colon, empty, or thousands of characters long → 400 `DIGEST_INVALID`.
#[tokio::test]
async fn a_digest_outside_the_grammar_is_refused_by_every_request() {
    let registry = TestRegistry::start().await;
    let hex = Digest::sha256("x").encoded().to_owned();
    let long = Digest::of(Algorithm::Sha512, "x").encoded().to_owned();
    for digest in [
        format!("sha256:{}", &hex[1..]),
        format!("sha256:{hex}0"),
        format!("sha256:{}", hex.to_uppercase()),
        format!("SHA256:{hex}"),
        format!("sha256:{}g", &hex[1..]),
        format!("sha256:{long}"),
        format!("sha512:{hex}"),
        format!("sha512:{}", &long[1..]),
        format!("sha256:{hex}%00"),
        format!("sha256:{hex}%0A"),
        format!("%20sha256:{hex}"),
        "sha256:".to_owned(),
        ":".to_owned(),
        hex.clone(),
        String::new(),
        format!("sha256:{}", "a".repeat(7000)),
    ] {
        refused_everywhere(&registry, &digest).await;
    }
}

/// **D02** The algorithms md5 and sha1, one that nobody knows, one with an encoding of its own → 400 `DIGEST_INVALID`.
#[tokio::test]
async fn a_digest_of_another_algorithm_is_refused_by_every_request() {
    let registry = TestRegistry::start().await;
    let hex = Digest::sha256("x").encoded().to_owned();
    for digest in [
        format!("md5:{}", &hex[..32]),
        format!("sha1:{}", &hex[..40]),
        format!("sha384:{hex}"),
        format!("blake3:{hex}"),
        format!("unknown:{hex}"),
        "sha256+b64:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564".to_owned(),
    ] {
        refused_everywhere(&registry, &digest).await;
    }
    let target = "/v2/acme/hello/blobs/uploads/?digest-algorithm=md5";
    refused(registry.send("POST", target).await, 400, "DIGEST_INVALID").await;
}

/// **D03** A digest with `..` and slashes, plain or escaped once or twice → 400 `DIGEST_INVALID` (404 where plain slashes make it another path), and no file is touched.
#[tokio::test]
async fn a_digest_that_climbs_folders_touches_no_file() {
    let touched = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&touched);
    let faults = Faults::new(move |operation, object: &str| {
        // The sweep looks through the uploads by itself; the log is kept, and that it is not there yet is so only if the bucket is.
        if operation != Operation::List && !object.starts_with("log/") && object != "the bucket" {
            seen.lock()
                .expect("nobody panics")
                .push(format!("{operation} {object}"));
        }
        Ok(())
    });
    let registry = TestRegistry::with(Options::failing(faults)).await;
    touched.lock().expect("nobody panics").clear();
    for digest in [
        "sha256:..%2F..%2F..%2Fetc%2Fpasswd",
        "sha256:%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "sha256:%252e%252e%252fetc%252fpasswd",
        "sha256:..%5C..%5Cetc%5Cpasswd",
        "..%2F..%2Fadmin-token",
        "sha256%3A..%2F..%2Fadmin-token",
        "sha256:..",
    ] {
        refused_everywhere(&registry, digest).await;
    }
    for target in [
        "/v2/acme/hello/blobs/uploads/?digest=sha256:../../etc/passwd",
        "/v2/acme/hello/blobs/uploads/?mount=sha256:../../etc/passwd",
    ] {
        let answer = exchange(&registry, "POST", target, b"x").await;
        assert_eq!(refusal(&answer), (400, "DIGEST_INVALID".to_owned()), "{target}");
    }
    for target in [
        "/v2/acme/hello/blobs/sha256:../../etc/passwd",
        "/v2/acme/hello/blobs/../../../admin-token",
    ] {
        assert_eq!(exchange(&registry, "GET", target, b"").await.status, 404, "{target}");
    }
    assert_eq!(*touched.lock().expect("nobody panics"), Vec::<String>::new());
    registry.push_blob("acme/hello", b"x").await;
    assert!(
        !touched.lock().expect("nobody panics").is_empty(),
        "a push would have been seen"
    );
}

/// **D04** A blob that is not what its digest names, pushed in each of the five ways → 400 `DIGEST_INVALID`; the session is gone, and no repository holds the blob.
#[tokio::test]
async fn a_blob_that_does_not_match_its_digest_is_stored_nowhere() {
    let registry = TestRegistry::start().await;
    let content = b"not what it says it is";
    for flow in Flow::ALL {
        for (claimed, actual) in [
            (Digest::sha256("something else"), Digest::sha256(content)),
            (
                Digest::of(Algorithm::Sha512, "something else"),
                Digest::of(Algorithm::Sha512, content),
            ),
        ] {
            let (answer, session) = flow.push(&registry, "acme/hello", content, &claimed).await;
            let body = refused(answer, 400, "DIGEST_INVALID").await;
            assert_eq!(body["errors"][0]["detail"]["wreg_code"], "digest-mismatch", "{flow:?}");
            if let Some(session) = session {
                refused(registry.send("GET", &session).await, 404, "BLOB_UPLOAD_UNKNOWN").await;
            }
            for digest in [claimed, actual] {
                let target = format!("/v2/acme/hello/blobs/{digest}");
                refused(registry.send("GET", &target).await, 404, "BLOB_UNKNOWN").await;
            }
            assert!(registry.upload_files().is_empty(), "{flow:?}");
        }
    }
    for statement in [
        "SELECT COUNT(*) FROM blobs",
        "SELECT COUNT(*) FROM repository_blobs",
        "SELECT COUNT(*) FROM uploads",
    ] {
        assert_eq!(registry.count(statement).await, 0, "{statement}");
    }
}

/// **D05** A manifest pushed by a digest that is not its own → 400 `DIGEST_INVALID`, and nothing is stored.
#[tokio::test]
async fn a_manifest_that_does_not_match_its_digest_is_not_stored() {
    let registry = TestRegistry::start().await;
    let manifest = registry.image("acme/hello", b"layer").await;
    for digest in [
        Digest::sha256("something else"),
        Digest::of(Algorithm::Sha512, "something else"),
    ] {
        let answer = registry
            .put_manifest("acme/hello", &format!("{digest}?tag=1.0.0"), &manifest)
            .await;
        refused(answer, 400, "DIGEST_INVALID").await;
        let target = format!("/v2/acme/hello/manifests/{digest}");
        refused(registry.send("GET", &target).await, 404, "MANIFEST_UNKNOWN").await;
    }
    assert_eq!(registry.count("SELECT COUNT(*) FROM manifests").await, 0);
    assert_eq!(registry.count("SELECT COUNT(*) FROM tags").await, 0);
}

/// **D06** sha512 on push and pull, the same bytes under both algorithms, one of the two deleted → two blobs that know nothing of each other: the other one stays.
#[tokio::test]
async fn the_same_bytes_under_two_algorithms_are_two_blobs() {
    let registry = TestRegistry::start().await;
    for (index, flow) in Flow::ALL.into_iter().enumerate() {
        let content = format!("content {index}").into_bytes();
        let (short, long) = (Digest::sha256(&content), Digest::of(Algorithm::Sha512, &content));
        for digest in [&long, &short] {
            let (answer, _) = flow.push(&registry, "acme/hello", &content, digest).await;
            assert_eq!(answer.status(), StatusCode::CREATED, "{flow:?}");
            assert_eq!(header(&answer, "docker-content-digest"), digest.to_string());
            is_stored(&registry, "acme/hello", &content, digest).await;
        }
        let (deleted, kept) = if index % 2 == 0 { (short, long) } else { (long, short) };
        let target = format!("/v2/acme/hello/blobs/{deleted}");
        assert_eq!(registry.send("DELETE", &target).await.status(), StatusCode::ACCEPTED);
        refused(registry.send("GET", &target).await, 404, "BLOB_UNKNOWN").await;
        is_stored(&registry, "acme/hello", &content, &kept).await;
    }
}

/// **D06** A manifest pushed by its sha512, made of blobs known by sha512 → stored and found under that digest.
#[tokio::test]
async fn a_manifest_is_pushed_and_pulled_by_its_sha512() {
    let registry = TestRegistry::start().await;
    let of = |content: &[u8]| Digest::of(Algorithm::Sha512, content);
    for content in [&b"{}"[..], b"layer"] {
        Flow::Put.push(&registry, "acme/hello", content, &of(content)).await;
    }
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MediaType::IMAGE_MANIFEST,
        "config": { "mediaType": "application/vnd.acme.config+json", "digest": of(b"{}"), "size": 2 },
        "layers": [{ "mediaType": "application/octet-stream", "digest": of(b"layer"), "size": 5 }],
    });
    let digest = of(manifest.to_string().as_bytes());
    let answer = registry
        .put_manifest("acme/hello", &digest.to_string(), &manifest)
        .await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(header(&answer, "docker-content-digest"), digest.to_string());
    let found = registry
        .send("GET", &format!("/v2/acme/hello/manifests/{digest}"))
        .await;
    assert_eq!(header(&found, "docker-content-digest"), digest.to_string());
    assert_eq!(found.text().await.expect("a body"), manifest.to_string());
}

/// **D08** A manifest with odd white space, keys in another order, escapes and members that nobody knows → served byte for byte; one with a byte order mark → 400 `MANIFEST_INVALID`.
#[tokio::test]
async fn a_manifest_comes_back_byte_for_byte() {
    let registry = TestRegistry::start().await;
    let plain = registry.image("acme/hello", b"layer").await;
    let (config, layers) = (&plain["config"], &plain["layers"]);
    let media_type = MediaType::IMAGE_MANIFEST.as_str();
    let odd = format!(
        "\n\t {{ \"layers\" :{layers}\r\n,\"x\" : [1.50, 1e2, \"\\u0061\\/\"] ,\t\"config\":{config},\"annotations\":{{\"b\":\"\\u00e9\",\"a\":\"é\"}},\n\n\"mediaType\":\"{media_type}\" , \"schemaVersion\": 2 }} \n\n"
    );
    let put = async |selector: &str, content: &str| {
        let request = registry
            .request("PUT", &format!("/v2/acme/hello/manifests/{selector}"))
            .header("content-type", media_type);
        request.body(content.to_owned()).send().await.expect("an answer")
    };
    let digest = Digest::sha256(&odd);
    for selector in ["1.0.0", digest.as_str()] {
        assert_eq!(put(selector, &odd).await.status(), StatusCode::CREATED);
        let found = registry
            .send("GET", &format!("/v2/acme/hello/manifests/{selector}"))
            .await;
        assert_eq!(header(&found, "docker-content-digest"), digest.to_string());
        assert_eq!(header(&found, "content-length"), odd.len().to_string());
        assert_eq!(found.text().await.expect("a body"), odd);
    }
    let marked = format!("\u{feff}{odd}");
    refused(put("2.0.0", &marked).await, 400, "MANIFEST_INVALID").await;
    refused(
        put(Digest::sha256(&marked).as_str(), &marked).await,
        400,
        "MANIFEST_INVALID",
    )
    .await;
}
