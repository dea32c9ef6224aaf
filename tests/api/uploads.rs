//! Bytes on their way into an upload: where they belong, how many they may be, and what they make in the end.

use futures_util::stream;
use reqwest::{Body, StatusCode};
use wreg_oci::{Algorithm, Digest};

use crate::{
    bucket::on_files,
    flows::{Flow, bytes, is_stored, patch, put, stands_at},
    registry::{Options, TestRegistry, header, refused},
    wire::{head, refusal, send},
};

/// A body without a length.
fn streamed(content: &[u8]) -> Body {
    let pieces: Vec<_> = content.chunks(3).map(<[u8]>::to_vec).collect();
    Body::wrap_stream(stream::iter(pieces.into_iter().map(Ok::<_, std::io::Error>)))
}

#[tokio::test]
async fn answers_say_where_an_upload_is_and_where_it_stands() {
    let registry = TestRegistry::start().await;
    let answer = registry.send("POST", "/v2/acme/hello/blobs/uploads/").await;
    let id = header(&answer, "docker-upload-uuid");
    let session = format!("/v2/acme/hello/blobs/uploads/{id}");
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    assert_eq!(header(&answer, "location"), session);
    assert_eq!(header(&answer, "range"), "0-0");
    let answer = patch(&registry, &session, None, b"hello").await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    assert_eq!(header(&answer, "location"), session);
    assert_eq!(header(&answer, "docker-upload-uuid"), id);
    assert_eq!(header(&answer, "range"), "0-4");
    stands_at(&registry, &session, 5).await;
    let digest = Digest::sha256("hello");
    let answer = put(&registry, &session, &digest, "").await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(header(&answer, "location"), format!("/v2/acme/hello/blobs/{digest}"));
    assert_eq!(header(&answer, "docker-content-digest"), digest.to_string());
}

/// **U01** A chunk that comes again, begins too early or leaves a gap, with PATCH or with the closing PUT → 416 with `Location` and the `Range` of what is durable, and the status says the same.
#[tokio::test]
async fn a_chunk_that_does_not_begin_where_the_upload_stands_is_refused() {
    let registry = TestRegistry::start().await;
    let content = bytes(100);
    let digest = Digest::sha256(&content);
    let session = registry.start_upload("acme/hello").await;
    refused(
        patch(&registry, &session, Some("1-40"), &content[1..=40]).await,
        416,
        "BLOB_UPLOAD_INVALID",
    )
    .await;
    assert_eq!(
        patch(&registry, &session, Some("0-39"), &content[..40]).await.status(),
        202
    );
    for range in [
        "0-39",
        "39-78",
        "41-80",
        "0-99",
        "18446744073709551614-18446744073709551615",
    ] {
        let with_put = registry
            .request("PUT", &format!("{session}?digest={digest}"))
            .header("content-range", range)
            .body(content[..40].to_vec());
        for answer in [
            patch(&registry, &session, Some(range), &content[..40]).await,
            with_put.send().await.expect("an answer"),
        ] {
            assert_eq!(header(&answer, "range"), "0-39", "{range}");
            assert_eq!(header(&answer, "location"), session);
            refused(answer, 416, "BLOB_UPLOAD_INVALID").await;
        }
        stands_at(&registry, &session, 40).await;
    }
    let answer = registry
        .request("PUT", &format!("{session}?digest={digest}"))
        .header("content-range", "40-99")
        .body(content[40..].to_vec());
    assert_eq!(answer.send().await.expect("an answer").status(), StatusCode::CREATED);
    is_stored(&registry, "acme/hello", &content, &digest).await;
}

/// **U02** A `Content-Range` of another length than the body, with a unit, reversed, negative, half, twice or no text → 400 `SIZE_INVALID`, and not a byte counts.
#[tokio::test]
async fn a_content_range_that_is_wrong_in_itself_is_refused() {
    let registry = TestRegistry::start().await;
    let session = registry.start_upload("acme/hello").await;
    assert_eq!(patch(&registry, &session, None, b"ab").await.status(), 202);
    let closing = format!("{session}?digest={}", Digest::sha256("ab012345"));
    for (method, target) in [("PATCH", &session), ("PUT", &closing)] {
        for lines in [
            &b"Content-Range: 2-6\r\n"[..],
            b"Content-Range: 2-8\r\n",
            b"Content-Range: 2-18446744073709551615\r\n",
            b"Content-Range: 2-18446744073709551616\r\n",
            b"Content-Range: bytes 2-7\r\n",
            b"Content-Range: bytes=2-7\r\n",
            b"Content-Range: bytes 2-7/8\r\n",
            b"Content-Range: 2-7/8\r\n",
            b"Content-Range: 7-2\r\n",
            b"Content-Range: -2-7\r\n",
            b"Content-Range: -6\r\n",
            b"Content-Range: 2-\r\n",
            b"Content-Range: 2\r\n",
            b"Content-Range:\r\n",
            b"Content-Range: 2-7\r\nContent-Range: 2-7\r\n",
            b"Content-Range: 2-7\xff\r\n",
        ] {
            let mut request = head(&registry, method, target, "Content-Length: 6\r\n").into_bytes();
            request.truncate(request.len() - 2);
            let answer = send(&registry, [&request, lines, b"\r\n012345"].concat()).await;
            let lines = String::from_utf8_lossy(lines);
            assert_eq!(refusal(&answer), (400, "SIZE_INVALID".to_owned()), "{method} {lines}");
            stands_at(&registry, &session, 2).await;
        }
    }
    assert_eq!(
        put(&registry, &session, &Digest::sha256("ab012345"), "012345")
            .await
            .status(),
        201
    );
}

