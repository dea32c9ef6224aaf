//! What every answer has, whatever was asked: its id, its form, and nothing of the inside; and paths and headers that try to reach
//! around the rules.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use reqwest::{Response, StatusCode};
use wreg_harness::raw::Connection;
use wreg_oci::Digest;
use wreg_registry::{Faults, Operation};

use crate::{
    auth::comparable,
    registry::{Options, TestRegistry, header, refused},
};

/// A registry whose disk asks `check` before each step.
async fn with_faults(check: impl Fn(Operation, &str) -> io::Result<()> + Send + Sync + 'static) -> TestRegistry {
    TestRegistry::with(Options::failing(Faults::new(check))).await
}

fn id(answer: &Response) -> String {
    let id = header(answer, "x-request-id");
    assert!(uuid::Uuid::parse_str(&id).is_ok(), "{id}");
    id
}

#[tokio::test]
async fn every_answer_has_an_id_of_its_own() {
    let registry = TestRegistry::start().await;
    registry.push_image("acme/hello", "1.0", b"layer").await;
    let mut ids = Vec::new();
    for (method, target, status) in [
        ("GET", "/v2/", 200),
        ("HEAD", "/v2/acme/hello/manifests/1.0", 200),
        ("GET", "/v2/acme/absent/manifests/1.0", 404),
        ("GET", "/v2/Acme/manifests/1.0", 400),
        ("POST", "/v2/", 405),
        ("GET", "/nothing", 404),
        ("GET", "/livez", 200),
        ("GET", "/readyz", 200),
        ("POST", "/livez", 405),
        ("GET", "/token", 200),
        ("POST", "/token", 400),
        ("GET", "/api/v1/repositories", 200),
        ("PUT", "/api/v1/repositories", 405),
    ] {
        // An id that the client makes up would let it speak in the log with another's voice.
        let request = registry.request(method, target).header("x-request-id", "mine");
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), status, "{method} {target}");
        ids.push(id(&answer));
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

/// **H11** An unknown method; a known one where it makes no sense → 405 UNSUPPORTED, and `Allow` names those that are.
#[tokio::test]
async fn a_method_that_is_not_allowed_is_told_which_are() {
    let registry = TestRegistry::start().await;
    let blob = format!("/v2/acme/hello/blobs/{}", Digest::sha256("x"));
    let referrers = format!("/v2/acme/hello/referrers/{}", Digest::sha256("x"));
    for (target, allowed) in [
        ("/v2/", "GET, HEAD"),
        ("/v2/_catalog", "GET, HEAD"),
        (&blob, "GET, HEAD, DELETE"),
        ("/v2/acme/hello/blobs/uploads/", "POST"),
        ("/v2/acme/hello/blobs/uploads/0", "GET, HEAD, PATCH, PUT, DELETE"),
        ("/v2/acme/hello/manifests/1.0", "GET, HEAD, PUT, DELETE"),
        ("/v2/acme/hello/tags/list", "GET, HEAD"),
        (&referrers, "GET, HEAD"),
        ("/token", "GET, HEAD, POST"),
        ("/api/v1/repositories", "GET, HEAD"),
        ("/api/v1/repository?repository=acme/hello", "GET, HEAD, PATCH"),
        ("/livez", "GET, HEAD"),
        ("/readyz", "GET, HEAD"),
    ] {
        for method in ["BREW", "TRACE", "OPTIONS", "get"] {
            let answer = registry.send(method, target).await;
            assert_eq!(header(&answer, "allow"), allowed, "{method} {target}");
            refused(answer, 405, "UNSUPPORTED").await;
        }
    }
}

/// **H11** `HEAD` → the headers of `GET`, and no body.
#[tokio::test]
async fn head_has_the_headers_of_get() {
    let registry = TestRegistry::start().await;
    let manifest = registry.push_image("acme/hello", "1.0", b"layer").await;
    for target in [
        "/v2/".to_owned(),
        "/v2/_catalog".to_owned(),
        "/v2/acme/hello/tags/list".to_owned(),
        "/v2/acme/hello/manifests/1.0".to_owned(),
        format!("/v2/acme/hello/blobs/{}", Digest::sha256("layer")),
        format!("/v2/acme/hello/referrers/{manifest}"),
        "/livez".to_owned(),
        "/nothing".to_owned(),
    ] {
        let (status, headers, _) = comparable(registry.send("GET", &target).await).await;
        assert_eq!(
            comparable(registry.send("HEAD", &target).await).await,
            (status, headers, String::new()),
            "{target}"
        );
    }
}

