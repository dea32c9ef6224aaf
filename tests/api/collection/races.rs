//! Requests between any two steps of a pass.

use futures_util::StreamExt as _;
use reqwest::StatusCode;
use wreg_oci::Digest;
use wreg_registry::domain::collection::Progress;

use super::{Collecting, DAY, MINUTE, finish, steps};

/// A pass over a handful of rows has fewer steps than this.
const STEPS: usize = 12;

fn mount(digest: &Digest) -> String {
    format!("/v2/acme/b/blobs/uploads/?mount={digest}&from=acme/a")
}

/// **U18** A mount of a blob that is being collected, before and after each step → 201 and it survives, or 202; nothing between.
/// **C03** The same, with a look at it, a push or a manifest instead of the mount → it is kept, or the client is told; never 201 and gone.
#[tokio::test]
async fn whatever_comes_between_two_steps_is_kept_or_told() {
    let collecting = Collecting::start().await;
    let registry = &collecting.registry;
    let (mut mounted, mut told) = (0, 0);
    let mut at = 0;
    let mut more = true;
    while more {
        assert!(at < STEPS, "a pass ends");
        let content = |what: &str| format!("{what} at {at}").into_bytes();
        let mounts = registry.push_blob("acme/a", &content("mounted")).await;
        let pushes = registry.push_blob("acme/a", &content("pushed")).await;
        let looks = registry.image("acme/a", &content("looked at")).await;
        let naming = registry.image("acme/a", &content("named")).await;
        collecting.pass(DAY).await;
        // The second pass also finds bytes to remove.
        let mut collection = collecting.begin().await;
        more = steps(&mut collection, at).await;

        let answer = registry.send("POST", &mount(&mounts)).await;
        let is_mounted = answer.status() == StatusCode::CREATED;
        if is_mounted {
            mounted += 1;
        } else {
            assert_eq!(answer.status(), StatusCode::ACCEPTED);
            let session = crate::registry::header(&answer, "location");
            assert_eq!(collecting.status("DELETE", &session).await, 204);
            told += 1;
        }
        assert_eq!(registry.push_blob("acme/a", &content("pushed")).await, pushes);
        let looked = collecting.head("acme/a", &content("looked at")).await;
        let named = registry.put_manifest("acme/a", &format!("named-{at}"), &naming).await;

        finish(collection).await;
        collecting.pass(2 * MINUTE).await;
        collecting.collect().await;
        assert_eq!(
            collecting.has("acme/b", &content("mounted")).await,
            is_mounted,
            "at {at}"
        );
        assert!(collecting.has("acme/a", &content("pushed")).await, "at {at}");
        if looked == StatusCode::OK {
            registry.push_blob("acme/a", b"{}").await;
            let answer = registry.put_manifest("acme/a", &format!("looked-{at}"), &looks).await;
            assert_eq!(answer.status(), StatusCode::CREATED, "at {at}");
        }
        let is_named = named.status() == StatusCode::CREATED;
        assert_eq!(collecting.has("acme/a", &content("named")).await, is_named, "at {at}");
        at += 1;
    }
    assert!(mounted > 0 && told > 0, "{mounted} were mounted, {told} were told");
}

/// **C05** A blob and its manifest are deleted and collected while a client reads the blob → the running GET ends well.
#[tokio::test]
async fn a_running_download_ends_well() {
    let collecting = Collecting::start().await;
    let registry = &collecting.registry;
    let content = crate::flows::bytes(24 * 1024 * 1024);
    let manifest = registry.push_image("acme/hello", "1.0.0", &content).await;
    let blob = format!("/v2/acme/hello/blobs/{}", Digest::sha256(&content));
    let mut body = registry.send("GET", &blob).await.bytes_stream();
    let mut read = body.next().await.expect("a piece").expect("it comes").to_vec();
    assert_eq!(
        collecting
            .status("DELETE", &format!("/v2/acme/hello/manifests/{manifest}"))
            .await,
        202
    );
    collecting.pass(8 * DAY).await;
    collecting.collect_bytes().await;
    assert_eq!(registry.blob_files().len(), 0);
    assert_eq!(collecting.status("GET", &blob).await, 404);
    while let Some(piece) = body.next().await {
        read.extend(piece.expect("it goes on"));
    }
    assert!(read == content);
}

/// **C08** Two passes, the first one paused for ten minutes and then going on → the second has the job, and every later step of the first does nothing.
#[tokio::test]
async fn a_pass_that_was_taken_over_does_nothing_more() {
    let collecting = Collecting::start().await;
    let registry = &collecting.registry;
    registry.push_blob("acme/hello", b"one").await;
    collecting.pass(DAY).await;
    let mut stale = collecting.begin().await;
    let begin = registry
        .app
        .registry()
        .begin_collection("other", wreg_registry::domain::collection::When::Now, None);
    assert!(begin.await.expect("an answer").is_none(), "somebody has the job");
    collecting.pass(11 * MINUTE).await;
    let current = collecting.begin().await;
    for _ in 0..STEPS {
        match stale.step().await.expect("a step") {
            // Phases with nothing to do ask nobody.
            Progress::More => {}
            over => {
                assert_eq!(over, Progress::Lost);
                break;
            }
        }
    }
    assert!(collecting.has("acme/hello", b"one").await, "nothing was taken");
    assert_eq!(stale.finish().await.expect("an answer"), wreg_api::Counts::default());
    assert_eq!(
        finish(current).await.blobs,
        1,
        "the end of the stale one took no lease away"
    );
}

/// **C09** The server ends in the middle of a pass, after any step → the next one goes on, and in the end what had to go is gone and the rest is there.
#[tokio::test]
async fn a_pass_that_broke_off_is_made_good_by_the_next() {
    let collecting = Collecting::start().await;
    let registry = &collecting.registry;
    for at in 0..STEPS {
        let content = format!("content {at}").into_bytes();
        registry.push_blob("acme/hello", &content).await;
        registry
            .push_image("acme/hello", "1.0.0", format!("kept {at}").as_bytes())
            .await;
        collecting.pass(DAY).await;
        let mut broken = collecting.begin().await;
        steps(&mut broken, at).await;
        // As if the process had been killed here: nobody ends the pass, and its lease has to run out.
        drop(broken);
        collecting.pass(11 * MINUTE).await;
        collecting.collect_bytes().await;
        assert!(!collecting.has("acme/hello", &content).await);
        assert!(collecting.has("acme/hello", format!("kept {at}").as_bytes()).await);
        let bytes_of_no_row = registry.blob_files().len()
            - usize::try_from(registry.count("SELECT COUNT(*) FROM blobs").await).expect("a count");
        assert_eq!(bytes_of_no_row, 0, "at {at}");
    }
}