/// **U02** A body without a length that has fewer or more bytes than its `Content-Range` → 400 `SIZE_INVALID`, and not a byte counts.
#[tokio::test]
async fn a_streamed_body_of_another_length_than_its_range_does_not_count() {
    let registry = TestRegistry::start().await;
    let session = registry.start_upload("acme/hello").await;
    assert_eq!(patch(&registry, &session, None, b"ab").await.status(), 202);
    for body in ["01234", "0123456", ""] {
        let request = registry.request("PATCH", &session).header("content-range", "2-7");
        let answer = request.body(streamed(body.as_bytes())).send().await.expect("an answer");
        refused(answer, 400, "SIZE_INVALID").await;
        stands_at(&registry, &session, 2).await;
    }
    let request = registry.request("PATCH", &session).header("content-range", "2-7");
    let answer = request.body(streamed(b"012345")).send().await.expect("an answer");
    assert_eq!(header(&answer, "range"), "0-7");
    assert_eq!(
        put(&registry, &session, &Digest::sha256("ab012345"), "").await.status(),
        201
    );
}

/// **U14** The bytes of an upload together cross the largest size of a blob, declared, streamed or claimed by `Content-Range` → 413 `SIZE_INVALID`.
#[tokio::test]
async fn an_upload_cannot_grow_beyond_the_largest_blob() {
    let options = Options {
        config: "max_blob_size = 1000\n",
        ..Options::default()
    };
    let registry = TestRegistry::with(options).await;
    let start = async || {
        let session = registry.start_upload("acme/hello").await;
        assert_eq!(patch(&registry, &session, None, &[0; 600]).await.status(), 202);
        session
    };
    let session = start().await;
    refused(patch(&registry, &session, None, &[0; 401]).await, 413, "SIZE_INVALID").await;
    refused(
        patch(&registry, &session, Some("600-1000"), &[0; 401]).await,
        413,
        "SIZE_INVALID",
    )
    .await;
    let request = registry
        .request("PATCH", &session)
        .header("content-range", "600-999999");
    let answer = request.body(streamed(&[0; 401])).send().await.expect("an answer");
    refused(answer, 413, "SIZE_INVALID").await;
    assert_eq!(patch(&registry, &session, None, &[0; 400]).await.status(), 202);
    assert_eq!(
        put(&registry, &session, &Digest::sha256([0; 1000]), "").await.status(),
        201
    );

    let session = start().await;
    let answer = registry.send_body("PATCH", &session, streamed(&[0; 401])).await;
    refused(answer, 413, "SIZE_INVALID").await;
    refused(registry.send("GET", &session).await, 404, "BLOB_UPLOAD_UNKNOWN").await;
    let target = format!("/v2/acme/hello/blobs/uploads/?digest={}", Digest::sha256([0; 1001]));
    refused(
        registry.send_body("POST", &target, vec![0; 1001]).await,
        413,
        "SIZE_INVALID",
    )
    .await;
    refused(
        registry.send_body("POST", &target, streamed(&[0; 1001])).await,
        413,
        "SIZE_INVALID",
    )
    .await;
    assert!(registry.upload_files().is_empty(), "its bytes are freed");
}

/// **U07** A closing PUT without a digest, or with an empty one → 400 `DIGEST_INVALID`, and the session goes on.
#[tokio::test]
async fn an_upload_is_not_ended_without_a_digest() {
    let registry = TestRegistry::start().await;
    let session = registry.start_upload("acme/hello").await;
    assert_eq!(patch(&registry, &session, None, b"hel").await.status(), 202);
    for query in ["", "?", "?digest", "?digest=", "?other=1"] {
        let answer = registry.send_body("PUT", &format!("{session}{query}"), "lo").await;
        refused(answer, 400, "DIGEST_INVALID").await;
        stands_at(&registry, &session, 3).await;
    }
    assert_eq!(
        put(&registry, &session, &Digest::sha256("hello"), "lo").await.status(),
        201
    );
}