/// **H11** A path that is none of the API's → 404 with a JSON body, never a page.
#[tokio::test]
async fn what_is_not_there_is_told_in_json() {
    let registry = TestRegistry::start().await;
    for target in [
        "/",
        "/index.html",
        "/v1/",
        "/v2/xyz",
        "/v2/xyz/",
        "/v2/acme/hello/tags",
        "/v2x",
        "/api",
        "/token/",
    ] {
        let request = registry.request("GET", target).header("accept", "text/html");
        let answer = request.send().await.expect("an answer");
        refused(answer, 404, "UNSUPPORTED").await;
    }
}

/// **H12** `%2e%2e%2f`, `%2F`, `%252e`, `//`, `\`, `%00`, bytes that are no UTF-8, dot segments in a path → 400 or 404, and the store is not asked for anything.
#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_hides_another_one_reaches_no_file() {
    let steps = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&steps);
    let registry = with_faults(move |operation, _| {
        // The sweep at the start walks the folder of uploads; a request never walks one.
        if operation != Operation::List {
            counted.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    })
    .await;
    let digest = registry.push_blob("acme/hello", b"layer").await;
    registry.push_image("acme/hello", "1.0", b"layer").await;
    let before = steps.load(Ordering::Relaxed);
    let mut connection = Connection::open(registry.address);
    let mut ask = |method: &str, target: &[u8]| {
        let head = format!(
            " HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-length: 0\r\n\r\n",
            registry.address, registry.token
        );
        let request = [method.as_bytes(), b" ", target, head.as_bytes()].concat();
        if connection.send(&request).is_err() || connection.is_closed_by_peer() {
            connection = Connection::open(registry.address);
            connection.send(&request).expect("the server reads");
        }
        let answer = connection.read_response().expect("an answer");
        (answer.status, answer.text())
    };
    let invalid_names: [&[u8]; 12] = [
        b"/v2/acme%2Fhello/manifests/1.0",
        b"/v2/acme%2fhello/manifests/1.0",
        b"/v2/acme/../acme/hello/manifests/1.0",
        b"/v2/acme/./hello/manifests/1.0",
        b"/v2/acme/%2e%2e/acme/hello/manifests/1.0",
        b"/v2/%2e%2e%2f%2e%2e%2fetc/manifests/1.0",
        b"/v2/acme/%252e%252e/hello/manifests/1.0",
        b"/v2/acme//hello/manifests/1.0",
        b"/v2//acme/hello/manifests/1.0",
        b"/v2/acme\\hello/manifests/1.0",
        b"/v2/acme/hello%00/manifests/1.0",
        b"/v2/acme/%ff%fe/manifests/1.0",
    ];
    for target in invalid_names {
        for method in ["GET", "PUT", "DELETE"] {
            let (status, body) = ask(method, target);
            let what = String::from_utf8_lossy(target);
            assert!(
                status == 400 && body.contains("\"NAME_INVALID\""),
                "{method} {what}: {status} {body}"
            );
        }
    }
    let elsewhere: [&[u8]; 12] = [
        b"/v2/acme/hello/manifests/..%2f..%2fwreg.db",
        b"/v2/acme/hello/manifests/%00",
        b"/v2/acme/hello/manifests/../../../wreg.db",
        b"/v2/acme/hello/blobs/sha256:..%2F..%2F..%2Fwreg.db",
        b"/v2/acme/hello/blobs/..%2f..%2fadmin-token",
        b"/v2/acme/hello/blobs/uploads/..%2f..%2fadmin-token",
        b"/v2/acme/hello/blobs/uploads/%2e%2e",
        b"/v2/../../../../etc/passwd",
        b"/../admin-token",
        b"//v2/acme/hello/manifests/1.0",
        b"/v2/acme/hello/manifests/\xff",
        b"\\v2\\",
    ];
    for target in elsewhere {
        for method in ["GET", "DELETE"] {
            let (status, body) = ask(method, target);
            let what = String::from_utf8_lossy(target);
            assert!(matches!(status, 400 | 404), "{method} {what}: {status} {body}");
        }
    }
    assert_eq!(steps.load(Ordering::Relaxed), before, "the store was asked");
    assert_eq!(
        ask("GET", format!("/v2/acme/hello/blobs/{digest}").as_bytes()).1,
        "layer"
    );
    assert!(steps.load(Ordering::Relaxed) > before, "the spy sees nothing");
}

