//! Appends: what is acknowledged, what is cut off, what is refused.

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use wreg_oci::digest::Digest;

use super::{
    super::{AppendError, Position, StopCause, Then, UploadId},
    Store, body, bytes, collect, drop_after, get, hold, hold_when_free, keys,
};

pub(in crate::storage) async fn appends_at_the_durable_offset_join_up(store: Store) {
    let (upload, content) = (UploadId::random(), bytes(1000));
    let mut at = Position::START;
    for (number, chunk) in content.chunks(100).enumerate() {
        let mut held = hold(&store, upload).await;
        at = held
            .append(&at, body([chunk.to_vec()]), Then::Note)
            .await
            .expect("the append succeeds");
        if number % 2 == 0 {
            // As if it had not been acknowledged.
            let beyond = held.append(&at, body(["x"]), Then::Note).await;
            assert_eq!(
                beyond.expect("so does a second one by the same holder").offset,
                at.offset + 1
            );
        }
    }
    assert_eq!(at.offset, 1000);
    let key = hold(&store, upload)
        .await
        .commit(&Digest::sha256(&content), &at)
        .await
        .expect("the commit succeeds");
    assert_eq!(get(&store, &key).await, Some(content));
}

pub(in crate::storage) async fn pieces_of_any_size_make_the_same_blob(store: Store) {
    let content = bytes(3 << 18);
    for piece in [
        7 << 10,
        64 << 10,
        (256 << 10) - 1,
        256 << 10,
        (256 << 10) + 1,
        content.len(),
    ] {
        let mut held = hold(&store, UploadId::random()).await;
        let pieces: Vec<_> = content.chunks(piece).map(<[u8]>::to_vec).collect();
        let end = held
            .append(&Position::START, body(pieces), Then::Note)
            .await
            .expect("the append succeeds");
        let key = held
            .commit(&Digest::sha256(&content), &end)
            .await
            .expect("the commit succeeds");
        assert!(
            get(&store, &key).await.as_ref() == Some(&content),
            "in pieces of {piece}"
        );
    }
}

pub(in crate::storage) async fn twenty_thousand_pieces_of_one_byte_make_a_blob(store: Store) {
    let content = bytes(20_000);
    let mut held = hold(&store, UploadId::random()).await;
    let pieces: Vec<_> = content.iter().map(|byte| vec![*byte]).collect();
    let end = held
        .append(&Position::START, body(pieces), Then::Note)
        .await
        .expect("the append succeeds");
    let key = held
        .commit(&Digest::sha256(&content), &end)
        .await
        .expect("the commit succeeds");
    assert_eq!(get(&store, &key).await, Some(content));
}

pub(in crate::storage) async fn an_empty_body_moves_nothing(store: Store) {
    let mut held = hold(&store, UploadId::random()).await;
    let nothing = || body(Vec::<Bytes>::new());
    let mut at = Position::START;
    for (bytes, offset) in [("", 0), ("ab", 2), ("", 2)] {
        at = held
            .append(&at, body([bytes, ""]), Then::Note)
            .await
            .expect("the append succeeds");
        assert_eq!(at.offset, offset);
        at = held
            .append(&at, nothing(), Then::Note)
            .await
            .expect("the append succeeds");
        assert_eq!(at.offset, offset);
    }
    held.commit(&Digest::sha256("ab"), &at)
        .await
        .expect("the commit succeeds");
}

pub(in crate::storage) async fn an_append_beyond_the_end_is_refused(store: Store) {
    let mut held = hold(&store, UploadId::random()).await;
    assert!(matches!(
        held.append(&Position::plain(1), body(["x"]), Then::Note).await,
        Err(AppendError::Lost { durable: 0 })
    ));
    let at = held
        .append(&Position::START, body(["ab"]), Then::Note)
        .await
        .expect("the append succeeds");
    let beyond = Position {
        offset: 3,
        ..at.clone()
    };
    assert!(matches!(
        held.append(&beyond, body(["x"]), Then::Note).await,
        Err(AppendError::Lost { durable: 2 })
    ));
    held.commit(&Digest::sha256("ab"), &at)
        .await
        .expect("the commit succeeds");
}

