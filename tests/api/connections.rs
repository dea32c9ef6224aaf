//! Connections that take their time, send too much ahead, or try to be read in two ways: against the whole server.

use std::time::Duration;

use reqwest::StatusCode;
use wreg_harness::raw::Connection;
use wreg_registry::http::connection::ConnectionLimits;

use crate::registry::{Options, TestRegistry};

/// A deadline that a test waits for, and that a busy machine keeps all the same where it is not meant to run out.
const SHORT: Duration = Duration::from_secs(1);

async fn with_limits(limits: ConnectionLimits) -> TestRegistry {
    TestRegistry::with(Options {
        limits,
        ..Options::default()
    })
    .await
}

/// What would be done if the bytes after a refused request were read as the next one.
fn smuggled(registry: &TestRegistry) -> String {
    let (address, token) = (registry.address, &registry.token);
    format!("DELETE /v2/acme/hello/manifests/1.0 HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\r\n")
}

/// Sends a request with another behind it; gives the status of the one answer, after which the connection is closed.
fn only_answer(registry: &TestRegistry, request: &str) -> u16 {
    let mut connection = Connection::open(registry.address);
    // A server that has refused reads on for a while, and may close before all is sent.
    let _ = connection.send(format!("{request}{}", smuggled(registry)));
    let answer = connection.read_response();
    let answer = answer.unwrap_or_else(|error| panic!("{}: {error}", &request[..request.len().min(100)]));
    assert!(connection.is_closed_by_peer(), "{}", &request[..request.len().min(100)]);
    answer.status
}

async fn is_untouched(registry: &TestRegistry) {
    let answer = registry.send("GET", "/v2/acme/hello/manifests/1.0").await;
    assert_eq!(answer.status(), StatusCode::OK);
}

/// **H01** A request target of more than 8 KiB → 414, and the connection closes; what follows is not read as a request.
/// **H02** More than 100 header fields, or more than 32 KiB of them → 431, and the connection closes; what follows is not read as a request.
/// **A06** Credentials of 100 KiB → 431, and the connection closes.
#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_is_too_long_ends_the_connection() {
    let registry = TestRegistry::start().await;
    registry.push_image("acme/hello", "1.0", b"layer").await;
    let get = |target: &str, fields: &str| format!("GET {target} HTTP/1.1\r\nhost: x\r\n{fields}\r\n");
    let fields = |count: usize| "x: y\r\n".repeat(count - 1);
    let target = |length: usize| format!("/{}", "x".repeat(length - 1));
    let authorization = |length: usize| format!("authorization: Basic {}\r\n", "x".repeat(length));
    for (request, status) in [
        (get(&target(8 * 1024 + 1), ""), 414),
        (get(&target(100 * 1024), ""), 414),
        (get(&format!("/v2/?{}", target(8 * 1024)), ""), 414),
        (get("/v2/", &fields(101)), 431),
        (get("/v2/", &format!("x: {}\r\n", "y".repeat(33 * 1024))), 431),
        (get("/v2/", &authorization(100 * 1024)), 431),
    ] {
        assert_eq!(only_answer(&registry, &request), status);
    }
    // What is just short enough is read, and the connection goes on.
    let mut connection = Connection::open(registry.address);
    for (request, status) in [
        (get(&target(8 * 1024), ""), 404),
        (get("/livez", &fields(100)), 200),
        (get("/v2/", &authorization(31 * 1024)), 401),
    ] {
        connection.send(request).expect("the server reads");
        assert_eq!(connection.read_response().expect("an answer").status, status);
    }
    is_untouched(&registry).await;
}

/// **H03** A length and chunks; two lengths; a coding after chunked; a folded line; a length with a sign or in hexadecimal → 400 (with both, the chunks count), and the connection closes; what follows is not read as a request.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_can_be_read_in_two_ways_hides_no_second_one() {
    let registry = TestRegistry::start().await;
    registry.push_image("acme/hello", "1.0", b"layer").await;
    let post = |fields: &str, body: &str| format!("POST /token HTTP/1.1\r\nhost: x\r\n{fields}\r\n\r\n{body}");
    for fields in [
        "content-length: 0\r\ncontent-length: 5",
        "content-length: 0, 5",
        "content-length: +5",
        "content-length: 0x5",
        "content-length: -1",
        "transfer-encoding: chunked, identity",
        "transfer-encoding: identity",
        "transfer-encoding: xchunked",
        "x: y\r\n folded",
        "content-length : 5",
    ] {
        assert_eq!(only_answer(&registry, &post(fields, "")), 400, "{fields:?}");
    }
    for lengths in [
        "content-length: 500\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 0",
    ] {
        // By its chunks the form is empty and therefore wrong.
        assert_eq!(only_answer(&registry, &post(lengths, "0\r\n\r\n")), 400, "{lengths:?}");
    }
    is_untouched(&registry).await;
}

/// **H04** Clients connect and say nothing, or send a head byte by byte → their connections are closed at the deadline, and others are served all the while.
#[tokio::test(flavor = "multi_thread")]
async fn clients_that_dawdle_are_dropped_and_others_are_served() {
    let registry = with_limits(ConnectionLimits {
        header_read: SHORT,
        ..ConnectionLimits::default()
    })
    .await;
    let mut silent: Vec<_> = (0..100).map(|_| Connection::open(registry.address)).collect();
    let mut dripping = Connection::open(registry.address);
    dripping.send("GET /livez HTTP/1.1\r\nx: ").expect("the server reads");
    dripping.set_patience(SHORT / 20);
    // A byte now and then, for as long as somebody takes it; others are served meanwhile.
    let mut patience = 0..2000;
    while dripping.send("y").is_ok() && !dripping.is_closed_by_peer() {
        assert!(patience.next().is_some(), "it is never dropped");
        let answer = registry.send("GET", "/v2/").await;
        assert_eq!(answer.status(), StatusCode::OK);
    }
    assert!(silent.iter_mut().all(Connection::is_closed_by_peer));
    assert_eq!(registry.send("GET", "/v2/").await.status(), StatusCode::OK);
}

/// **H06** A client stops reading in the middle of a download → its connection is dropped at the deadline for that, and what was held for it is free.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stops_reading_is_dropped() {
    let registry = with_limits(ConnectionLimits {
        write_stall: SHORT,
        // No drain ends it instead.
        drain: Duration::from_hours(1),
        ..ConnectionLimits::default()
    })
    .await;
    // More than the buffers of both sockets hold.
    let content = vec![7; 32 << 20];
    let digest = registry.push_blob("acme/hello", &content).await;
    let mut stalled = Connection::open(registry.address);
    let (address, token) = (registry.address, &registry.token);
    let request = format!(
        "GET /v2/acme/hello/blobs/{digest} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    stalled.send(request).expect("the server reads");
    let head = stalled.read_head().expect("an answer");
    assert_eq!((head.status, head.header("content-length")), (200, Some("33554432")));
    assert_eq!(registry.send("GET", "/v2/").await.status(), StatusCode::OK);
    // The server ends when the last connection does.
    let ended = tokio::time::timeout(Duration::from_mins(1), registry.stop()).await;
    assert!(ended.is_ok(), "the connection is still held");
    assert!(
        stalled.read_exactly(content.len() as u64).is_err(),
        "the whole blob came"
    );
}
