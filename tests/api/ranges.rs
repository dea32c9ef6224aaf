//! Parts of blobs (RFC 9110, section 14), and validators (section 13).

use reqwest::{Response, StatusCode};
use wreg_oci::Digest;

use crate::{
    flows::bytes,
    registry::{TestRegistry, header, refused},
};

const SIZE: usize = 300_000;

/// A registry with one blob of [`SIZE`] bytes, which is read from the store in several pieces.
async fn with_blob() -> (TestRegistry, Vec<u8>, String) {
    let registry = TestRegistry::start().await;
    let content = bytes(SIZE);
    let digest = registry.push_blob("acme/hello", &content).await;
    (registry, content, format!("/v2/acme/hello/blobs/{digest}"))
}

async fn ask(registry: &TestRegistry, method: &str, target: &str, headers: &[(&str, &str)]) -> Response {
    let request = registry.request(method, target);
    let request = headers
        .iter()
        .fold(request, |request, (name, value)| request.header(*name, *value));
    request.send().await.expect("an answer")
}

async fn is_whole(answer: Response, content: &[u8], why: &str) {
    assert_eq!(answer.status(), StatusCode::OK, "{why}");
    assert!(!answer.headers().contains_key("content-range"), "{why}");
    assert_eq!(header(&answer, "content-length"), content.len().to_string(), "{why}");
    assert!(answer.bytes().await.expect("a body") == content, "{why}");
}

/// **R01** The first byte, the last one, from a byte on, some in the middle, more than there are → 206 with the exact `Content-Range`, and the bytes of that part.
#[tokio::test]
async fn a_range_gives_exactly_that_part() {
    let (registry, content, target) = with_blob().await;
    for (range, part) in [
        ("bytes=0-0", 0..1),
        ("bytes=-1", SIZE - 1..SIZE),
        ("bytes=299999-299999", SIZE - 1..SIZE),
        ("bytes=299999-", SIZE - 1..SIZE),
        ("bytes=5-", 5..SIZE),
        ("bytes=500-1499", 500..1500),
        ("bytes=-500", SIZE - 500..SIZE),
        ("bytes=131071-131072", 131_071..131_073),
        ("bytes=0-299999", 0..SIZE),
        ("bytes=299000-999999", 299_000..SIZE),
        ("bytes=-999999", 0..SIZE),
        ("bytes=7-18446744073709551615", 7..SIZE),
    ] {
        let answer = ask(&registry, "GET", &target, &[("range", range)]).await;
        assert_eq!(answer.status(), StatusCode::PARTIAL_CONTENT, "{range}");
        assert_eq!(
            header(&answer, "content-range"),
            format!("bytes {}-{}/{SIZE}", part.start, part.end - 1)
        );
        assert_eq!(header(&answer, "content-length"), part.len().to_string());
        assert_eq!(header(&answer, "accept-ranges"), "bytes");
        assert!(
            target.ends_with(&header(&answer, "docker-content-digest")),
            "the digest of the whole"
        );
        assert!(answer.bytes().await.expect("a body") == content[part], "{range}");
    }
}

/// **R02** A range that begins at the end or after it, one of no bytes, any range of an empty blob → 416 and `Content-Range: bytes */size`.
#[tokio::test]
async fn a_range_that_selects_nothing_is_refused() {
    let (registry, _, target) = with_blob().await;
    registry.push_blob("acme/hello", b"").await;
    let empty = format!("/v2/acme/hello/blobs/{}", Digest::sha256(""));
    for (target, size, range) in [
        (&target, SIZE, "bytes=300000-"),
        (&target, SIZE, "bytes=300000-300001"),
        (&target, SIZE, "bytes=18446744073709551615-"),
        (&target, SIZE, "bytes=-0"),
        (&empty, 0, "bytes=0-0"),
        (&empty, 0, "bytes=0-"),
        (&empty, 0, "bytes=-1"),
    ] {
        let answer = ask(&registry, "GET", target, &[("range", range)]).await;
        assert_eq!(header(&answer, "content-range"), format!("bytes */{size}"), "{range}");
        refused(answer, 416, "SIZE_INVALID").await;
    }
    is_whole(
        ask(&registry, "GET", &empty, &[]).await,
        b"",
        "an empty blob is no error",
    )
    .await;
}

/// **R03** An end before the start → 416. Another unit, text that is no range, numbers beyond 64 bits, several ranges → as if it had not been sent: 200 and all of the blob.
#[tokio::test]
async fn a_range_that_cannot_be_read_is_ignored() {
    let (registry, content, target) = with_blob().await;
    for range in ["bytes=5-2", "bytes=18446744073709551615-0", "bytes=300001-300000"] {
        let answer = ask(&registry, "GET", &target, &[("range", range)]).await;
        assert_eq!(header(&answer, "content-range"), format!("bytes */{SIZE}"), "{range}");
        refused(answer, 416, "SIZE_INVALID").await;
    }
    for range in [
        "lines=0-1",
        "0-1",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=0x0-0x5",
        "bytes=+1-2",
        "bytes=--1",
        "bytes=0-1-2",
        "bytes=18446744073709551616-",
        "bytes=0-18446744073709551616",
        "bytes=-99999999999999999999999999",
        "bytes=0-1,5-6",
        "",
    ] {
        is_whole(
            ask(&registry, "GET", &target, &[("range", range)]).await,
            &content,
            range,
        )
        .await;
    }
}

/// **R05** `If-Range` that is not this blob's strong validator → 200 and all of it; `If-None-Match` with the digest → 304 without a body.
#[tokio::test]
async fn validators_are_the_digest() {
    let (registry, content, target) = with_blob().await;
    let digest = Digest::sha256(&content);
    let other = Digest::sha256("other");
    let (current, stale) = (format!("\"{digest}\""), format!("\"{other}\""));
    let range = ("range", "bytes=0-9");
    for tag in [
        stale.clone(),
        format!("W/{current}"),
        "Sun, 22 Nov 2026 10:00:00 GMT".to_owned(),
        digest.to_string(),
        String::new(),
    ] {
        is_whole(
            ask(&registry, "GET", &target, &[range, ("if-range", &tag)]).await,
            &content,
            &tag,
        )
        .await;
    }
    let part = ask(&registry, "GET", &target, &[range, ("if-range", &current)]).await;
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(header(&part, "etag"), current);

    for tag in [
        current.clone(),
        format!("W/{current}"),
        format!("{stale}, {current}"),
        "*".to_owned(),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = ask(&registry, method, &target, &[("if-none-match", &tag)]).await;
            assert_eq!(answer.status(), StatusCode::NOT_MODIFIED, "{tag}");
            assert_eq!(header(&answer, "etag"), current);
            assert_eq!(answer.bytes().await.expect("a body"), "");
        }
    }
    is_whole(
        ask(&registry, "GET", &target, &[("if-none-match", &stale)]).await,
        &content,
        "another one",
    )
    .await;
}

/// **R06** HEAD with a range, whatever range → 200 with the length of the whole and `Accept-Ranges: bytes`.
#[tokio::test]
async fn a_range_changes_nothing_for_head() {
    let (registry, _, target) = with_blob().await;
    for range in ["bytes=0-9", "bytes=300000-", "bytes=5-2", "lines=1"] {
        let answer = ask(&registry, "HEAD", &target, &[("range", range)]).await;
        assert_eq!(answer.status(), StatusCode::OK, "{range}");
        assert_eq!(header(&answer, "content-length"), SIZE.to_string());
        assert_eq!(header(&answer, "accept-ranges"), "bytes");
        assert!(!answer.headers().contains_key("content-range"));
    }
}
