//! Uploads that are cut off, contended for, or outlive their server.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt as _, future::join_all, stream};
use reqwest::{Body, Response, StatusCode};
use tokio::{
    io::AsyncWriteExt as _,
    net::TcpStream,
    sync::mpsc::{self, UnboundedSender},
    task::JoinHandle,
};
use wreg_oci::{Algorithm, Digest};

use crate::{
    bucket::on_files,
    flows::{Flow, bytes, is_stored, patch, put, stands_at},
    registry::{Options, TestRegistry, header, refused},
    wire::head,
};

/// Waits until something is so: for what a server does after its client has gone. Gives up after a minute.
pub(crate) async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_mins(1), async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    });
    waited.await.expect("it becomes so");
}

/// A PATCH or PUT whose body goes on until the sender is dropped.
fn begin(registry: &TestRegistry, method: &str, target: &str) -> (UnboundedSender<Vec<u8>>, JoinHandle<Response>) {
    let (sender, pieces) = mpsc::unbounded_channel();
    let pieces = stream::unfold(pieces, async |mut pieces| {
        let piece: Vec<u8> = pieces.recv().await?;
        Some((Ok::<_, std::io::Error>(piece), pieces))
    });
    let request = registry.request(method, target).body(Body::wrap_stream(pieces.boxed()));
    (sender, tokio::spawn(async { request.send().await.expect("an answer") }))
}

/// Waits until a request that is under way has put bytes into the one upload there is: from then on it holds the upload.
async fn until_it_writes(registry: &TestRegistry) {
    until(async || {
        let length = |path| std::fs::metadata(path).map_or(0, |found| found.len());
        registry.upload_files().into_iter().any(|path| length(path) > 0)
    })
    .await;
}

/// Sends the head and `part` of a request whose body is longer than that, and hangs up.
async fn cut_off(registry: &TestRegistry, method: &str, target: &str, headers: &str, part: &[u8]) {
    let mut connection = TcpStream::connect(registry.address).await.expect("it listens");
    let request = [head(registry, method, target, headers).as_bytes(), part].concat();
    connection.write_all(&request).await.expect("it reads");
    connection.shutdown().await.expect("it is connected");
}

/// The part of a body in chunked coding that never ends.
fn one_chunk(content: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", content.len()).as_bytes(), content, b"\r\n"].concat()
}

/// **U03** The client hangs up in the middle of a chunk, be its length known or not, with PATCH or with the closing PUT → the offset is what arrived and is durable, and an upload that goes on there ends with the right digest.
#[tokio::test]
async fn an_upload_that_is_cut_off_goes_on_at_the_byte_that_arrived_last() {
    const LENGTH: usize = 1_000_000;
    let registry = TestRegistry::start().await;
    let content = bytes(LENGTH);
    let digest = Digest::sha256(&content);
    let (whole, chunked) = (
        "Content-Length: 900000\r\nContent-Range: 100000-999999\r\n",
        "Transfer-Encoding: chunked\r\n",
    );
    for (method, headers, at) in [
        ("PATCH", whole, 100_001),
        ("PATCH", whole, 400_000),
        ("PATCH", chunked, 500_000),
        ("PUT", whole, 600_000),
        ("PUT", chunked, 700_000),
    ] {
        let session = registry.start_upload("acme/hello").await;
        assert_eq!(
            patch(&registry, &session, None, &content[..100_000]).await.status(),
            202
        );
        let part = &content[100_000..at];
        let part = if headers == chunked {
            one_chunk(part)
        } else {
            part.to_vec()
        };
        cut_off(&registry, method, &format!("{session}?digest={digest}"), headers, &part).await;
        until(async || header(&registry.send("GET", &session).await, "range") != "0-99999").await;
        stands_at(&registry, &session, at).await;

        let range = format!("{at}-{}", LENGTH - 1);
        let answer = patch(&registry, &session, Some(&range), &content[at..]).await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        assert_eq!(
            put(&registry, &session, &digest, "").await.status(),
            StatusCode::CREATED
        );
        is_stored(&registry, "acme/hello", &content, &digest).await;
        let target = format!("/v2/acme/hello/blobs/{digest}");
        assert_eq!(registry.send("DELETE", &target).await.status(), StatusCode::ACCEPTED);
    }
}

