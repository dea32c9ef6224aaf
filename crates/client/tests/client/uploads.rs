//! Pushing blobs: not twice, in one piece or in chunks, and on from where a connection broke.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tempfile::NamedTempFile;
use wreg_client::{BlobSource, Error, NoProgress, PushedBlob};
use wreg_oci::{Algorithm, Descriptor, Digest, MediaType, RepositoryName};

use crate::{
    memory::Memory,
    server::{Reply, Server},
    setup::{Told, anonymous, content, descriptor, known, name, start_guarded},
};

const CHUNK: usize = 16 * 1024 * 1024;

/// Large enough for three chunks.
fn large() -> Vec<u8> {
    content(2 * CHUNK + 5)
}

fn file(bytes: &[u8]) -> NamedTempFile {
    let file = NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), bytes).expect("written");
    file
}

async fn push(server: &Server, bytes: &[u8]) -> Result<PushedBlob, Error> {
    let file = file(bytes);
    anonymous(server)
        .push_blob(
            &name(),
            &descriptor(bytes),
            BlobSource::File(file.path()),
            None,
            &NoProgress,
        )
        .await
}

#[tokio::test]
async fn a_blob_that_is_there_is_not_sent() {
    let memory = Memory::with_blob(b"content");
    let server = Server::start(move |request| memory.answer(request)).await;
    assert_eq!(push(&server, b"content").await.expect("pushed"), PushedBlob::Existed);
    assert_eq!(
        server.lines(),
        [format!("HEAD /v2/a/b/blobs/{}", Digest::sha256("content"))]
    );
}

#[tokio::test]
async fn a_small_blob_is_sent_in_one_request() {
    for bytes in [b"content".as_slice(), b""] {
        let memory = Memory::default();
        let kept = memory.clone();
        let server = Server::start(move |request| memory.answer(request)).await;
        let told = Told::default();
        let source = BlobSource::Bytes(bytes.into());
        let pushed = anonymous(&server)
            .push_blob(&name(), &descriptor(bytes), source, None, &told)
            .await;
        assert_eq!(pushed.expect("pushed"), PushedBlob::Uploaded);
        assert_eq!(kept.state().blobs[&Digest::sha256(bytes)], bytes);
        assert_eq!(told.sums(), (bytes.len() as u64, bytes.len() as u64, 1));
        let methods: Vec<String> = server
            .requests
            .lock()
            .expect("requests")
            .iter()
            .map(|request| request.method.clone())
            .collect();
        assert_eq!(methods, ["HEAD", "POST", "PUT"]);
    }
}

#[tokio::test]
async fn a_large_blob_is_sent_in_chunks() {
    let bytes = large();
    let memory = Memory::default();
    let kept = memory.clone();
    let server = Server::start(move |request| memory.answer(request)).await;
    assert_eq!(push(&server, &bytes).await.expect("pushed"), PushedBlob::Uploaded);
    assert!(kept.state().blobs[&Digest::sha256(&bytes)] == bytes);
    assert_eq!(
        server.headers("content-range"),
        ["0-16777215", "16777216-33554431", "33554432-33554436"]
    );
    assert_eq!(server.count("PATCH "), 3);
}

#[tokio::test]
async fn a_registry_that_wants_longer_chunks_gets_them() {
    let bytes = large();
    let memory = Memory::default();
    let server = Server::start(move |request| {
        let reply = memory.answer(request);
        if request.method == "POST" {
            reply.header("oci-chunk-min-length", "20000000")
        } else {
            reply
        }
    })
    .await;
    push(&server, &bytes).await.expect("pushed");
    assert_eq!(server.headers("content-range"), ["0-19999999", "20000000-33554436"]);
}

#[tokio::test]
async fn sha512_is_announced() {
    let memory = Memory::default();
    let server = Server::start(move |request| memory.answer(request)).await;
    let bytes = b"content".as_slice();
    let descriptor = Descriptor::new(MediaType::WASM, Digest::of(Algorithm::Sha512, bytes), 7);
    let source = BlobSource::Bytes(bytes.into());
    anonymous(&server)
        .push_blob(&name(), &descriptor, source, None, &NoProgress)
        .await
        .expect("pushed");
    assert_eq!(server.count("POST /v2/a/b/blobs/uploads/?digest-algorithm=sha512"), 1);
}

fn other() -> RepositoryName {
    "other".parse().expect("a name")
}

#[tokio::test]
async fn a_blob_is_mounted_from_a_repository_that_has_it() {
    let memory = Memory::with_blob(b"content");
    let server = start_guarded(move |request| match request.method.as_str() {
        "HEAD" => Reply::new(404),
        _ => memory.answer(request),
    })
    .await;
    let source = BlobSource::Bytes(b"content".as_slice().into());
    let pushed = known(&server)
        .push_blob(&name(), &descriptor(b"content"), source, Some(&other()), &NoProgress)
        .await;
    assert_eq!(pushed.expect("pushed"), PushedBlob::Mounted);
    assert_eq!(server.count("PUT "), 0);
    let scopes = "scope=repository%3Aa%2Fb%3Apull%2Cpush&scope=repository%3Aother%3Apull";
    assert_eq!(server.count(&format!("GET /token?service=test&{scopes}")), 1);
}

