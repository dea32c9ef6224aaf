//! Holding an upload, and what a second one that believes to hold it can do: nothing.

use wreg_oci::digest::Digest;

use super::{
    super::{AppendError, CommitError, UploadId},
    Store, body, feed, get, hold, keys, open_body,
};

pub(in crate::storage) async fn an_upload_has_one_holder_at_a_time(store: Store) {
    let upload = UploadId::random();
    let mut held = hold(&store, upload).await;
    assert!(matches!(store.hold(upload).await, Ok(None)), "before it writes");
    let (pieces, open) = open_body();
    let mut running = held.append(0, open);
    feed(&mut running, &pieces, "ab").await;
    assert!(matches!(store.hold(upload).await, Ok(None)), "while it writes");
    drop(pieces);
    assert_eq!(running.await.expect("the append succeeds"), 2);
    assert!(
        matches!(store.hold(upload).await, Ok(None)),
        "between hashing and commit"
    );
    held.commit(&Digest::sha256("ab"), 2)
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
    held.append(0, body(["ab"])).await.expect("the append succeeds");
    let key = held
        .commit(&Digest::sha256("ab"), 2)
        .await
        .expect("the commit succeeds");
    // Under the name of the upload there is now another one, that nothing leads from to the blob.
    let mut late = hold(&store, upload).await;
    assert!(matches!(
        late.append(2, body(["x"])).await,
        Err(AppendError::Lost { durable: 0 })
    ));
    late.append(0, body(["xy"])).await.expect("the append succeeds");
    let _ = late.commit(&Digest::sha256("ab"), 2).await;
    assert_eq!(get(&store, &key).await, Some(b"ab".to_vec()));
}

pub(in crate::storage) async fn after_its_commit_a_holder_holds_nothing(store: Store) {
    let mut held = hold(&store, UploadId::random()).await;
    held.append(0, body(["ab"])).await.expect("the append succeeds");
    let key = held
        .commit(&Digest::sha256("ab"), 2)
        .await
        .expect("the commit succeeds");
    assert!(held.append(0, body(["xy"])).await.is_err());
    assert!(held.append(2, body(["xy"])).await.is_err());
    assert!(held.commit(&Digest::sha256("xy"), 2).await.is_err());
    assert_eq!(get(&store, &key).await, Some(b"ab".to_vec()));
}

pub(in crate::storage) async fn an_aborted_upload_is_gone_and_its_writer_fails(store: Store) {
    let upload = UploadId::random();
    let mut held = hold(&store, upload).await;
    let (pieces, open) = open_body();
    let mut running = held.append(0, open);
    feed(&mut running, &pieces, "a").await;
    store.abort(upload).await.expect("the abort succeeds");
    drop(pieces);
    assert!(matches!(running.await, Err(AppendError::Lost { durable: 0 })));
    assert!(matches!(
        held.commit(&Digest::sha256("a"), 1).await,
        Err(CommitError::Lost { durable: 0 })
    ));
    store.abort(upload).await.expect("the second abort succeeds");
    assert!(matches!(store.read_upload(upload, 0..1).await, Ok(None)));
    assert!(keys(store.list_uploads()).await.is_empty());
}