/// **U03** The client hangs up in the middle of a push in one request → nothing of it is left.
#[tokio::test]
async fn a_push_in_one_request_that_is_cut_off_leaves_nothing() {
    if !on_files() {
        return;
    }
    let registry = TestRegistry::start().await;
    let content = bytes(600_000);
    let target = format!("/v2/acme/hello/blobs/uploads/?digest={}", Digest::sha256(&content));
    for (headers, part) in [
        ("Content-Length: 600000\r\n", content[..599_999].to_vec()),
        ("Transfer-Encoding: chunked\r\n", one_chunk(&content)),
    ] {
        let mut connection = TcpStream::connect(registry.address).await.expect("it listens");
        let request = [head(&registry, "POST", &target, headers).as_bytes(), &part].concat();
        connection.write_all(&request).await.expect("it reads");
        until_it_writes(&registry).await;
        drop(connection);
        until(async || registry.upload_files().is_empty()).await;
    }
    assert_eq!(registry.count("SELECT COUNT(*) FROM blobs").await, 0);
}

/// **U05** Two chunks for the same place at the same time → one is taken, the other one is 416, and the bytes are those of the first.
#[tokio::test]
async fn of_two_chunks_for_one_place_one_is_taken() {
    let registry = TestRegistry::start().await;
    let session = registry.start_upload("acme/hello").await;
    let mut expected = Vec::new();
    for round in 0..20_usize {
        let chunks = [vec![b'a'; 1000 + round], vec![b'b'; 1000 + round]];
        let range = format!("{}-{}", expected.len(), expected.len() + chunks[0].len() - 1);
        let answers = join_all(
            chunks
                .iter()
                .map(|chunk| patch(&registry, &session, Some(&range), chunk)),
        )
        .await;
        let taken: Vec<_> = answers
            .iter()
            .zip(&chunks)
            .filter(|(answer, _)| answer.status() == StatusCode::ACCEPTED)
            .collect();
        assert_eq!(taken.len(), 1, "{answers:?}");
        expected.extend_from_slice(taken[0].1);
        for answer in answers {
            if answer.status() != StatusCode::ACCEPTED {
                refused(answer, 416, "BLOB_UPLOAD_INVALID").await;
            }
        }
        stands_at(&registry, &session, expected.len()).await;
    }
    let digest = Digest::sha256(&expected);
    assert_eq!(
        put(&registry, &session, &digest, "").await.status(),
        StatusCode::CREATED
    );
    is_stored(&registry, "acme/hello", &expected, &digest).await;
}