#[tokio::test]
async fn where_mounting_opens_an_upload_that_is_used() {
    let memory = Memory::default();
    let server = Server::start(move |request| memory.answer(request)).await;
    let source = BlobSource::Bytes(b"content".as_slice().into());
    let pushed = anonymous(&server)
        .push_blob(&name(), &descriptor(b"content"), source, Some(&other()), &NoProgress)
        .await;
    assert_eq!(pushed.expect("pushed"), PushedBlob::Uploaded);
    assert_eq!(server.count("POST "), 1);
}

#[tokio::test]
async fn a_blob_is_looked_for_without_its_content() {
    let memory = Memory::with_blob(b"content");
    let kept = memory.clone();
    let server = Server::start(move |request| memory.answer(request)).await;
    let registry = anonymous(&server);
    let found = registry
        .find_blob(&name(), &descriptor(b"content"), Some(&other()))
        .await;
    assert_eq!(found.expect("an answer"), Some(PushedBlob::Existed));
    assert_eq!(
        registry
            .find_blob(&name(), &descriptor(b"x"), None)
            .await
            .expect("an answer"),
        None
    );
    let found = registry.find_blob(&name(), &descriptor(b"x"), Some(&other())).await;
    assert_eq!(found.expect("an answer"), None);
    assert_eq!(kept.state().uploads.len(), 0, "the upload that was opened is cancelled");
}

#[tokio::test]
async fn where_mounting_is_refused_the_blob_is_sent() {
    for status in [400, 403, 404, 405] {
        let memory = Memory::default();
        let server = Server::start(move |request| {
            if request.target.contains("mount=") {
                return Reply::new(status);
            }
            memory.answer(request)
        })
        .await;
        let source = BlobSource::Bytes(b"content".as_slice().into());
        let pushed = anonymous(&server)
            .push_blob(&name(), &descriptor(b"content"), source, Some(&other()), &NoProgress)
            .await;
        assert_eq!(pushed.expect("pushed"), PushedBlob::Uploaded);
    }
}

/// A registry whose connection is cut once, `length` bytes into the first request with `method`; what came before is kept.
async fn cutting(method: &'static str, length: usize) -> (Server, Memory) {
    let memory = Memory::default();
    let (kept, cuts) = (memory.clone(), AtomicUsize::new(0));
    let intake = move |request: &crate::server::Request| {
        (request.method == method && cuts.fetch_add(1, Ordering::Relaxed) == 0).then_some(length)
    };
    let answer = move |request: &crate::server::Request| match request.method.as_str() {
        // Half a blob is no blob: an interrupted closing request appends, and does not close.
        "PUT"
            if request
                .header("content-length")
                .is_some_and(|announced| announced != request.body.len().to_string()) =>
        {
            let mut state = memory.state();
            let upload = state.uploads.values_mut().next().expect("an upload");
            upload.extend_from_slice(&request.body);
            Reply::new(0)
        }
        _ => memory.answer(request),
    };
    (Server::start_with(answer, intake).await, kept)
}

#[tokio::test]
async fn a_cut_chunk_is_taken_up_where_the_registry_is() {
    let bytes = large();
    let (server, kept) = cutting("PATCH", 1_000_000).await;
    assert_eq!(push(&server, &bytes).await.expect("pushed"), PushedBlob::Uploaded);
    assert!(kept.state().blobs[&Digest::sha256(&bytes)] == bytes);
    assert_eq!(
        server.headers("content-range"),
        ["0-16777215", "1000000-17777215", "17777216-33554436"]
    );
    assert_eq!(server.count("GET /v2/a/b/blobs/uploads/session-1"), 1);
}

#[tokio::test]
async fn a_cut_whole_blob_is_taken_up_where_the_registry_is() {
    let bytes = content(500_000);
    let (server, kept) = cutting("PUT", 123_456).await;
    push(&server, &bytes).await.expect("pushed");
    assert!(kept.state().blobs[&Digest::sha256(&bytes)] == bytes);
    assert_eq!(server.headers("content-range"), ["123456-499999"]);
}

/// `0-0` stands for nothing and for one byte.
#[tokio::test]
async fn a_session_with_nothing_or_one_byte_is_taken_up() {
    for length in [0, 1] {
        let bytes = large();
        let (server, kept) = cutting("PATCH", length).await;
        push(&server, &bytes).await.expect("pushed");
        assert!(kept.state().blobs[&Digest::sha256(&bytes)] == bytes, "{length}");
    }
}

#[tokio::test]
async fn a_registry_that_is_elsewhere_says_where_and_is_followed() {
    let bytes = large();
    let memory = Memory::default();
    let (kept, patches) = (memory.clone(), AtomicUsize::new(0));
    let server = Server::start(move |request| {
        let reply = memory.answer(request);
        if request.method == "PATCH" && patches.fetch_add(1, Ordering::Relaxed) == 0 {
            // It lost the end of what it took.
            memory
                .state()
                .uploads
                .get_mut("session-1")
                .expect("an upload")
                .truncate(12_345);
            return Reply::new(202)
                .header("location", "/v2/a/b/blobs/uploads/session-1")
                .header("range", "0-16777215");
        }
        reply
    })
    .await;
    push(&server, &bytes).await.expect("pushed");
    assert!(kept.state().blobs[&Digest::sha256(&bytes)] == bytes);
    assert_eq!(
        server.headers("content-range")[1..3],
        ["16777216-33554431", "12345-16789560"]
    );
}