/// **H14** `X-Forwarded-For`, `-Proto`, `-Host`, `Forwarded` and their kin, from anybody → they change nothing of the answer.
#[tokio::test]
async fn forwarded_headers_are_not_believed() {
    let registry = TestRegistry::start().await;
    for tag in ["1.0", "2.0"] {
        registry.push_image("acme/hello", tag, b"layer").await;
    }
    let claims = [
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-user", "admin"),
        ("x-forwarded-prefix", "/evil"),
        ("forwarded", "for=127.0.0.1;host=evil.example;proto=https"),
        ("x-real-ip", "127.0.0.1"),
        ("x-original-url", "/v2/"),
        ("x-rewrite-url", "/v2/"),
        ("x-http-method-override", "DELETE"),
        ("remote-user", "admin"),
    ];
    for (token, target) in [
        (None, "/v2/"),
        (None, "/v2/acme/hello/manifests/1.0"),
        (None, "/api/v1/repositories"),
        (Some(&registry.token), "/v2/acme/hello/tags/list?n=1"),
        (Some(&registry.token), "/v2/acme/hello/manifests/1.0"),
    ] {
        let request = || {
            let request = registry.anonymous("GET", target);
            token.map_or(registry.anonymous("GET", target), |token| request.bearer_auth(token))
        };
        let claiming = claims
            .iter()
            .fold(request(), |request, (name, value)| request.header(*name, *value));
        let plain = comparable(request().send().await.expect("an answer")).await;
        let claimed = comparable(claiming.send().await.expect("an answer")).await;
        assert_eq!(plain, claimed, "{target}");
    }
    let request = registry.request("POST", "/v2/acme/hello/blobs/uploads/");
    let request = claims
        .iter()
        .fold(request, |request, (name, value)| request.header(*name, *value));
    let location = header(&request.send().await.expect("an answer"), "location");
    assert!(location.starts_with("/v2/acme/hello/blobs/uploads/"), "{location}");
    assert_eq!(
        registry.send("DELETE", &location).await.status(),
        StatusCode::NO_CONTENT
    );
}

#[tokio::test]
async fn what_goes_wrong_inside_is_told_to_the_log_alone() {
    let broken = Arc::new(AtomicBool::new(false));
    let now = Arc::clone(&broken);
    let registry = with_faults(move |operation, object| {
        if now.load(Ordering::Relaxed) && operation != Operation::List {
            return Err(io::Error::other(format!("planted-inside {object}")));
        }
        Ok(())
    })
    .await;
    let digest = registry.push_blob("acme/hello", b"layer").await;
    let blob = format!("/v2/acme/hello/blobs/{digest}");
    let push = format!("/v2/acme/hello/blobs/uploads/?digest={}", Digest::sha256("new"));
    broken.store(true, Ordering::Relaxed);
    let (mut ids, mut texts) = (Vec::new(), Vec::new());
    for (method, target, body) in [("GET", &blob, ""), ("POST", &push, "new")] {
        let answer = registry.send_body(method, target, body).await;
        assert_eq!(header(&answer, "retry-after"), "5");
        ids.push(id(&answer));
        let body = refused(answer, 503, "UNSUPPORTED").await;
        assert_eq!(
            body["errors"][0]["detail"],
            serde_json::json!({ "wreg_code": "unavailable" })
        );
        texts.push(body.to_string());
    }
    assert_eq!(
        registry.send("HEAD", &blob).await.status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    // What failed and where says nothing to whoever asks; and absence is not what it looks like.
    let folder = registry.data.path().display().to_string();
    for inside in [
        "planted",
        "os error",
        "uploads",
        "blobs/",
        &folder,
        &digest.encoded()[..12],
    ] {
        assert!(!texts.concat().contains(inside), "{inside}: {texts:?}");
    }
    assert_ne!(ids[0], ids[1]);
    let live = registry.anonymous("GET", "/livez").send().await.expect("an answer");
    assert_eq!(live.status(), StatusCode::OK);
    let ready = registry.anonymous("GET", "/readyz").send().await.expect("an answer");
    assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
    broken.store(false, Ordering::Relaxed);
    assert_eq!(registry.send("GET", &blob).await.text().await.expect("a body"), "layer");
}