/// **U06** PUT closes, or DELETE cancels, while a chunk is under way → the closing one is 416 until the chunk has ended; the cancelling one wins, and the chunk ends with 404 or 416. No late byte reaches a blob.
#[tokio::test]
async fn an_upload_is_not_closed_under_a_chunk_that_is_under_way() {
    if !on_files() {
        return;
    }
    let registry = TestRegistry::start().await;
    let content = bytes(800_000);
    let digest = Digest::sha256(&content);
    let session = registry.start_upload("acme/hello").await;
    let (body, chunk) = begin(&registry, "PATCH", &session);
    body.send(content[..600_000].to_vec()).expect("it is under way");
    until_it_writes(&registry).await;
    for content in [&content[..], &content[..600_000], b""] {
        let answer = put(&registry, &session, &Digest::sha256(content), "").await;
        refused(answer, 416, "BLOB_UPLOAD_INVALID").await;
    }
    refused(patch(&registry, &session, None, b"x").await, 416, "BLOB_UPLOAD_INVALID").await;
    body.send(content[600_000..].to_vec()).expect("it is under way");
    drop(body);
    assert_eq!(chunk.await.expect("an answer").status(), StatusCode::ACCEPTED);
    assert_eq!(
        put(&registry, &session, &digest, "").await.status(),
        StatusCode::CREATED
    );
    is_stored(&registry, "acme/hello", &content, &digest).await;

    for method in ["PATCH", "PUT"] {
        let session = registry.start_upload("acme/hello").await;
        assert_eq!(patch(&registry, &session, None, b"x").await.status(), 202);
        let (body, chunk) = begin(&registry, method, &format!("{session}?digest={digest}"));
        body.send(content[..600_000].to_vec()).expect("it is under way");
        until(async || {
            let length = |path| std::fs::metadata(path).map_or(0, |found| found.len());
            registry.upload_files().into_iter().any(|path| length(path) > 1)
        })
        .await;
        assert_eq!(registry.send("DELETE", &session).await.status(), StatusCode::NO_CONTENT);
        // It may have been told already, and then it reads no further.
        let _ = body.send(content[600_000..].to_vec());
        drop(body);
        let answer = chunk.await.expect("an answer").status().as_u16();
        assert!(matches!(answer, 404 | 416), "{method}: {answer}");
        assert!(registry.upload_files().is_empty());
    }
    assert_eq!(registry.count("SELECT COUNT(*) FROM uploads").await, 0);
    assert_eq!(registry.count("SELECT COUNT(*) FROM blobs").await, 1);
}

/// **U19** The server is started anew between the chunks of an upload, whichever algorithm hashes → it goes on at the durable offset and ends with the right digest.
#[tokio::test]
async fn an_upload_outlives_its_server() {
    for (announced, given) in [
        (Algorithm::Sha256, Algorithm::Sha256),
        (Algorithm::Sha512, Algorithm::Sha512),
        (Algorithm::Sha256, Algorithm::Sha512),
    ] {
        let content = bytes(250_000);
        let registry = start_that_may_leave_uploads(None).await;
        let target = format!("/v2/acme/hello/blobs/uploads/?digest-algorithm={announced}");
        let session = header(&registry.send("POST", &target).await, "location");
        // A session is remembered from its first byte on.
        assert_eq!(
            patch(&registry, &session, Some("0-0"), &content[..1]).await.status(),
            StatusCode::ACCEPTED
        );
        let mut stopped = registry.stop().await;
        // Lengths that end within a block of the hash.
        let mut at = 1;
        for chunk in content[1..].chunks(99_999) {
            let registry = start_that_may_leave_uploads(Some(stopped)).await;
            let range = format!("{at}-{}", at + chunk.len() - 1);
            let answer = patch(&registry, &session, Some(&range), chunk).await;
            assert_eq!(answer.status(), StatusCode::ACCEPTED);
            at += chunk.len();
            stopped = registry.stop().await;
        }
        let registry = start_that_may_leave_uploads(Some(stopped)).await;
        stands_at(&registry, &session, content.len()).await;
        let digest = Digest::of(given, &content);
        assert_eq!(
            put(&registry, &session, &digest, "").await.status(),
            StatusCode::CREATED
        );
        is_stored(&registry, "acme/hello", &content, &digest).await;
        assert!(registry.upload_files().is_empty());
    }
}

