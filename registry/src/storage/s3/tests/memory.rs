//! Uploads that want more memory for their parts than there is.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;
use wreg_oci::Digest;

use super::*;
use crate::storage::{
    Position, Then, UploadId,
    contract::{body, bytes, get, hold, open_body, put},
};

const MIB: usize = 1 << 20;
/// Who waits longer waits for ever.
const FOR_EVER: Duration = Duration::from_mins(2);

/// A store with one buffer of a part's size for all uploads.
async fn with_one_buffer() -> Option<Store> {
    let settings = S3Settings {
        memory: PART as u64,
        ..settings()?
    };
    let store = S3Store::open(&settings, Faults::NONE).await;
    Some(Arc::new(store))
}

#[tokio::test]
async fn more_uploads_than_buffers_wait_and_finish() {
    let Some(store) = with_one_buffer().await else { return };
    let content = bytes(9 * MIB);
    let in_chunks = async |store: &Store| {
        let (upload, mut at) = (UploadId::random(), Position::START);
        // Each goes on in the middle of a part, whose bytes come back into a buffer.
        for chunk in content.chunks(2 * MIB) {
            let mut held = hold(store, upload).await;
            let pieces = chunk.chunks(50_000).map(<[u8]>::to_vec).collect::<Vec<_>>();
            let end = held.append(&at, body(pieces), Then::Note).await;
            at = end.expect("the append succeeds");
        }
        let key = hold(store, upload).await.commit(&Digest::sha256(&content), &at).await;
        key.expect("the commit succeeds")
    };
    let whole = join_all((0..4).map(|_| put(&store, &content)));
    let chunked = join_all((0..4).map(|_| in_chunks(&store)));
    let (whole, chunked) = timeout(FOR_EVER, async { tokio::join!(whole, chunked) })
        .await
        .expect("nobody waits for ever");
    for key in whole.iter().chain(&chunked) {
        assert!(get(&store, key).await.as_ref() == Some(&content));
    }
}

#[tokio::test]
async fn a_client_that_stalls_keeps_no_buffer_from_others() {
    let Some(store) = with_one_buffer().await else { return };
    let content = bytes(9 * MIB);
    let (first, second) = content.split_at(MIB);
    let (pieces, open) = open_body();
    let start = Position::START;
    let mut held = hold(&store, UploadId::random()).await;
    let stalled = held.append(&start, open, Then::Note);
    let others = async {
        pieces.send(Ok(first.to_vec().into())).await.expect("it is read");
        pieces.reserve().await.map(drop).expect("it was taken in");
        let key = timeout(FOR_EVER, put(&store, &content)).await;
        pieces.send(Ok(second.to_vec().into())).await.expect("it is read");
        drop(pieces);
        key.expect("nobody waits for ever")
    };
    let (end, key) = tokio::join!(stalled, others);
    assert!(get(&store, &key).await.as_ref() == Some(&content));
    let key = held
        .commit(&Digest::sha256(&content), &end.expect("it goes on"))
        .await
        .expect("the commit succeeds");
    assert!(get(&store, &key).await == Some(content));
}
