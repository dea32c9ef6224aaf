//! Holding an upload, and what a second one that believes to hold it can do: nothing.

use wreg_oci::digest::Digest;

use super::{
    super::{AppendError, CommitError, Position, Then, UploadId},
    Store, body, feed, get, hold, keys, open_body,
};

pub(in crate::storage) async fn an_upload_has_one_holder_at_a_time(store: Store) {
    let upload = UploadId::random();
    let mut held = hold(&store, upload).await;
    assert!(matches!(store.hold(upload).await, Ok(None)), "before it writes");
    let (start, (pieces, open)) = (Position::START, open_body());
    let mut running = held.append(&start, open, Then::Note);
    feed(&mut running, &pieces, "ab").await;
    assert!(matches!(store.hold(upload).await, Ok(None)), "while it writes");
    drop(pieces);
    let at = running.await.expect("the append succeeds");
    assert_eq!(at.offset, 2);
    assert!(
        matches!(store.hold(upload).await, Ok(None)),
        "between hashing and commit"
    );
    held.commit(&Digest::sha256("ab"), &at)
        .await
        .expect("the commit succeeds");
}

pub(in crate::storage) async fn an_upload_that_is_held_is_free_again_when_the_value_is_dropped(store: Store) {
    let (upload, other) = (UploadId::random(), UploadId::random());
    let _other = hold(&store, other).await;
    drop(hold(&store, upload).await);
    drop(hold(&store, upload).await);
}

pub(in crate::storage) async fn a_late_writer_does_not_reach_the_blob(store: Store) {
    let upload = UploadId::random();
    let mut held = hold(&store, upload).await;
    let at = held
        .append(&Position::START, body(["ab"]), Then::Note)
        .await
        .expect("the append succeeds");
    let key = held
        .commit(&Digest::sha256("ab"), &at)
        .await
        .expect("the commit succeeds");
    // Under the name of the upload there is now another one, that nothing leads from to the blob.
    let mut late = hold(&store, upload).await;
    assert!(matches!(
        late.append(&at, body(["x"]), Then::Note).await,
        Err(AppendError::Lost { durable: 0 } | AppendError::Gone)
    ));
    let end = late.append(&Position::START, body(["xy"]), Then::Note).await;
    let end = end.expect("the append succeeds");
    let _ = late.commit(&Digest::sha256("ab"), &end).await;
    assert_eq!(get(&store, &key).await, Some(b"ab".to_vec()));
}

pub(in crate::storage) async fn after_its_commit_a_holder_holds_nothing(store: Store) {
    let mut held = hold(&store, UploadId::random()).await;
    let at = held
        .append(&Position::START, body(["ab"]), Then::Note)
        .await
        .expect("the append succeeds");
    let key = held
        .commit(&Digest::sha256("ab"), &at)
        .await
        .expect("the commit succeeds");
    assert!(held.append(&Position::START, body(["xy"]), Then::Note).await.is_err());
    assert!(held.append(&at, body(["xy"]), Then::Note).await.is_err());
    assert!(held.commit(&Digest::sha256("xy"), &at).await.is_err());
    assert_eq!(get(&store, &key).await, Some(b"ab".to_vec()));
}

pub(in crate::storage) async fn an_aborted_upload_is_gone_and_its_writer_fails(store: Store) {
    let upload = UploadId::random();
    let mut held = hold(&store, upload).await;
    let (start, (pieces, open)) = (Position::START, open_body());
    let mut running = held.append(&start, open, Then::Note);
    feed(&mut running, &pieces, "a").await;
    store.abort(upload).await.expect("the abort succeeds");
    drop(pieces);
    assert!(matches!(
        running.await,
        Err(AppendError::Lost { durable: 0 } | AppendError::Gone)
    ));
    assert!(matches!(
        held.commit(&Digest::sha256("a"), &Position::plain(1)).await,
        Err(CommitError::Lost { durable: 0 } | CommitError::Gone)
    ));
    store.abort(upload).await.expect("the second abort succeeds");
    assert!(keys(store.list_uploads()).await.is_empty());
}