#[tokio::test]
async fn an_upload_that_the_registry_forgot_is_begun_anew() {
    let bytes = large();
    let memory = Memory::default();
    let (kept, patches) = (memory.clone(), AtomicUsize::new(0));
    let server = Server::start(move |request| {
        if request.method == "PATCH" && patches.fetch_add(1, Ordering::Relaxed) == 1 {
            memory.state().uploads.clear();
        }
        memory.answer(request)
    })
    .await;
    push(&server, &bytes).await.expect("pushed");
    assert!(kept.state().blobs[&Digest::sha256(&bytes)] == bytes);
    assert_eq!(server.count("POST "), 2);
}

#[tokio::test]
async fn a_lost_confirmation_is_no_lost_blob() {
    let memory = Memory::default();
    let server = Server::start(move |request| {
        let reply = memory.answer(request);
        if request.method == "PUT" {
            Reply::hang_up()
        } else {
            reply
        }
    })
    .await;
    assert_eq!(push(&server, b"content").await.expect("pushed"), PushedBlob::Uploaded);
    assert_eq!(server.count("PUT "), 1);
}

#[tokio::test]
async fn a_registry_that_always_forgets_is_given_up() {
    let bytes = large();
    let memory = Memory::default();
    let patches = Arc::new(AtomicUsize::new(0));
    let server = Server::start(move |request| {
        if request.method == "PATCH" && patches.fetch_add(1, Ordering::Relaxed) % 2 == 1 {
            memory.state().uploads.clear();
        }
        memory.answer(request)
    })
    .await;
    let error = push(&server, &bytes).await.expect_err("never done");
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
    assert_eq!(server.count("POST "), 4);
}

/// **K03** A registry that claims to have more bytes than there are → an error, and nothing is read beyond the blob.
#[tokio::test]
async fn a_registry_that_claims_too_much_is_refused() {
    for range in ["0-99999999999", "0-18446744073709551615"] {
        let memory = Memory::default();
        let server = Server::start(move |request| match request.method.as_str() {
            "PATCH" => Reply::new(202)
                .header("location", "/v2/a/b/blobs/uploads/session-1")
                .header("range", range),
            _ => memory.answer(request),
        })
        .await;
        let error = push(&server, &large()).await.expect_err("too much");
        assert!(matches!(error, Error::Protocol { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_refused_blob_is_an_answer_and_the_upload_is_cancelled() {
    let memory = Memory::default();
    let server = Server::start(move |request| match request.method.as_str() {
        "PUT" => Reply::new(400).body(r#"{"errors":[{"code":"DIGEST_INVALID","message":"other bytes"}]}"#),
        _ => memory.answer(request),
    })
    .await;
    let error = push(&server, b"content").await.expect_err("refused");
    assert!(error.is_no());
    assert!(error.to_string().ends_with(": other bytes"), "{error}");
    assert_eq!(server.count("PUT "), 1);
    assert_eq!(server.count("DELETE "), 1);
}

#[tokio::test]
async fn a_file_that_becomes_shorter_while_it_is_sent_is_the_error() {
    let (memory, file) = (Memory::default(), file(b"content"));
    let path = file.path().to_owned();
    let server = Server::start(move |request| {
        if request.method == "POST" {
            std::fs::write(&path, "cont").expect("cut");
        }
        memory.answer(request)
    })
    .await;
    let source = BlobSource::File(file.path());
    let pushed = anonymous(&server)
        .push_blob(&name(), &descriptor(b"content"), source, None, &NoProgress)
        .await;
    assert!(
        matches!(
            pushed,
            Err(Error::SourceChanged {
                expected: 7,
                actual: 4,
                ..
            })
        ),
        "{pushed:?}"
    );
}

#[tokio::test]
async fn what_is_not_as_described_is_not_sent() {
    let server = Server::start(|_| Reply::new(500)).await;
    let registry = anonymous(&server);
    let source = BlobSource::Bytes(b"other".as_slice().into());
    let pushed = registry
        .push_blob(&name(), &descriptor(b"bytes"), source, None, &NoProgress)
        .await;
    assert!(matches!(pushed, Err(Error::NotItsDigest { .. })), "{pushed:?}");
    let file = file(b"longer");
    let pushed = registry
        .push_blob(
            &name(),
            &descriptor(b"bytes"),
            BlobSource::File(file.path()),
            None,
            &NoProgress,
        )
        .await;
    assert!(
        matches!(
            pushed,
            Err(Error::SourceChanged {
                expected: 5,
                actual: 6,
                ..
            })
        ),
        "{pushed:?}"
    );
    assert_eq!(server.lines(), [""; 0]);
}
