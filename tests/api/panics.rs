//! A panic in a handler: a fault of this program, and no reason to stop serving.

use std::{
    panic::resume_unwind,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use reqwest::StatusCode;
use wreg_oci::Digest;
use wreg_registry::{Faults, Operation};

use crate::{
    bucket::on_files,
    registry::{Options, TestRegistry, header, refused},
};

/// When the next panic is due: `countdown` steps of `operation` from now.
#[derive(Default)]
struct Fuse(std::sync::Mutex<Option<(Operation, usize)>>, AtomicUsize);

impl Fuse {
    fn set(&self, operation: Operation, countdown: usize) {
        *self.0.lock().expect("not poisoned") = Some((operation, countdown));
    }

    fn burn(&self, operation: Operation) {
        let mut fuse = self.0.lock().expect("not poisoned");
        match &mut *fuse {
            Some((awaited, 0)) if *awaited == operation => {
                *fuse = None;
                drop(fuse);
                self.1.fetch_add(1, Ordering::Relaxed);
                // As a panic, and without the message that would stand in the output of the tests.
                resume_unwind(Box::new("planted"));
            }
            Some((awaited, countdown)) if *awaited == operation => *countdown -= 1,
            _ => {}
        }
    }
}

async fn registry(fuse: &Arc<Fuse>) -> TestRegistry {
    let burning = Arc::clone(fuse);
    let faults = Faults::new(move |operation, _| {
        burning.burn(operation);
        Ok(())
    });
    TestRegistry::with(Options {
        // Like a crash, a panic leaves to the sweep what it was writing.
        may_leave_uploads: true,
        ..Options::failing(faults)
    })
    .await
}

/// **H20** A handler panics → that request is answered 500, the panic is counted, and the server goes on: the same request succeeds next.
#[tokio::test]
async fn a_panic_costs_one_request_and_nothing_else() {
    if !on_files() {
        return;
    }
    let fuse = Arc::new(Fuse::default());
    let registry = registry(&fuse).await;
    let digest = registry.push_blob("acme/hello", b"layer").await;
    let blob = format!("/v2/acme/hello/blobs/{digest}");
    let push = format!("/v2/acme/hello/blobs/uploads/?digest={}", Digest::sha256("new"));
    let session = registry.start_upload("acme/hello").await;
    for (number, (operation, method, target, body, status)) in [
        (Operation::Open, "GET", &blob, "", 200),
        (Operation::Read, "GET", &blob, "", 200),
        (Operation::Inspect, "HEAD", &blob, "", 200),
        (Operation::Create, "POST", &push, "new", 201),
        (Operation::Rename, "POST", &push, "new", 201),
        (Operation::Write, "PATCH", &session, "chunk", 202),
        (Operation::Unlink, "DELETE", &session, "", 204),
    ]
    .into_iter()
    .enumerate()
    {
        fuse.set(operation, 0);
        let answer = registry.send_body(method, target, body).await;
        assert_eq!(
            fuse.1.load(Ordering::Relaxed),
            number + 1,
            "{operation} was not reached"
        );
        assert!(answer.headers().contains_key("x-request-id"));
        if method == "HEAD" {
            assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        } else {
            let body = refused(answer, 500, "UNSUPPORTED").await;
            assert_eq!(body["errors"][0]["detail"]["wreg_code"], "internal");
            assert!(!body.to_string().contains("planted"), "{body}");
        }
        assert_eq!(registry.app.panics(), number as u64 + 1, "{operation}");
        if operation != Operation::Unlink {
            let again = registry.send_body(method, target, body).await;
            assert_eq!(again.status(), status, "{operation}: {method} {target}");
        }
    }
    // The cancelled session is gone, although its bytes were not: those are the sweep's.
    refused(registry.send("GET", &session).await, 404, "BLOB_UPLOAD_UNKNOWN").await;
    assert_eq!(registry.send("GET", "/readyz").await.status(), StatusCode::OK);
}

/// **H20** A panic in the middle of a download → the connection is cut, so that nobody takes the part for the whole; the server goes on.
#[tokio::test]
async fn a_panic_after_the_head_of_an_answer_cuts_the_connection() {
    if !on_files() {
        return;
    }
    let fuse = Arc::new(Fuse::default());
    let registry = registry(&fuse).await;
    let content = vec![7; 1_000_000];
    let digest = registry.push_blob("acme/hello", &content).await;
    let blob = format!("/v2/acme/hello/blobs/{digest}");
    fuse.set(Operation::Read, 3);
    let answer = registry.send("GET", &blob).await;
    assert_eq!(
        (answer.status(), header(&answer, "content-length").as_str()),
        (StatusCode::OK, "1000000")
    );
    assert!(answer.bytes().await.is_err());
    assert_eq!(fuse.1.load(Ordering::Relaxed), 1);
    let again = registry.send("GET", &blob).await;
    assert_eq!(again.bytes().await.expect("a body"), content);
}
