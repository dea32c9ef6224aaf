//! Blobs: absence, reading, removing, listing.

use std::collections::BTreeSet;

use bytes::Bytes;
use futures_util::StreamExt;
use wreg_oci::digest::Digest;

use super::{
    super::{BlobKey, Listed, LogKey, Position, Then, UploadId},
    Store, body, bytes, collect, get, hold, keys, put,
};

pub(in crate::storage) async fn absence_is_an_answer(store: Store) {
    let upload = UploadId::random();
    let key = BlobKey::new(Digest::sha256("never stored"), upload);
    assert!(matches!(store.size(&key).await, Ok(None)));
    assert!(matches!(store.read(&key, 0..1).await, Ok(None)));
    assert!(store.delete(&key).await.is_ok());
    assert!(store.abort(upload).await.is_ok());
}

pub(in crate::storage) async fn what_was_committed_is_read_back(store: Store) {
    for length in [1, 1000, 1 << 20] {
        let content = bytes(length);
        let key = put(&store, &content).await;
        assert_eq!(store.size(&key).await.expect("the store answers"), Some(length as u64));
        assert!(get(&store, &key).await == Some(content), "{length} bytes");
    }
    assert!(keys(store.list_uploads()).await.is_empty(), "a commit ends its upload");
}

pub(in crate::storage) async fn every_range_of_a_blob_can_be_read(store: Store) {
    let content = bytes((1 << 18) + 10);
    let key = put(&store, &content).await;
    let size = content.len();
    for (start, end) in [
        (0, 0),
        (0, 1),
        (5, 5),
        (1, (1 << 17) + 1),
        (1 << 17, 1 << 18),
        (size - 1, size),
        (size, size),
        (0, size),
    ] {
        let stream = store
            .read(&key, start as u64..end as u64)
            .await
            .expect("the store answers");
        let read = collect(stream.expect("the blob is there"))
            .await
            .expect("every byte comes");
        assert!(read == content[start..end], "{start}..{end}");
    }
}

pub(in crate::storage) async fn a_range_beyond_the_end_is_an_error_and_no_short_read(store: Store) {
    let key = put(&store, &bytes(1000)).await;
    for range in [0..1001, 999..1001, 1000..1001, 2000..3000] {
        let whole = match store.read(&key, range.clone()).await {
            Ok(stream) => collect(stream.expect("the blob is there")).await.is_ok(),
            Err(_) => false,
        };
        assert!(!whole, "{range:?}");
    }
}

pub(in crate::storage) async fn removing_an_old_generation_leaves_the_new_one(store: Store) {
    let (old, new) = (put(&store, b"same").await, put(&store, b"same").await);
    store.delete(&old).await.expect("the deletion succeeds");
    store.delete(&old).await.expect("the second deletion succeeds");
    assert_eq!(get(&store, &old).await, None);
    assert_eq!(get(&store, &new).await, Some(b"same".to_vec()));
}

pub(in crate::storage) async fn listings_are_complete(store: Store) {
    let mut blobs = BTreeSet::new();
    let mut uploads = BTreeSet::new();
    for number in 0..40_u8 {
        blobs.insert(put(&store, &[number]).await);
        let upload = UploadId::random();
        hold(&store, upload)
            .await
            .append(&Position::START, body([vec![number; 3]]), Then::Note)
            .await
            .expect("the append succeeds");
        uploads.insert(upload);
    }
    assert_eq!(keys(store.list_blobs()).await, blobs);
    assert_eq!(keys(store.list_uploads()).await, uploads);
    let sizes = store.list_uploads().map(|entry| match entry {
        Ok(Listed::Object { size, .. }) => size,
        other => panic!("{other:?}"),
    });
    assert_eq!(sizes.collect::<BTreeSet<_>>().await, BTreeSet::from([3]));
}

pub(in crate::storage) async fn a_probe_leaves_nothing_behind(store: Store) {
    store.probe().await.expect("the store does what it must");
    store.ready().await.expect("it does so now");
    assert!(keys(store.list_uploads()).await.is_empty());
    assert!(keys(store.list_blobs()).await.is_empty());
}

pub(in crate::storage) async fn a_small_blob_is_stored_in_one_go(store: Store) {
    for length in [0, 1, 5000, crate::storage::WHOLE] {
        let content = Bytes::from(bytes(length));
        let key = BlobKey::new(Digest::sha256(&content), UploadId::random());
        store.put(&key, content.clone()).await.expect("it is stored");
        assert_eq!(store.size(&key).await.expect("an answer"), Some(length as u64));
        assert_eq!(get(&store, &key).await.as_deref(), Some(&content[..]));
    }
    assert_eq!(keys(store.list_blobs()).await.len(), 4);
    assert!(keys(store.list_uploads()).await.is_empty());
}

pub(in crate::storage) async fn a_file_of_the_log_is_kept_and_replaced(store: Store) {
    let tile: wreg_trust::log::Tile = "tile/0/x001/234".parse().expect("a tile");
    let (tile, checkpoint) = (LogKey::tile(tile), LogKey::checkpoint());
    assert_eq!(store.read_log(&tile).await.expect("an answer"), None);
    for content in [bytes(8192), Vec::new(), bytes(300_000)] {
        for key in [&tile, &checkpoint] {
            store.put_log(key, content.clone().into()).await.expect("it is stored");
            assert!(store.read_log(key).await.expect("an answer") == Some(content.clone().into()));
        }
    }
    assert!(keys(store.list_uploads()).await.is_empty());
    assert!(keys(store.list_blobs()).await.is_empty());
}