pub(in crate::storage) async fn bytes_that_were_not_acknowledged_are_cut_off_by_an_append(store: Store) {
    let upload = UploadId::random();
    let mut held = hold(&store, upload).await;
    let at = held.append(&Position::START, body(["ab"]), Then::Note).await;
    let at = at.expect("the append succeeds");
    held.append(&at, body(["cdef"]), Then::Note)
        .await
        .expect("the append succeeds");
    drop(held);
    let mut held = hold(&store, upload).await;
    let end = held
        .append(&at, body(["x"]), Then::Note)
        .await
        .expect("the append succeeds");
    assert_eq!(end.offset, 3);
    let key = held
        .commit(&Digest::sha256("abx"), &end)
        .await
        .expect("the commit succeeds");
    assert_eq!(get(&store, &key).await, Some(b"abx".to_vec()));
}

pub(in crate::storage) async fn a_body_that_breaks_off_leaves_what_arrived(store: Store) {
    let content = bytes(700_000);
    let mut held = hold(&store, UploadId::random()).await;
    let broken = body([content[..600_000].to_vec()]).chain(stream::once(async { Err("the client left".into()) }));
    let stopped = held
        .append(&Position::START, broken.boxed(), Then::Note)
        .await
        .expect_err("the body breaks off");
    let AppendError::Stopped {
        durable,
        cause: StopCause::Body(cause),
    } = stopped
    else {
        panic!("{stopped:?}")
    };
    assert_eq!(durable.offset, 600_000);
    assert_eq!(cause.to_string(), "the client left");
    let end = held
        .append(&durable, body([content[600_000..].to_vec()]), Then::Note)
        .await
        .expect("the append succeeds");
    let key = held
        .commit(&Digest::sha256(&content), &end)
        .await
        .expect("the commit succeeds");
    assert!(get(&store, &key).await == Some(content));
}

pub(in crate::storage) async fn an_upload_can_be_read_before_its_commit(store: Store) {
    let (upload, content) = (UploadId::random(), bytes(200_000));
    let mut held = hold(&store, upload).await;
    let end = held
        .append(&Position::START, body([content.clone()]), Then::Note)
        .await
        .expect("the append succeeds");
    let stream = held
        .read(&end, 10..200_000)
        .await
        .expect("the store answers")
        .expect("the upload is there");
    assert!(collect(stream).await.expect("every byte comes") == content[10..]);
    let key = held.commit(&Digest::sha256(&content), &end).await;
    assert!(get(&store, &key.expect("the commit succeeds")).await == Some(content));
}

pub(in crate::storage) async fn a_dropped_append_leaves_an_upload_that_goes_on(store: Store) {
    let content = bytes(600_000);
    let pieces: Vec<_> = content[100..].chunks(100_000).map(<[u8]>::to_vec).collect();
    for polls in 0..12 {
        let upload = UploadId::random();
        let mut held = hold(&store, upload).await;
        let at = held
            .append(&Position::START, body([content[..100].to_vec()]), Then::Note)
            .await
            .expect("the append succeeds");
        drop_after(polls, held.append(&at, body(pieces.clone()), Then::Note)).await;
        drop(held);
        let mut held = hold_when_free(&store, upload).await;
        let end = held
            .append(&at, body(["the end"]), Then::Note)
            .await
            .expect("the append succeeds");
        assert_eq!(end.offset, 107);
        let whole = [&content[..100], b"the end"].concat();
        let key = held
            .commit(&Digest::sha256(&whole), &end)
            .await
            .expect("the commit succeeds");
        assert!(get(&store, &key).await == Some(whole), "dropped after {polls} polls");
    }
    assert!(keys(store.list_uploads()).await.is_empty());
}
