//! A disk on which every flush takes its time: here, until the test lets it end.

use std::{
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{
    future::{join_all, ready},
    stream::once,
};
use reqwest::StatusCode;
use tokio::{sync::watch, time::timeout};
use wreg_oci::Digest;
use wreg_registry::{Faults, Operation, Surroundings};

use crate::{
    bucket::on_files,
    descriptors::connections,
    flows::is_stored,
    registry::{Options, TestRegistry},
};

/// More than there are threads for what blocks.
const PUSHES: usize = 600;

/// A guard against hanging, not a measure.
const PATIENCE: Duration = Duration::from_mins(1);

/// Flushes wait here while it is shut.
#[derive(Default)]
struct Gate {
    shut: Mutex<bool>,
    opened: Condvar,
    waiting: AtomicUsize,
}

/// As long as this lives, the gate is shut: nothing may hang when a test has failed.
struct Shut(Arc<Gate>);

impl Gate {
    fn shut(self: &Arc<Self>) -> Shut {
        *self.shut.lock().expect("nobody panics") = true;
        Shut(Arc::clone(self))
    }

    fn pass(&self) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let shut = self.shut.lock().expect("nobody panics");
        drop(self.opened.wait_while(shut, |shut| *shut).expect("nobody panics"));
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Shut {
    fn drop(&mut self) {
        *self.0.shut.lock().expect("nobody panics") = false;
        self.0.opened.notify_all();
    }
}

/// **S16** Every flush takes seconds while 600 clients push at once → none is told of success before its bytes are flushed, and no more than 256 are written at a time; reads go on meanwhile, `/readyz` says why the server is not ready, and once the disk is fast again every push succeeds.
#[tokio::test]
async fn a_disk_that_is_slow_holds_up_those_who_write() {
    if !on_files() {
        return;
    }
    if connections(2 * PUSHES) < 2 * PUSHES {
        wreg_harness::note_not_run("there are descriptors for fewer connections only (ulimit -Hn)");
        return;
    }
    let gate = Arc::new(Gate::default());
    let (watched, opened) = (Arc::clone(&gate), watch::Sender::new(0_usize));
    let counted = opened.clone();
    let registry = TestRegistry::with(Options {
        surroundings: Surroundings {
            faults: Faults::new(move |operation, _| {
                match operation {
                    Operation::Create => counted.send_modify(|count| *count += 1),
                    Operation::Sync | Operation::SyncDir => watched.pass(),
                    _ => {}
                }
                Ok(())
            }),
            probe_patience: Duration::from_millis(50),
            ..Surroundings::default()
        },
        config: "small_blob_bytes = 0\n",
        ..Options::default()
    })
    .await;
    let stored = registry.push_blob("acme/hello", b"stored before").await;

    let shut = gate.shut();
    let before = *opened.borrow();
    let contents: Vec<_> = (0..PUSHES)
        .map(|number| format!("content {number}").into_bytes())
        .collect();
    let answered = AtomicUsize::new(0);
    // To some repositories: one alone would be waited for in the database, too.
    let repository = |content: &[u8]| format!("acme/hello{}", content.len() + usize::from(content[content.len() - 1]));
    let pushes = join_all(contents.iter().map(async |content| {
        let target = format!(
            "/v2/{}/blobs/uploads/?digest={}",
            repository(content),
            Digest::sha256(content)
        );
        // Half of them come without a length, and are written as they come; the others are stored in one go.
        let body = if content.last().is_some_and(|digit| digit % 2 == 0) {
            reqwest::Body::wrap_stream(once(ready(Ok::<_, std::io::Error>(content.clone()))))
        } else {
            content.clone().into()
        };
        let answer = registry.send_body("POST", &target, body).await;
        answered.fetch_add(1, Ordering::SeqCst);
        answer.status()
    }));
    let meanwhile = timeout(PATIENCE, async {
        let mut all = opened.subscribe();
        let all = all.wait_for(|count| *count >= before + PUSHES / 2).await.map(drop);
        all.expect("it is ours");
        for _ in 0..100 {
            is_stored(&registry, "acme/hello", b"stored before", &stored).await;
        }
        let ready = registry.anonymous("GET", "/readyz").send().await.expect("an answer");
        assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
        let text = ready.text().await.expect("text");
        assert!(text.contains("takes longer than"), "{text}");
        let waiting = gate.waiting.load(Ordering::SeqCst);
        assert!(
            (2..=257).contains(&waiting),
            "{waiting}: the probe and those whose turn it is"
        );
        assert_eq!(answered.load(Ordering::SeqCst), 0);
        drop(shut);
    });
    let (statuses, went_on) = tokio::join!(pushes, meanwhile);
    went_on.expect("all uploads begin, reads go on, and readiness is told");
    assert!(
        statuses.iter().all(|status| *status == StatusCode::CREATED),
        "{statuses:?}"
    );
    for content in &contents {
        is_stored(&registry, &repository(content), content, &Digest::sha256(content)).await;
    }
}
