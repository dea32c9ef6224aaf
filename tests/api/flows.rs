//! The five ways in which clients push a blob.

use futures_util::stream;
use reqwest::{Body, Response, StatusCode};
use wreg_oci::Digest;

use crate::registry::{TestRegistry, header};

/// A way to push a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// POST, then PUT with all of it: oras, regctl.
    Put,
    /// POST with the digest and all of it.
    Post,
    /// POST, then chunks that say where they belong, each a PATCH, then an empty PUT: oci-client.
    Chunks,
    /// POST, then one PATCH without any length, then an empty PUT: docker, podman, crane.
    Stream,
    /// POST, then a PATCH for each chunk but the last, which comes with the PUT.
    LastChunkWithPut,
}

impl Flow {
    pub(crate) const ALL: [Self; 5] = [
        Self::Put,
        Self::Post,
        Self::Chunks,
        Self::Stream,
        Self::LastChunkWithPut,
    ];

    /// Pushes `content` as `digest`. Gives the last answer, and the session if there was one.
    pub(crate) async fn push(
        self,
        registry: &TestRegistry,
        repository: &str,
        content: &[u8],
        digest: &Digest,
    ) -> (Response, Option<String>) {
        if self == Self::Post {
            let target = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
            return (registry.send_body("POST", &target, content.to_vec()).await, None);
        }
        let session = registry.start_upload(repository).await;
        let middle = content.len() / 2;
        let rest = match self {
            Self::Put | Self::Post => content,
            Self::Chunks | Self::LastChunkWithPut if content.is_empty() => content,
            Self::Chunks => {
                send_chunk(registry, &session, content, 0..middle).await;
                send_chunk(registry, &session, content, middle..content.len()).await;
                &[]
            }
            Self::Stream => {
                let pieces: Vec<_> = content.chunks(1000).map(<[u8]>::to_vec).collect();
                let body = Body::wrap_stream(stream::iter(pieces.into_iter().map(Ok::<_, std::io::Error>)));
                let answer = registry.send_body("PATCH", &session, body).await;
                assert_eq!(answer.status(), StatusCode::ACCEPTED);
                &[]
            }
            Self::LastChunkWithPut => {
                send_chunk(registry, &session, content, 0..middle).await;
                &content[middle..]
            }
        };
        let answer = put(registry, &session, digest, rest.to_vec()).await;
        (answer, Some(session))
    }
}

/// Sends the part `range` of `content`, which the session must be waiting for.
async fn send_chunk(registry: &TestRegistry, session: &str, content: &[u8], range: std::ops::Range<usize>) {
    let last = range.end - 1;
    let answer = patch(
        registry,
        session,
        Some(&format!("{}-{last}", range.start)),
        &content[range],
    )
    .await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    assert_eq!(header(&answer, "range"), format!("0-{last}"));
    assert_eq!(header(&answer, "location"), session);
}

/// A PATCH, with or without `Content-Range`.
pub(crate) async fn patch(
    registry: &TestRegistry,
    session: &str,
    content_range: Option<&str>,
    chunk: &[u8],
) -> Response {
    let request = registry.request("PATCH", session).body(chunk.to_vec());
    let request = match content_range {
        Some(range) => request.header("content-range", range),
        None => request,
    };
    request.send().await.expect("an answer")
}

/// The PUT that ends a session.
pub(crate) async fn put(registry: &TestRegistry, session: &str, digest: &Digest, rest: impl Into<Body>) -> Response {
    registry
        .send_body("PUT", &format!("{session}?digest={digest}"), rest)
        .await
}

/// Asserts that the session stands after `received` bytes (at least one).
pub(crate) async fn stands_at(registry: &TestRegistry, session: &str, received: usize) {
    assert_eq!(where_it_stands(registry, session).await, received);
}

/// The bytes after which the session stands (at least one).
pub(crate) async fn where_it_stands(registry: &TestRegistry, session: &str) -> usize {
    let answer = registry.send("GET", session).await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert_eq!(header(&answer, "location"), session);
    let range = header(&answer, "range");
    let last: Option<usize> = range.strip_prefix("0-").and_then(|last| last.parse().ok());
    last.expect("a range") + 1
}

/// Asserts that the repository holds `content` as `digest`, byte for byte.
pub(crate) async fn is_stored(registry: &TestRegistry, repository: &str, content: &[u8], digest: &Digest) {
    let answer = registry.send("GET", &format!("/v2/{repository}/blobs/{digest}")).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(header(&answer, "docker-content-digest"), digest.to_string());
    assert!(
        answer.bytes().await.expect("a body") == content,
        "other bytes came back"
    );
}

/// Bytes without a pattern that a shifted or repeated piece would keep.
pub(crate) fn bytes(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let step = |state: &mut u32| {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| step(&mut state)).collect()
}
