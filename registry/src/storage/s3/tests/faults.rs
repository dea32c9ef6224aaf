//! What the store makes of an S3 server that fails.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::StreamExt as _;
use wreg_harness::s3_proxy::{Fate, Proxy};
use wreg_oci::Digest;

use super::*;
use crate::storage::{
    AppendError, ErrorKind, Position, StopCause, Then, UploadId,
    contract::{body, bytes, collect, get, hold, keys, put},
};

const MIB: usize = 1 << 20;

/// A store behind a proxy, if there is a server.
async fn behind_a_proxy() -> Option<(Arc<Proxy>, Store)> {
    let mut settings = settings()?;
    let server = settings.endpoint.take().expect("an endpoint is given");
    let (proxy, endpoint) = Proxy::before(server).await;
    settings.endpoint = Some(endpoint);
    Some((proxy, Arc::new(S3Store::open(&settings, Faults::NONE).await)))
}

/// The first `count` requests that `which` names meet `fate`.
fn at_first(count: usize, fate: Fate, which: fn(&str, &str) -> bool) -> impl Fn(&str, &str) -> Fate + Send + Sync {
    let met = AtomicUsize::new(0);
    move |method, target| {
        if which(method, target) && met.fetch_add(1, Ordering::SeqCst) < count {
            return fate.clone();
        }
        Fate::Pass
    }
}

fn always(fate: Fate) -> impl Fn(&str, &str) -> Fate + Send + Sync {
    move |_, _| fate.clone()
}

/// **O01** Some requests in a row meet 503 or 500 → each is sent again, and the blob is whole.
#[tokio::test]
async fn a_burst_of_refusals_is_waited_out() {
    let Some((proxy, store)) = behind_a_proxy().await else {
        return;
    };
    let content = bytes(9 * MIB);
    for fate in [(503, "SlowDown"), (500, "InternalError"), (503, "ServiceUnavailable")] {
        let fate = Fate::Refused(fate.0, fate.1);
        proxy.set(at_first(2, fate, |method, _| method == "PUT"));
        let key = put(&store, &content).await;
        assert!(proxy.count("PUT") >= 5, "two parts, a name, and two that were refused");
        assert!(get(&store, &key).await.as_ref() == Some(&content));
    }
}

/// **O01** Every request meets 503 → after four attempts the append fails for the moment, acknowledges nothing, and goes on later.
#[tokio::test]
async fn an_overload_that_does_not_end_is_an_error_and_no_loss() {
    let Some((proxy, store)) = behind_a_proxy().await else {
        return;
    };
    let content = bytes(1000);
    let mut held = hold(&store, UploadId::random()).await;
    let at = held
        .append(&Position::START, body([content[..10].to_vec()]), Then::Note)
        .await;
    let at = at.expect("the append succeeds");
    proxy.set(always(Fate::Refused(503, "SlowDown")));
    let stopped = held.append(&at, body([content[10..].to_vec()]), Then::Note).await;
    let Err(AppendError::Stopped {
        durable,
        cause: StopCause::Storage(error),
    }) = stopped
    else {
        panic!("{stopped:?}")
    };
    assert_eq!((&durable, error.kind()), (&at, ErrorKind::Transient));
    assert_eq!(proxy.count("GET"), 4, "the tail is asked for");
    proxy.set(always(Fate::Pass));
    let end = held.append(&durable, body([content[10..].to_vec()]), Then::Note).await;
    let end = end.expect("the append succeeds");
    let key = held.commit(&Digest::sha256(&content), &end).await;
    assert_eq!(get(&store, &key.expect("the commit succeeds")).await, Some(content));
}