/// **S06** The server dies when the bytes of an upload are a blob in the store and the database does not know yet, be it the first push of all → it starts again, the session stands where it stood, and the client's next try to close it succeeds.
#[tokio::test]
async fn an_upload_whose_commit_was_interrupted_is_closed_by_the_next_try() {
    if !on_files() {
        return;
    }
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let registry = start_that_may_leave_uploads(None).await;
        let content = bytes(1000);
        let digest = Digest::of(algorithm, &content);
        let session = registry.start_upload("acme/hello").await;
        assert_eq!(patch(&registry, &session, None, &content).await.status(), 202);
        let stopped = registry.stop().await;

        // What the store does before the database is told.
        let (id, encoded) = (session.rsplit('/').next().expect("an id"), digest.encoded());
        let shard = stopped.0.path().join(format!("blobs/{algorithm}/{}", &encoded[..2]));
        std::fs::create_dir_all(&shard).expect("a folder");
        let upload = stopped.0.path().join("uploads").join(id);
        std::fs::rename(upload, shard.join(format!("{encoded}.{id}"))).expect("the upload is there");

        let registry = start_that_may_leave_uploads(Some(stopped)).await;
        stands_at(&registry, &session, content.len()).await;
        let answer = put(&registry, &session, &digest, "x").await;
        assert_eq!(header(&answer, "range"), "0-999", "a byte too many changes nothing");
        refused(answer, 416, "BLOB_UPLOAD_INVALID").await;
        let answer = put(&registry, &session, &digest, "").await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        is_stored(&registry, "acme/hello", &content, &digest).await;
        assert!(registry.upload_files().is_empty());
        refused(registry.send("GET", &session).await, 404, "BLOB_UPLOAD_UNKNOWN").await;
    }
}

/// **U19** The bytes of an upload are not in the store any more → 416 with the offset that is left, and it can be filled again; never a blob with a wrong digest.
#[tokio::test]
async fn an_upload_that_lost_bytes_goes_back_to_what_is_left() {
    if !on_files() {
        return;
    }
    let registry = TestRegistry::start().await;
    let content = bytes(10_000);
    let digest = Digest::sha256(&content);
    for left in [0, 4000] {
        let session = registry.start_upload("acme/hello").await;
        assert_eq!(patch(&registry, &session, None, &content[..8000]).await.status(), 202);
        let file = registry.upload_files().remove(0);
        if left == 0 {
            std::fs::remove_file(file).expect("it is there");
        } else {
            let file = std::fs::File::options().write(true).open(file).expect("it is there");
            file.set_len(left).expect("it is ours");
        }
        let answer = put(&registry, &session, &digest, content[8000..].to_vec()).await;
        assert_eq!(header(&answer, "range"), format!("0-{}", left.saturating_sub(1)));
        refused(answer, 416, "BLOB_UPLOAD_INVALID").await;
        let left = usize::try_from(left).expect("it is small");
        let answer = put(&registry, &session, &digest, content[left..].to_vec()).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        is_stored(&registry, "acme/hello", &content, &digest).await;
        let target = format!("/v2/acme/hello/blobs/{digest}");
        assert_eq!(registry.send("DELETE", &target).await.status(), StatusCode::ACCEPTED);
    }
}

/// **U20** 100 clients push the same new blob at once, in each of the five ways → 100 × 201, one copy in the store.
#[tokio::test]
async fn a_hundred_pushes_of_one_blob_make_one_copy() {
    if !on_files() {
        return;
    }
    let registry = TestRegistry::start().await;
    let content = bytes(5000);
    let digest = Digest::sha256(&content);
    let pushes = (0..100).map(async |index| {
        let repository = format!("acme/{}", index % 7);
        let flow = Flow::ALL[index % 5];
        flow.push(&registry, &repository, &content, &digest).await.0.status()
    });
    assert_eq!(join_all(pushes).await, vec![StatusCode::CREATED; 100]);
    for index in 0..7 {
        is_stored(&registry, &format!("acme/{index}"), &content, &digest).await;
    }
    assert_eq!(registry.count("SELECT COUNT(*) FROM blobs").await, 1);
    let shard = registry
        .data
        .path()
        .join(format!("blobs/sha256/{}", &digest.encoded()[..2]));
    assert_eq!(std::fs::read_dir(shard).expect("a folder").count(), 1);
}

type Stopped = (Arc<tempfile::TempDir>, crate::registry::TestDatabase);

/// A registry of which uploads may be left, on what another one left.
async fn start_that_may_leave_uploads(stopped: Option<Stopped>) -> TestRegistry {
    let (data, database) = stopped.unzip();
    TestRegistry::with(Options {
        data,
        database,
        may_leave_uploads: true,
        ..Options::default()
    })
    .await
}
