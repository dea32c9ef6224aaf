//! Two calls that meet at the worst moment. The steps are stopped where the race is, so nothing depends on luck.

use std::sync::{
    Mutex,
    mpsc::{Receiver, Sender, channel},
};

use super::*;
use crate::storage::CommitError;

/// The first step of this kind says that it was reached, and waits until it is told to go on.
struct Gate {
    reached: Receiver<()>,
    go_on: Sender<()>,
}

impl Gate {
    fn new(stops: impl Fn(Operation, &str) -> bool + Send + Sync + 'static) -> (Self, Faults) {
        let (reach, reached) = channel();
        let (go_on, told) = channel();
        let ends = Mutex::new(Some((reach, told)));
        let faults = Faults::new(move |operation, object| {
            let first = || ends.lock().expect("no test panics with it").take();
            if let Some((reach, told)) = stops(operation, object).then(first).flatten() {
                let _ = reach.send(());
                // An error means that the test is over.
                let _ = told.recv();
            }
            Ok(())
        });
        (Self { reached, go_on }, faults)
    }

    /// Waits, off the runtime, until the step was reached.
    async fn reached(self) -> Sender<()> {
        let Self { reached, go_on } = self;
        let waiting = tokio::task::spawn_blocking(move || reached.recv().expect("the step is reached"));
        waiting.await.expect("it does not panic");
        go_on
    }
}

/// **U06** A writer opened the upload before its commit and gets the lock after it → it is told that another had it, and no byte of it reaches the blob.
#[tokio::test]
async fn a_writer_that_opened_the_upload_before_its_commit_cannot_hold_the_blob() {
    let (folder, upload) = (folder(), UploadId::random());
    let store = open(folder.path(), Faults::NONE);
    hold(&store, upload)
        .await
        .append_at(0, body(["ab"]))
        .await
        .expect("the append succeeds");
    drop(store);
    // The late writer stops between its opening and its locking; whoever comes after it does not stop.
    let (gate, faults) = Gate::new(|operation, _| operation == Operation::Lock);
    let store = open(folder.path(), faults);
    let late = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.hold(upload).await.map(|held| held.is_some()) }
    });
    let go_on = gate.reached().await;
    let key = hold(&store, upload)
        .await
        .commit_at(&Digest::sha256("ab"), 2)
        .await
        .expect("the commit succeeds");
    go_on.send(()).expect("the late writer waits");
    assert!(matches!(late.await.expect("it does not panic"), Ok(false)));
    assert_eq!(get(&store, &key).await, Some(b"ab".to_vec()));
    assert!(keys(store.list_uploads()).await.is_empty());
}

/// **U05** Two chunks for the same offset of one upload → one is taken in, the other is told that the upload is held.
#[tokio::test]
async fn of_two_writers_at_one_offset_one_is_refused() {
    let (_folder, store) = make();
    for _ in 0..50 {
        let upload = UploadId::random();
        let write = |content: &'static str| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut held = store.hold(upload).await.expect("the store answers")?;
                // As a registry does: how far the upload is, is looked up while it is held.
                let stream = held.read(&Position::START, 0..2).await;
                let taken = stream.is_ok_and(|stream| stream.is_some());
                if !taken {
                    held.append_at(0, body([content])).await.expect("the append succeeds");
                }
                (!taken).then_some(content)
            })
        };
        let (one, other) = (write("ab"), write("cd"));
        let written = [one.await.expect("no panic"), other.await.expect("no panic")];
        let [content] = written.iter().flatten().collect::<Vec<_>>()[..] else {
            panic!("{written:?}")
        };
        let key = hold(&store, upload)
            .await
            .commit_at(&Digest::sha256(content), 2)
            .await
            .expect("the commit succeeds");
        assert_eq!(get(&store, &key).await, Some(content.as_bytes().to_vec()));
    }
}

/// **U03** The client goes away while its bytes are being written → the upload stays held until the write has ended, and then goes on at the durable offset.
#[tokio::test]
async fn a_dropped_append_holds_the_upload_until_its_write_has_ended() {
    let (gate, faults) = Gate::new(|operation, _| operation == Operation::Write);
    let folder = folder();
    let store = open(folder.path(), faults);
    let upload = UploadId::random();
    let mut held = hold(&store, upload).await;
    let writing = tokio::spawn(async move { held.append_at(0, body(["lost"])).await });
    let go_on = gate.reached().await;
    writing.abort();
    assert!(writing.await.is_err_and(|ended| ended.is_cancelled()));
    assert!(
        matches!(store.hold(upload).await, Ok(None)),
        "its last write is not over"
    );
    go_on.send(()).expect("the write waits");
    let mut held = contract::hold_when_free(&store, upload).await;
    held.append_at(0, body(["ab"])).await.expect("the append succeeds");
    let key = held
        .commit_at(&Digest::sha256("ab"), 2)
        .await
        .expect("the commit succeeds");
    assert_eq!(get(&store, &key).await, Some(b"ab".to_vec()));
}

/// **U12** The upload is cancelled while a commit is under way, and begun anew under the same name → the commit fails, and what is new does not become the blob.
#[tokio::test]
async fn a_commit_does_not_publish_what_took_the_place_of_its_upload() {
    let (gate, faults) = Gate::new(|operation, _| operation == Operation::Rename);
    let folder = folder();
    let store = open(folder.path(), faults);
    let upload = UploadId::random();
    let mut held = hold(&store, upload).await;
    held.append_at(0, body(["ab"])).await.expect("the append succeeds");
    let committing = tokio::spawn(async move { held.commit_at(&Digest::sha256("ab"), 2).await });
    let go_on = gate.reached().await;
    store.abort(upload).await.expect("the abort succeeds");
    hold(&store, upload)
        .await
        .append_at(0, body(["xy"]))
        .await
        .expect("the append succeeds");
    go_on.send(()).expect("the commit waits");
    assert!(matches!(
        committing.await.expect("no panic"),
        Err(CommitError::Lost { durable: 0 })
    ));
    assert!(keys(store.list_blobs()).await.is_empty());
}