/// **O02** The server does what it is asked for, and the answer is lost, at every kind of request once → the request is sent again, and the blob is whole.
#[tokio::test]
async fn a_write_whose_answer_is_lost_is_repeated() {
    let Some((proxy, store)) = behind_a_proxy().await else {
        return;
    };
    let content = bytes(9 * MIB);
    let kinds: [fn(&str, &str) -> bool; 6] = [
        |method, target| method == "PUT" && target.contains("/data/"),
        |method, target| method == "PUT" && target.contains("/uploads/"),
        |method, target| method == "PUT" && target.contains("/blobs/"),
        |method, target| method == "POST" && target.contains("uploads"),
        |method, target| method == "POST" && target.contains("uploadId"),
        |method, _| method == "DELETE",
    ];
    for (number, which) in kinds.into_iter().enumerate() {
        proxy.set(at_first(1, Fate::AnswerLost, which));
        let mut held = hold(&store, UploadId::random()).await;
        let end = held.append(&Position::START, body([content.clone()]), Then::Note).await;
        let end = end.expect("the append succeeds");
        let key = held.commit(&Digest::sha256(&content), &end).await;
        let key = key.expect("the commit succeeds");
        assert!(get(&store, &key).await.as_ref() == Some(&content), "kind {number}");
    }
    assert_eq!(keys(store.list_blobs()).await.len(), kinds.len());
}

/// **O04** A read ends early, again and again but with some bytes each time → it goes on from there by a range, and every byte comes.
#[tokio::test]
async fn a_read_that_ends_early_goes_on() {
    let Some((proxy, store)) = behind_a_proxy().await else {
        return;
    };
    let content = bytes(MIB);
    let key = put(&store, &content).await;
    proxy.set(at_first(5, Fate::CutAfter(100_000), |method, _| method == "GET"));
    assert!(get(&store, &key).await == Some(content));
    assert_eq!(proxy.count("GET"), 6);
}

/// **O04** A read ends early and does not go on → the stream ends with an error, never as if that were all; a small blob is no stream, and the read itself is the error.
#[tokio::test]
async fn a_read_that_does_not_go_on_is_an_error() {
    let Some((proxy, store)) = behind_a_proxy().await else {
        return;
    };
    let key = put(&store, &bytes(MIB)).await;
    proxy.set(always(Fate::CutAfter(0)));
    let stream = store.read(&key, 0..MIB as u64).await.expect("the answer begins");
    assert!(collect(stream.expect("the blob is there")).await.is_err());
    proxy.set(always(Fate::Pass));
    let small = put(&store, &bytes(1000)).await;
    proxy.set(always(Fate::CutAfter(0)));
    let error = store.read(&small, 0..1000).await.err().expect("it is read at once");
    assert_eq!(error.kind(), ErrorKind::Transient);
}

/// **O06** A list is cut off and does not say where it goes on → an error, so that nothing counts as gone.
#[tokio::test]
async fn a_list_that_is_cut_off_is_an_error() {
    const WHOLE: &str = "<IsTruncated>false</IsTruncated>";
    let Some((proxy, store)) = behind_a_proxy().await else {
        return;
    };
    put(&store, b"abc").await;
    proxy.set(always(Fate::Says(WHOLE, "<IsTruncated>true</IsTruncated>")));
    let blobs: Vec<_> = store.list_blobs().collect().await;
    let uploads: Vec<_> = store.list_uploads().collect().await;
    assert!(blobs.iter().any(Result::is_err), "{blobs:?}");
    assert!(uploads.iter().any(Result::is_err), "{uploads:?}");
    store
        .abort(UploadId::random())
        .await
        .expect_err("what there is of it is not known");
}

/// **O07** A blob that is not there, that is forbidden, that cannot be reached now, or whose bucket is gone → only the first is an absence, the others are errors of their kinds.
#[tokio::test]
async fn absence_is_told_from_failure() {
    let Some((proxy, store)) = behind_a_proxy().await else {
        return;
    };
    let key = put(&store, b"abc").await;
    let refusals = [
        (403, "AccessDenied", ErrorKind::Denied),
        (503, "SlowDown", ErrorKind::Transient),
        (404, "NoSuchBucket", ErrorKind::Broken),
    ];
    for (status, code, kind) in refusals {
        proxy.set(always(Fate::Refused(status, code)));
        let size = store.size(&key).await.expect_err(code);
        let read = store.read(&key, 0..3).await.err().expect(code);
        assert_eq!((size.kind(), read.kind()), (kind, kind), "{code}");
    }
    proxy.set(always(Fate::Pass));
    store.delete(&key).await.expect("the deletion succeeds");
    assert!(matches!(store.size(&key).await, Ok(None)));
    assert!(matches!(store.read(&key, 0..3).await, Ok(None)));
}

