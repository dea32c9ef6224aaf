//! An object store far away, over a line that breaks now and then. It runs where the tests are on object storage.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use reqwest::{Client, Response, StatusCode};
use tokio::task::block_in_place;
use wreg_harness::{
    RegistryProcess,
    s3_proxy::{Fate, Proxy},
};
use wreg_oci::Digest;

use crate::{
    bucket::TestBucket,
    flows::bytes,
    process::until,
    registry::{Options, TestDatabase, TestRegistry, header},
};

const MIB: usize = 1 << 20;
/// How often a client tries.
const ATTEMPTS: usize = 10;

/// The answer, if it is what it is to be. Otherwise it must ask to come again.
fn is_done(answer: &Response, status: StatusCode) -> bool {
    if answer.status() == status {
        return true;
    }
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let seconds: u64 = header(answer, "retry-after").parse().expect("seconds");
    assert!(seconds > 0);
    false
}

/// Pushes in one request, as often as it takes.
async fn push(registry: &TestRegistry, content: &[u8], digest: &Digest) {
    for _ in 0..ATTEMPTS {
        let target = format!("/v2/acme/hello/blobs/uploads/?digest={digest}");
        let answer = registry.send_body("POST", &target, content.to_vec()).await;
        if is_done(&answer, StatusCode::CREATED) {
            return;
        }
    }
    panic!("{} bytes never arrive", content.len());
}

/// Pushes in two chunks, and goes on where the upload stands.
async fn push_in_chunks(registry: &TestRegistry, content: &[u8], digest: &Digest) {
    let session = registry.start_upload("acme/hello").await;
    for _ in 0..ATTEMPTS {
        let stands = registry.send("GET", &session).await;
        assert_eq!(stands.status(), StatusCode::NO_CONTENT);
        let range = header(&stands, "range");
        let last: usize = range.strip_prefix("0-").expect("a range").parse().expect("a number");
        let from = if last == 0 { 0 } else { last + 1 };
        let middle = content.len() / 2;
        if from < middle {
            let answer = registry
                .send_body("PATCH", &session, content[from..middle].to_vec())
                .await;
            if !is_done(&answer, StatusCode::ACCEPTED) {
                continue;
            }
        }
        let closing = format!("{session}?digest={digest}");
        let rest = content[from.max(middle)..].to_vec();
        let answer = registry.send_body("PUT", &closing, rest).await;
        if is_done(&answer, StatusCode::CREATED) {
            return;
        }
    }
    panic!("{} bytes never arrive", content.len());
}

/// Pulls, as often as it takes. What comes may break off, and is never anything else.
async fn pull(registry: &TestRegistry, content: &[u8], digest: &Digest) {
    for _ in 0..ATTEMPTS {
        let answer = registry.send("GET", &format!("/v2/acme/hello/blobs/{digest}")).await;
        if is_done(&answer, StatusCode::OK)
            && let Ok(body) = answer.bytes().await
        {
            assert!(body == content, "{} bytes are others", content.len());
            return;
        }
    }
    panic!("{} bytes never come", content.len());
}

/// **O11** The object store is 500 ms away, and one of twenty requests to it, and more of long reads, meets a reset: before it, instead of its answer, or in the middle of that → it takes longer, every answer is success or 503 with `Retry-After`, and every byte is right.
#[tokio::test]
async fn an_object_store_over_a_bad_line_is_slow_and_never_wrong() {
    let Some(storage) = wreg_harness::object_storage() else {
        return;
    };
    let (proxy, endpoint) = Proxy::before(storage.endpoint).await;
    let registry = TestRegistry::with(Options {
        bucket_endpoint: Some(endpoint),
        ..Options::default()
    })
    .await;
    let (requests, long_reads) = (AtomicUsize::new(0), AtomicUsize::new(0));
    proxy.set_latency(Duration::from_millis(500));
    proxy.set(move |method, target| {
        // What takes longer breaks more often.
        let is_long = method == "GET" && target.contains("/data/");
        if is_long && long_reads.fetch_add(1, Ordering::Relaxed).is_multiple_of(4) {
            return Fate::CutAfter(MIB);
        }
        match requests.fetch_add(1, Ordering::Relaxed) % 60 {
            10 => Fate::Reset,
            30 => Fate::AnswerLost,
            50 => Fate::CutAfter(1000),
            _ => Fate::Pass,
        }
    });
    let sizes = [
        1,
        1000,
        100_000,
        MIB,
        5 * MIB,
        8 * MIB - 1,
        8 * MIB,
        8 * MIB + 1,
        20 * MIB,
    ];
    let contents = sizes.map(|size| {
        let pushed: [Vec<u8>; 2] = [0_u8, 1].map(|way| [vec![way], bytes(size)].concat());
        pushed.map(|content| (Digest::sha256(&content), content))
    });
    join_all(contents.iter().map(async |[(one, at_once), (other, in_chunks)]| {
        tokio::join!(
            push(&registry, at_once, one),
            push_in_chunks(&registry, in_chunks, other),
        )
    }))
    .await;
    let pulls = contents.as_flattened().iter();
    join_all(pulls.map(|(digest, content)| pull(&registry, content, digest))).await;
    assert!(proxy.count("") >= 120, "all that can happen has happened twice");
}

/// **O04** What the object store sends ends early, again and again, when the head of the answer has been sent → the connection closes before the last byte, and the log says why under the id of the request.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_says_why_a_blob_broke_off() {
    let Some(storage) = wreg_harness::object_storage() else {
        return;
    };
    let TestDatabase::Postgres(database) = TestDatabase::new().await else {
        return;
    };
    let bucket = TestBucket::of(&database).expect("this run has one");
    let (proxy, endpoint) = Proxy::before(storage.endpoint).await;
    let builder = RegistryProcess::builder().env("WREG_DATABASE", &database);
    let builder = bucket
        .variables()
        .into_iter()
        .fold(builder, |builder, (name, value)| builder.env(name, value));
    let server = block_in_place(|| builder.env("WREG_S3_ENDPOINT", endpoint).start());
    let ask = |method: &str, target: String| {
        let request = Client::new().request(method.parse().expect("a method"), server.url() + &target);
        request.basic_auth("admin", Some(server.admin_token()))
    };
    let content = bytes(MIB);
    let digest = Digest::sha256(&content);
    let push = ask("POST", format!("/v2/acme/hello/blobs/uploads/?digest={digest}")).body(content);
    let pushed = push.send().await.expect("an answer");
    assert_eq!(pushed.status(), StatusCode::CREATED);

    proxy.set(|method, _| if method == "GET" { Fate::CutAfter(0) } else { Fate::Pass });
    let pull = ask("GET", format!("/v2/acme/hello/blobs/{digest}"));
    let pulled = pull.send().await.expect("the answer begins");
    assert_eq!(pulled.status(), StatusCode::OK);
    let id = header(&pulled, "x-request-id");
    pulled.bytes().await.expect_err("it does not end");
    let says_why = |line: &str| {
        [" WARN ", &id, "broke off", "cannot read"]
            .iter()
            .all(|part| line.contains(part))
    };
    until(|| server.stderr().lines().any(says_why));
}