/// **U15** A blob of no bytes, pushed in each of the five ways → 201, and it is read as one of no bytes.
#[tokio::test]
async fn an_empty_blob_is_a_blob() {
    let registry = TestRegistry::start().await;
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let digest = Digest::of(algorithm, "");
        for (index, flow) in Flow::ALL.into_iter().enumerate() {
            let repository = format!("acme/{algorithm}-{index}");
            let (answer, _) = flow.push(&registry, &repository, b"", &digest).await;
            assert_eq!(answer.status(), StatusCode::CREATED, "{flow:?}");
            is_stored(&registry, &repository, b"", &digest).await;
        }
    }
    // A chunk of no bytes changes nothing.
    let session = registry.start_upload("acme/hello").await;
    let answer = patch(&registry, &session, None, b"").await;
    assert_eq!(
        (answer.status(), header(&answer, "range")),
        (StatusCode::ACCEPTED, "0-0".to_owned())
    );
    assert_eq!(patch(&registry, &session, None, b"x").await.status(), 202);
    assert_eq!(patch(&registry, &session, None, b"").await.status(), 202);
    stands_at(&registry, &session, 1).await;
    assert_eq!(put(&registry, &session, &Digest::sha256("x"), "").await.status(), 201);
}

/// **U15** 200 chunks of one byte, each its own request; chunks of every size under 5 MiB → 201 with the right digest; one file and one row, however many chunks there were.
#[tokio::test]
async fn chunks_may_be_as_small_as_they_like() {
    if !on_files() {
        return;
    }
    let registry = TestRegistry::start().await;
    let content = bytes(200);
    let session = registry.start_upload("acme/hello").await;
    for at in 0..content.len() {
        let answer = patch(&registry, &session, Some(&format!("{at}-{at}")), &content[at..=at]).await;
        assert_eq!(header(&answer, "range"), format!("0-{at}"));
    }
    assert_eq!(registry.upload_files().len(), 1);
    assert_eq!(registry.count("SELECT COUNT(*) FROM uploads").await, 1);
    let digest = Digest::sha256(&content);
    assert_eq!(put(&registry, &session, &digest, "").await.status(), 201);
    is_stored(&registry, "acme/hello", &content, &digest).await;

    let content = bytes(3_000_000);
    let session = registry.start_upload("acme/hello").await;
    let (mut at, mut size) = (0, 1);
    while at < content.len() {
        let end = content.len().min(at + size);
        let answer = patch(&registry, &session, None, &content[at..end]).await;
        assert_eq!(header(&answer, "range"), format!("0-{}", end - 1));
        (at, size) = (end, size * 3);
    }
    let digest = Digest::of(Algorithm::Sha512, &content);
    assert_eq!(put(&registry, &session, &digest, "").await.status(), 201);
    is_stored(&registry, "acme/hello", &content, &digest).await;
}

/// **U16** The whole blob with the POST → 201 when it matches, 400 `DIGEST_INVALID` when not; no session is left of either.
#[tokio::test]
async fn a_push_in_one_request_leaves_no_session() {
    let registry = TestRegistry::start().await;
    let digest = Digest::sha256("hello");
    let target = format!("/v2/acme/hello/blobs/uploads/?digest={digest}");
    refused(
        registry.send_body("POST", &target, "other").await,
        400,
        "DIGEST_INVALID",
    )
    .await;
    assert_eq!(registry.count("SELECT COUNT(*) FROM blobs").await, 0);
    for body in [Body::from("hello"), streamed(b"hello")] {
        let answer = registry.send_body("POST", &target, body).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        assert_eq!(header(&answer, "location"), format!("/v2/acme/hello/blobs/{digest}"));
        is_stored(&registry, "acme/hello", b"hello", &digest).await;
    }
    assert_eq!(registry.count("SELECT COUNT(*) FROM uploads").await, 0);
    assert!(registry.upload_files().is_empty());
}

/// **U21** An algorithm announced with the POST, a digest of the other one with the PUT → the bytes are hashed again, 201; one that does not match is 400 all the same.
#[tokio::test]
async fn the_announced_algorithm_is_a_hint() {
    let registry = TestRegistry::start().await;
    for (announced, given) in [
        (Algorithm::Sha512, Algorithm::Sha256),
        (Algorithm::Sha512, Algorithm::Sha512),
        (Algorithm::Sha256, Algorithm::Sha512),
    ] {
        for (content, status) in [("hello", 201), ("other", 400)] {
            let target = format!("/v2/acme/hello/blobs/uploads/?digest-algorithm={announced}");
            let session = header(&registry.send("POST", &target).await, "location");
            assert_eq!(patch(&registry, &session, None, b"hel").await.status(), 202);
            let answer = put(&registry, &session, &Digest::of(given, content), "lo").await;
            assert_eq!(answer.status(), status, "{announced} {given}");
        }
        is_stored(&registry, "acme/hello", b"hello", &Digest::of(given, "hello")).await;
    }
}
