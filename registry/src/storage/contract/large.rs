//! Blobs of several parts, where a backend keeps them in parts.

use wreg_oci::digest::{Algorithm, Digest};

use super::{
    super::{CommitError, Position, Then, UploadId},
    Store, body, bytes, collect, get, hold, keys,
};

const MIB: usize = 1 << 20;
/// The lengths of the chunks of [`upload`]: around the size of a part, and far from it.
const CHUNKS: [usize; 7] = [1, 3 * MIB, 9 * MIB, 8 * MIB - 7, 5, 0, 77];

/// Appends all of `content`, each chunk by a holder of its own, and returns where it ends.
async fn upload(store: &Store, upload: UploadId, content: &[u8]) -> Position {
    let mut at = Position::START;
    let mut rest = content;
    for length in CHUNKS {
        let (chunk, after) = rest.split_at(length);
        let pieces: Vec<_> = chunk.chunks(100_003).map(<[u8]>::to_vec).collect();
        let mut held = hold(store, upload).await;
        // As if the answer to it had been lost: the client sends it again.
        let lost = held.append(&at, body(pieces.clone()), Then::Note).await;
        lost.expect("the append succeeds");
        drop(held);
        let mut held = hold(store, upload).await;
        // What callers keep is text.
        let kept = Position {
            offset: at.offset,
            state: at.state.clone(),
            durable: true,
        };
        at = held
            .append(&kept, body(pieces), Then::Note)
            .await
            .expect("the append succeeds");
        rest = after;
        assert_eq!(at.offset, (content.len() - rest.len()) as u64);
    }
    assert!(rest.is_empty());
    at
}

fn content() -> Vec<u8> {
    bytes(CHUNKS.iter().sum())
}

pub(in crate::storage) async fn chunks_of_odd_lengths_make_a_large_blob(store: Store) {
    let (id, content) = (UploadId::random(), content());
    let end = upload(&store, id, &content).await;
    let key = hold(&store, id)
        .await
        .commit(&Digest::sha256(&content), &end)
        .await
        .expect("the commit succeeds");
    assert!(get(&store, &key).await.as_ref() == Some(&content));
    assert!(keys(store.list_uploads()).await.is_empty());
    let size = content.len();
    for (start, end) in [
        (8 * MIB - 1, 8 * MIB),
        (8 * MIB, 8 * MIB + 1),
        (8 * MIB - 1, 16 * MIB + 1),
        (16 * MIB - 3, size),
        (1, size - 1),
        (size - 1, size),
        (size, size),
    ] {
        let stream = store
            .read(&key, start as u64..end as u64)
            .await
            .expect("the store answers")
            .expect("the blob is there");
        let read = collect(stream).await.expect("every byte comes");
        assert!(read == content[start..end], "{start}..{end}");
    }
    store.delete(&key).await.expect("the deletion succeeds");
    assert_eq!(get(&store, &key).await, None);
}

pub(in crate::storage) async fn a_large_upload_that_was_read_becomes_a_blob(store: Store) {
    let (id, content) = (UploadId::random(), content());
    let end = upload(&store, id, &content).await;
    let mut held = hold(&store, id).await;
    let whole = 0..end.offset;
    let stream = held.read(&end, whole.clone()).await.expect("the store answers");
    let read = collect(stream.expect("the upload is there")).await;
    assert!(read.expect("every byte comes") == content);
    assert!(keys(store.list_blobs()).await.is_empty(), "it is no blob yet");
    let key = held.commit(&Digest::of(Algorithm::Sha512, &content), &end).await;
    let key = key.expect("the commit succeeds");
    assert!(get(&store, &key).await.as_ref() == Some(&content));
    assert!(keys(store.list_uploads()).await.is_empty());
    store.abort(id).await.expect("an abort that comes late succeeds");
    assert!(get(&store, &key).await == Some(content));
}

pub(in crate::storage) async fn a_large_upload_that_was_read_and_is_not_what_it_should_be_leaves_nothing(store: Store) {
    let (id, content) = (UploadId::random(), content());
    let end = upload(&store, id, &content).await;
    let mut held = hold(&store, id).await;
    let stream = held.read(&end, 0..end.offset).await.expect("the store answers");
    assert!(
        collect(stream.expect("the upload is there"))
            .await
            .expect("every byte comes")
            == content
    );
    // The digest was another one than the client said.
    store.abort(id).await.expect("the abort succeeds");
    let late = held.commit(&Digest::of(Algorithm::Sha512, &content), &end).await;
    assert!(
        matches!(late, Err(CommitError::Gone | CommitError::Lost { durable: 0 })),
        "{late:?}"
    );
    assert!(keys(store.list_uploads()).await.is_empty());
    assert!(keys(store.list_blobs()).await.is_empty());
}
