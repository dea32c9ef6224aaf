//! Heads that are too long, and heads that two parsers could read differently.

use super::*;

/// A server whose handlers count what reaches them.
async fn counting() -> (Server, Arc<AtomicUsize>) {
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    let handler = async move |request: Request<Body>| {
        counted.fetch_add(1, Ordering::SeqCst);
        let body = axum::body::to_bytes(request.into_body(), 1 << 20).await;
        body.map_or_else(|error| error.to_string(), |body| format!("{} bytes", body.len()))
    };
    let server = Server::start(patient(), Router::new().fallback(handler)).await;
    (server, requests)
}

fn is_refused(response: &str, status: &str) -> bool {
    response.starts_with(&format!("HTTP/1.1 {status}"))
        && response.contains("\r\nconnection: close\r\n")
        && response.contains(r#"{"errors":[{"code":"UNSUPPORTED","#)
}

/// **H01** A request target over 8 KiB, by a byte or by a megabyte → 414, and the connection closes.
#[tokio::test]
async fn a_target_that_is_too_long_is_refused() {
    let (server, requests) = counting().await;
    for length in [8193, 8300, 20_000, 1 << 20] {
        let mut client = server.connect().await;
        let target = "x".repeat(length - 1);
        client
            .send_whatever_is_taken(&format!("GET /{target} HTTP/1.1\r\nhost: x\r\n\r\n"))
            .await;
        let response = client.rest().await;
        assert!(is_refused(&response, "414 "), "{length}: {response:?}");
    }
    assert_eq!(requests.load(Ordering::SeqCst), 0);

    let mut client = server.connect().await;
    let longest = format!("/{}", "x".repeat(8191));
    assert!(client.get(&longest).await.starts_with("HTTP/1.1 200 "));
    client
        .send_whatever_is_taken(&format!("\r\nGET /{longest}{longest} HTTP/1.1\r\nhost: x\r\n\r\n"))
        .await;
    assert!(is_refused(&client.rest().await, "414 "), "also as a later request");
}

/// **H02** More than 100 header fields → 431, and the connection closes.
#[tokio::test]
async fn too_many_headers_are_refused() {
    let (server, _) = counting().await;
    let head = |fields: usize| {
        let fields = "x: y\r\n".repeat(fields);
        format!("GET / HTTP/1.1\r\n{fields}\r\n")
    };
    let mut client = server.connect().await;
    client.send(&head(100)).await;
    assert!(client.response().await.starts_with("HTTP/1.1 200 "));
    client.send(&head(101)).await;
    assert!(client.rest().await.starts_with("HTTP/1.1 431 "));
}

/// **H02** More than 32 KiB of header fields, by a byte or by a megabyte → 431, and the connection closes.
#[tokio::test]
async fn headers_that_are_too_long_are_refused() {
    let (server, requests) = counting().await;
    let head = |bytes: usize| format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(bytes - "x: \r\n".len()));
    for length in [(32 << 10) + 1, 40 << 10, 60 << 10, 100 << 10, 1 << 20] {
        let mut client = server.connect().await;
        client.send_whatever_is_taken(&head(length)).await;
        let response = client.rest().await;
        assert!(is_refused(&response, "431 "), "{length}: {response:?}");
    }
    assert_eq!(requests.load(Ordering::SeqCst), 0);
    let mut client = server.connect().await;
    client.send(&head(32 << 10)).await;
    assert!(client.response().await.starts_with("HTTP/1.1 200 "));
}

/// **H03** Lengths that two parsers could read differently (two that differ, a sign, hexadecimal, a coding after chunked, a folded line) → 400, the connection closes, and what follows is never read as a request.
#[tokio::test]
async fn a_head_that_can_be_read_in_two_ways_is_refused() {
    let (server, requests) = counting().await;
    for fields in [
        "content-length: 5\r\ncontent-length: 6",
        "content-length: 5, 6",
        "content-length: +5",
        "content-length: 0x5",
        "content-length: -5",
        "content-length: 5 5",
        "transfer-encoding: chunked, identity",
        "transfer-encoding: identity",
        "transfer-encoding: chunked\r\ntransfer-encoding: identity",
        "x: a\r\n b: c",
        "x : a",
        "content-length: 5\0",
    ] {
        let mut client = server.connect().await;
        let smuggled = "GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n";
        client
            .send_whatever_is_taken(&format!("POST / HTTP/1.1\r\nhost: x\r\n{fields}\r\n\r\n{smuggled}"))
            .await;
        let response = client.rest().await;
        assert!(response.starts_with("HTTP/1.1 400 "), "{fields:?}: {response:?}");
        assert_eq!(response.matches("HTTP/1.1").count(), 1, "{fields:?}: {response:?}");
    }
    assert_eq!(requests.load(Ordering::SeqCst), 0);
}

/// **H03** A length and chunks → the chunks count, the connection closes, and what follows is never read as a request.
#[tokio::test]
async fn a_body_with_length_and_chunks_is_read_by_its_chunks_and_is_the_last() {
    let (server, requests) = counting().await;
    let mut client = server.connect().await;
    let smuggled = "GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n";
    let body = format!("3\r\nabc\r\n0\r\n\r\n{smuggled}");
    let lengths = "content-length: 60\r\ntransfer-encoding: chunked";
    client
        .send(&format!("POST / HTTP/1.1\r\nhost: x\r\n{lengths}\r\n\r\n{body}"))
        .await;
    let response = client.rest().await;
    assert!(
        response.starts_with("HTTP/1.1 200 ") && response.ends_with("3 bytes"),
        "{response:?}"
    );
    assert_eq!(requests.load(Ordering::SeqCst), 1);
}
