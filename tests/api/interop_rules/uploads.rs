//! Rules 13 to 17: how the clients there are push blobs.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use wreg_oci::{Algorithm, Digest};
use wreg_registry::{Faults, Operation, Surroundings};

use super::has_headers;
use crate::{
    bucket::on_files,
    flows::{Flow, bytes, is_stored, patch, put},
    registry::{Options, TestRegistry, header, refused},
};

const UPLOADS: &str = "/v2/acme/hello/blobs/uploads/";

/// regctl tries an anonymous mount first; containerd and crane name the source, and what they name need not be a name here.
#[tokio::test]
async fn rule_13_a_push_in_one_request_and_a_mount_never_fail() {
    let registry = TestRegistry::start().await;
    let digest = registry.push_blob("acme/source", b"layer").await;
    let absent = Digest::sha256("absent");
    for (query, status) in [
        (format!("mount={digest}&from=acme/absent"), 202),
        (format!("mount={digest}&from=Not/A/Name"), 202),
        (format!("mount={digest}&from=docker.io:443/library/x"), 202),
        (format!("mount={digest}&from="), 202),
        (format!("mount={absent}&from=acme/source"), 202),
        (format!("mount={absent}"), 202),
        (format!("mount={digest}&from=acme/source"), 201),
        (format!("mount={digest}"), 201),
    ] {
        let answer = registry.send("POST", &format!("{UPLOADS}?{query}")).await;
        assert_eq!(answer.status(), status, "{query}");
        let location = header(&answer, "location");
        if status == 201 {
            assert_eq!(location, format!("/v2/acme/hello/blobs/{digest}"));
        } else {
            // The upload goes on as any other one.
            let content = query.as_bytes();
            assert_eq!(
                put(&registry, &location, &Digest::sha256(content), content.to_vec())
                    .await
                    .status(),
                201
            );
        }
    }
    let (answer, _) = Flow::Post
        .push(&registry, "acme/hello", b"whole", &Digest::sha256("whole"))
        .await;
    assert_eq!(answer.status(), 201);
}

/// docker reads `Range` as two numbers; regctl goes on from the `Location` and `Range` of a 416.
#[tokio::test]
async fn rule_14_chunks_come_with_and_without_a_range_and_are_told_where_they_ended() {
    let registry = TestRegistry::start().await;
    let content = bytes(3000);
    let session = registry.start_upload("acme/hello").await;
    let id = session.rsplit('/').next().expect("a session").to_owned();
    let mut sent = 0;
    for (chunk, range) in [(0..1000, None), (1000..2000, Some("1000-1999")), (2000..3000, None)] {
        let answer = patch(&registry, &session, range, &content[chunk.clone()]).await;
        assert_eq!(answer.status(), 202);
        sent = chunk.end;
        let range = format!("0-{}", sent - 1);
        has_headers(
            &answer,
            &[
                ("location", session.as_str()),
                ("range", &range),
                ("docker-upload-uuid", &id),
            ],
        );
        let again = patch(&registry, &session, Some("5-6"), b"xx").await;
        has_headers(&again, &[("location", session.as_str()), ("range", &range)]);
        refused(again, 416, "BLOB_UPLOAD_INVALID").await;
    }
    assert_eq!(sent, content.len());
    let digest = Digest::sha256(&content);
    assert_eq!(put(&registry, &session, &digest, "").await.status(), 201);
    is_stored(&registry, "acme/hello", &content, &digest).await;
}

/// oci-client ends every upload with an empty PUT, and pushes an empty blob without any chunk.
#[tokio::test]
async fn rule_15_an_upload_ends_with_an_empty_put_and_may_have_been_empty() {
    let registry = TestRegistry::start().await;
    for content in [&b""[..], b"layer"] {
        let session = registry.start_upload("acme/hello").await;
        if !content.is_empty() {
            assert_eq!(patch(&registry, &session, None, content).await.status(), 202);
        }
        let digest = Digest::sha256(content);
        let closing = registry.request("PUT", &format!("{session}?digest={digest}"));
        let closed = closing.header("content-length", "0").send().await.expect("an answer");
        assert_eq!(closed.status(), 201);
        is_stored(&registry, "acme/hello", content, &digest).await;
    }
}

/// oci-client sends 4 MiB at a time, whatever is asked of it; some stores take no part below 5 MiB.
#[tokio::test]
async fn rule_16_chunks_of_4_mib_are_taken() {
    const CHUNK: usize = 4 << 20;
    let registry = TestRegistry::start().await;
    let content = bytes(2 * CHUNK + 17);
    let session = registry.start_upload("acme/hello").await;
    for (number, chunk) in content.chunks(CHUNK).enumerate() {
        let first = number * CHUNK;
        let range = format!("{first}-{}", first + chunk.len() - 1);
        assert_eq!(patch(&registry, &session, Some(&range), chunk).await.status(), 202);
    }
    let digest = Digest::sha256(&content);
    assert_eq!(put(&registry, &session, &digest, "").await.status(), 201);
    is_stored(&registry, "acme/hello", &content, &digest).await;
}

/// containerd waits 30 seconds for the answer to a closing PUT, which must therefore not depend on the size: nothing is read again. Only a
/// digest by an algorithm that nobody announced is taken from what is stored.
#[tokio::test]
async fn rule_17_closing_an_upload_reads_nothing_back() {
    // A bucket reads what is beyond the last whole part: never more than 8 MiB.
    if !on_files() {
        return;
    }
    let reads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reads);
    let count = move |operation, _: &str| -> io::Result<()> {
        if operation == Operation::Read {
            counted.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    };
    let surroundings = Surroundings {
        faults: Faults::new(count),
        ..Surroundings::default()
    };
    let registry = TestRegistry::with(Options {
        surroundings,
        ..Options::default()
    })
    .await;
    // The start has tried the store out.
    let before = reads.load(Ordering::Relaxed);
    let content = bytes(1 << 20);
    for flow in Flow::ALL {
        let (answer, _) = flow
            .push(&registry, "acme/hello", &content, &Digest::sha256(&content))
            .await;
        assert_eq!(answer.status(), 201);
        assert_eq!(reads.load(Ordering::Relaxed), before, "{flow:?}");
    }
    let sha512 = Digest::of(Algorithm::Sha512, &content);
    let (answer, _) = Flow::Chunks.push(&registry, "acme/hello", &content, &sha512).await;
    assert_eq!(answer.status(), 201);
    assert!(reads.load(Ordering::Relaxed) > before, "the spy sees nothing");
}
