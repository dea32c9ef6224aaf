//! Commits: whole or not at all, and harmless to repeat.

use wreg_oci::digest::Digest;

use super::{
    super::{CommitError, Position, Then, UploadId},
    Store, body, drop_after, get, hold, hold_when_free, keys, put,
};

pub(in crate::storage) async fn an_upload_without_bytes_becomes_an_empty_blob(store: Store) {
    let upload = UploadId::random();
    let key = hold(&store, upload)
        .await
        .commit(&Digest::sha256([]), &Position::START)
        .await
        .expect("the commit succeeds");
    assert_eq!(get(&store, &key).await, Some(Vec::new()));
    hold(&store, upload)
        .await
        .commit(&Digest::sha256([]), &Position::START)
        .await
        .expect("so does its repetition");
    assert!(keys(store.list_uploads()).await.is_empty());
}

pub(in crate::storage) async fn bytes_that_were_not_acknowledged_are_cut_off_by_a_commit(store: Store) {
    let mut held = hold(&store, UploadId::random()).await;
    let at = held
        .append(&Position::START, body(["abc"]), Then::Note)
        .await
        .expect("the append succeeds");
    held.append(&at, body(["def"]), Then::Note)
        .await
        .expect("the append succeeds");
    let key = held
        .commit(&Digest::sha256("abc"), &at)
        .await
        .expect("the commit succeeds");
    assert_eq!(get(&store, &key).await, Some(b"abc".to_vec()));
}

pub(in crate::storage) async fn a_commit_of_more_than_arrived_is_refused_and_the_upload_goes_on(store: Store) {
    let mut held = hold(&store, UploadId::random()).await;
    let at = held
        .append(&Position::START, body(["ab"]), Then::Note)
        .await
        .expect("the append succeeds");
    let beyond = Position {
        offset: 3,
        ..at.clone()
    };
    let refused = held.commit(&Digest::sha256("abc"), &beyond).await;
    assert!(matches!(refused, Err(CommitError::Lost { durable: 2 })));
    assert!(keys(store.list_blobs()).await.is_empty());
    let end = held
        .append(&at, body(["c"]), Then::Note)
        .await
        .expect("the append succeeds");
    held.commit(&Digest::sha256("abc"), &end)
        .await
        .expect("the commit succeeds");
}

pub(in crate::storage) async fn a_repeated_commit_is_ok(store: Store) {
    let key = put(&store, b"abc").await;
    let again = hold(&store, key.generation())
        .await
        .commit(key.digest(), &Position::plain(3))
        .await;
    assert_eq!(again.expect("the repetition succeeds"), key);
    assert!(
        hold(&store, key.generation())
            .await
            .commit(key.digest(), &Position::plain(4))
            .await
            .is_err(),
        "of another length it is none"
    );
    assert_eq!(get(&store, &key).await, Some(b"abc".to_vec()));
}

pub(in crate::storage) async fn a_dropped_commit_can_be_repeated(store: Store) {
    for polls in 0..4 {
        let (upload, content) = (UploadId::random(), vec![polls; 100]);
        let mut held = hold(&store, upload).await;
        let at = held
            .append(&Position::START, body([content.clone()]), Then::Note)
            .await
            .expect("the append succeeds");
        drop_after(polls, held.commit(&Digest::sha256(&content), &at)).await;
        drop(held);
        let mut held = hold_when_free(&store, upload).await;
        let key = held
            .commit(&Digest::sha256(&content), &at)
            .await
            .expect("the commit succeeds");
        assert!(get(&store, &key).await == Some(content), "dropped after {polls} polls");
    }
}