/// **O09** The bucket is gone, the credentials are no good any more, or the clocks differ → the probe fails, and its words name the reason.
#[tokio::test]
async fn a_probe_says_what_is_wrong() {
    let Some((proxy, store)) = behind_a_proxy().await else {
        return;
    };
    for (status, code) in [
        (404, "NoSuchBucket"),
        (403, "ExpiredToken"),
        (403, "RequestTimeTooSkewed"),
    ] {
        proxy.set(always(Fate::Refused(status, code)));
        let error = store.probe().await.expect_err(code);
        let why = std::error::Error::source(&error).expect("a reason").to_string();
        assert!(why.contains(code), "{why}");
    }
}

/// **O09** The bucket is gone while the server runs → readiness says so; it takes three requests to find out, so that a slow object store is not taken for none.
#[tokio::test]
async fn readiness_takes_three_requests() {
    let Some((proxy, store)) = behind_a_proxy().await else {
        return;
    };
    proxy.set(always(Fate::Pass));
    store.ready().await.expect("it works");
    assert_eq!(proxy.count(""), 3);
    proxy.set(always(Fate::Refused(404, "NoSuchBucket")));
    let error = store.ready().await.expect_err("there is no bucket");
    let why = std::error::Error::source(&error).expect("a reason").to_string();
    assert!(why.contains("NoSuchBucket"), "{why}");
}

/// **O12** The object store knows no conditional writes → it is used all the same, because none are made; one that joins parts under tags other than theirs is refused by the probe, in words.
#[tokio::test]
async fn a_server_without_conditional_writes_will_do() {
    const JOINED: &str = "<?xml version=\"1.0\"?><CompleteMultipartUploadResult></CompleteMultipartUploadResult>";
    let Some((proxy, store)) = behind_a_proxy().await else {
        return;
    };
    store.probe().await.expect("the store does what it must");
    let content = bytes(9 * MIB);
    let key = put(&store, &content).await;
    assert!(get(&store, &key).await == Some(content));
    proxy.set(at_first(1, Fate::Accepted(JOINED), |method, target| {
        method == "POST" && target.contains("uploadId")
    }));
    let error = store.probe().await.expect_err("it is not good enough");
    let why = std::error::Error::source(&error).expect("a reason").to_string();
    assert!(why.contains("ETags"), "{why}");
    assert!(keys(store.list_uploads()).await.is_empty());
}

/// **O05** A redirect to the bucket: off it gives no URL, on → one for this object alone, for at most ten minutes, for reading alone.
#[tokio::test]
async fn a_redirect_is_for_one_object_and_a_short_while() {
    let Some(mut settings) = settings() else { return };
    let store: Store = Arc::new(S3Store::open(&settings, Faults::NONE).await);
    let (key, other) = (put(&store, b"abc").await, put(&store, b"other").await);
    assert_eq!(store.redirect_url(&key).await.expect("the store answers"), None);
    settings.redirect = true;
    let store: Store = Arc::new(S3Store::open(&settings, Faults::NONE).await);
    let url = store.redirect_url(&key).await.expect("the store answers");
    let url = url.expect("the blob is there");
    let seconds = url.split('&').find_map(|pair| pair.strip_prefix("X-Amz-Expires="));
    let seconds: u64 = seconds.expect("an end").parse().expect("a number");
    assert!(seconds <= 600, "{seconds}");
    let client = reqwest::Client::new();
    let got = client.get(&url).send().await.expect("an answer");
    assert_eq!(got.bytes().await.expect("a body"), "abc");
    let [one, another] = [&key, &other].map(crate::storage::BlobKey::object);
    let elsewhere = url.replace(&one, &another);
    let elsewhere = if elsewhere == url {
        url.replace(&one.replace(':', "%3A"), &another.replace(':', "%3A"))
    } else {
        elsewhere
    };
    assert_ne!(elsewhere, url);
    for request in [client.get(elsewhere), client.put(&url).body("x"), client.delete(&url)] {
        assert_eq!(request.send().await.expect("an answer").status(), 403);
    }
    assert_eq!(get(&store, &key).await, Some(b"abc".to_vec()));
}
