//! A device that fails: what is answered, and what goes on.

use std::{
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicBool, AtomicUsize},
};

use futures_util::{FutureExt, StreamExt};

use super::*;
use crate::storage::CommitError;

/// **S01** No space in the write of a chunk, in making a folder, in the rename, in a folder's flush → told apart as a full disk; the offset is what is durable, reads go on, and it works again without a restart.
#[tokio::test]
async fn a_full_disk_keeps_what_is_durable_and_passes() {
    use Operation::{Create, CreateDir, Rename, Sync, SyncDir, Truncate, Write};
    for full in [Create, Write, Truncate, Sync, SyncDir, CreateDir, Rename] {
        let (switch, faults) = Switch::new(move |operation, _| operation == full);
        let folder = folder();
        let store = open(folder.path(), faults);
        let other = put(&store, b"other").await;
        let (upload, content) = (UploadId::random(), bytes(1000));
        let digest = Digest::sha256(&content);

        // Half of it arrives, with a tail that nobody acknowledged, before the disk is full.
        hold(&store, upload)
            .await
            .append_at(0, body([content[..600].to_vec()]))
            .await
            .expect("the append succeeds");
        switch.on(ENOSPC);
        let mut durable = 500;
        let mut push = async || -> Result<BlobKey, Error> {
            let mut held = store.hold(upload).await?.expect("the upload is free");
            let at = usize::try_from(durable).expect("it fits");
            match held.append_at(durable, body([content[at..].to_vec()])).await {
                Ok(end) => durable = end,
                Err(error) => {
                    let (reported, error) = storage_cause(error);
                    assert_eq!(reported, 500);
                    return Err(error);
                }
            }
            held.commit_at(&digest, 1000).await.map_err(|error| match error {
                CommitError::Storage(error) => error,
                CommitError::Lost { .. } | CommitError::Gone => panic!("{error:?}"),
            })
        };
        let refused = push().await.expect_err("the disk is full");
        assert_eq!(refused.kind(), ErrorKind::NoSpace, "{full}: {refused:?}");
        assert_eq!(get(&store, &other).await, Some(b"other".to_vec()), "reads go on");
        switch.off();
        let key = push().await.expect("there is room again");
        assert!(get(&store, &key).await.as_ref() == Some(&content), "{full}");
        assert!(keys(store.list_uploads()).await.is_empty());
    }
}

/// **S05** The flush of a file fails → the chunk is not acknowledged, nothing flushes that open file again, and the store takes no more writes until it is opened anew.
#[tokio::test]
async fn after_a_failed_flush_the_store_is_read_only() {
    let flushes = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&flushes);
    let (switch, faults) = Switch::new(move |operation, _| {
        counted.fetch_add(usize::from(operation == Operation::Sync), Ordering::SeqCst);
        operation == Operation::Sync
    });
    let folder = folder();
    let store = open(folder.path(), faults);
    let other = put(&store, b"other").await;
    let upload = UploadId::random();
    let mut held = hold(&store, upload).await;
    held.append_at(0, body(["ab"])).await.expect("the append succeeds");

    switch.on(EIO);
    flushes.store(0, Ordering::SeqCst);
    let (durable, error) = storage_cause(held.append_at(2, body(["cd"])).await.expect_err("the flush fails"));
    assert_eq!((durable, error.kind()), (2, ErrorKind::Broken));
    assert_eq!(flushes.load(Ordering::SeqCst), 1);
    switch.off();

    let (durable, error) = storage_cause(
        held.append_at(2, body(["cd"]))
            .await
            .expect_err("the store is read-only"),
    );
    assert_eq!((durable, error.kind()), (2, ErrorKind::Denied));
    assert!(store.hold(UploadId::random()).await.is_err());
    assert!(store.delete(&other).await.is_err());
    let unready = store.probe().await.expect_err("the store is not ready");
    assert!(std::error::Error::source(&unready).is_some_and(|why| why.to_string().contains("failed to flush")));
    assert_eq!(get(&store, &other).await, Some(b"other".to_vec()), "reads go on");

    drop((held, store));
    let store = open(folder.path(), Faults::NONE);
    let mut held = hold(&store, upload).await;
    assert_eq!(held.append_at(2, body(["x"])).await.expect("the append succeeds"), 3);
    let key = held
        .commit_at(&Digest::sha256("abx"), 3)
        .await
        .expect("the commit succeeds");
    assert_eq!(get(&store, &key).await, Some(b"abx".to_vec()));
}

/// **S04** A read fails half way, or the file is shorter than it was → the stream ends with an error, never early and clean; whether the file is mapped or copied.
#[tokio::test]
async fn a_read_that_fails_half_way_is_an_error_in_the_stream() {
    for (mapped, size) in [(0, 1 << 20), (64 << 20, 8 << 20)] {
        let reads = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&reads);
        let (switch, faults) = Switch::new(move |operation, _| {
            operation == Operation::Read && counted.fetch_add(1, Ordering::SeqCst) >= 2
        });
        let folder = folder();
        let store = open_mapping(folder.path(), mapped, faults);
        let key = put(&store, &bytes(size)).await;
        let size = size as u64;
        switch.on(EIO);
        let stream = read(&store, &key, size).await;
        let pieces: Vec<_> = stream.collect().await;
        assert_eq!(pieces.len(), 3);
        assert!(pieces[0].is_ok() && pieces[1].is_ok() && pieces[2].is_err());
        switch.off();

        let mut stream = read(&store, &key, size).await;
        stream.next().await.expect("there is more").expect("it can be read");
        let path = folder.path().join("data").join(key.object());
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("it is ours");
        std::fs::File::options()
            .write(true)
            .open(&path)
            .expect("it is there")
            .set_len(200_000)
            .expect("it is ours");
        assert!(contract::collect(stream).await.is_err());
        assert!(
            store.read(&key, 0..size).await.is_err(),
            "known to be short, it is an error at once"
        );
    }
}

/// Content that was read before it was lost is not handed out of memory: only pages that are there now.
#[tokio::test]
async fn bytes_at_hand_are_those_of_the_blob_and_none_that_are_lost() {
    let folder = folder();
    let store = open(folder.path(), Faults::NONE);
    let content = bytes(300_000);
    let key = put(&store, &content).await;
    assert_eq!(store.at_hand(&key, &(0..10)), None, "nobody has read it yet");
    contract::collect(read(&store, &key, 300_000).await)
        .await
        .expect("it can be read");
    for range in [0..300_000, 5_000..5_001, 299_999..300_000, 7..7] {
        let [start, end] = [range.start, range.end].map(|at| usize::try_from(at).expect("a small number"));
        assert_eq!(store.at_hand(&key, &range).as_deref(), Some(&content[start..end]));
    }
    assert_eq!(store.at_hand(&key, &(0..300_001)), None);
    let path = folder.path().join("data").join(key.object());
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("it is ours");
    let file = std::fs::File::options().write(true).open(&path);
    file.expect("it is there").set_len(8192).expect("it is ours");
    assert_eq!(store.at_hand(&key, &(0..300_000)), None);
    store.delete(&key).await.expect("it is removed");
    assert_eq!(store.at_hand(&key, &(0..10)), None);
}

async fn read(store: &Store, key: &BlobKey, size: u64) -> ByteStream {
    let read = store.read(key, 0..size).await;
    read.expect("the store answers").expect("the blob is there")
}

/// **S11** The file system is read-only, or permission is missing → told apart from a broken one; reads go on, and the probe says which step fails.
#[tokio::test]
async fn a_store_that_takes_no_writes_says_so_and_reads_go_on() {
    for code in [EROFS, EACCES] {
        let (switch, faults) = Switch::new(|operation, _| operation.changes());
        let folder = folder();
        let store = open(folder.path(), faults);
        let key = put(&store, b"abc").await;
        let mut held = hold(&store, UploadId::random()).await;
        switch.on(code);
        let (durable, error) = storage_cause(held.append_at(0, body(["x"])).await.expect_err("it is read-only"));
        assert_eq!((durable, error.kind()), (0, ErrorKind::Denied));
        assert!(
            store
                .hold(UploadId::random())
                .await
                .is_err_and(|error| error.kind() == ErrorKind::Denied)
        );
        let unready = store.probe().await.expect_err("the store is not ready");
        assert_eq!(unready.kind(), ErrorKind::Denied);
        assert!(
            unready
                .to_string()
                .starts_with("the store cannot create uploads/.probe-"),
            "{unready}"
        );
        assert_eq!(get(&store, &key).await, Some(b"abc".to_vec()));
        switch.off();
        held.append_at(0, body(["x"])).await.expect("it is writable again");
        store.probe().await.expect("it is ready again");
    }
}

/// **S12** No descriptors are left → told apart as passing, and the same call succeeds later.
#[tokio::test]
async fn running_out_of_descriptors_passes() {
    let (switch, faults) =
        Switch::new(|operation, _| matches!(operation, Operation::Open | Operation::Create | Operation::List));
    let folder = folder();
    let store = open(folder.path(), faults);
    let key = put(&store, b"abc").await;
    for code in [EMFILE, ENFILE] {
        switch.on(code);
        assert!(
            store
                .hold(UploadId::random())
                .await
                .is_err_and(|error| error.kind() == ErrorKind::Transient)
        );
        assert!(
            store
                .read(&key, 0..1)
                .await
                .is_err_and(|error| error.kind() == ErrorKind::Transient)
        );
        let listed = store.list_blobs().next().await.expect("an error is an answer");
        assert!(listed.is_err_and(|error| error.kind() == ErrorKind::Transient));
        switch.off();
        assert_eq!(get(&store, &key).await, Some(b"abc".to_vec()));
        put(&store, b"def").await;
    }
}

/// **S15** A file system without locks, or without renaming from folder to folder → the probe refuses and names the step.
#[tokio::test]
async fn a_file_system_that_lacks_a_step_is_refused_by_the_probe() {
    for (lacking, code, text) in [
        (Operation::Lock, ENOLCK, "the store cannot lock uploads/.probe-"),
        (
            Operation::Rename,
            EXDEV,
            "the store cannot move into place blobs/.probe-",
        ),
        (Operation::SyncDir, EIO, "the store cannot flush the folder blobs"),
    ] {
        let (switch, faults) = Switch::new(move |operation, _| operation == lacking);
        let folder = folder();
        let store = open(folder.path(), faults);
        switch.on(code);
        let refused = store.probe().await.expect_err("a step is lacking").to_string();
        assert!(refused.starts_with(text), "{refused}");
    }
}

/// **H20** A step panics → the call that it belongs to panics; the upload and the store are as healthy as before.
#[tokio::test]
async fn a_panic_in_any_step_of_a_push_leaves_the_upload_usable() {
    use Operation::{Create, CreateDir, Inspect, Lock, Protect, Rename, Sync, SyncDir, Write};
    for befallen in [Create, Lock, Inspect, Write, Sync, SyncDir, CreateDir, Rename, Protect] {
        let armed = Arc::new(AtomicBool::new(false));
        let watched = Arc::clone(&armed);
        let faults = Faults::new(move |operation, _| {
            assert!(
                operation != befallen || !watched.swap(false, Ordering::SeqCst),
                "the step was told to panic"
            );
            Ok(())
        });
        let folder = folder();
        let store = open(folder.path(), faults);
        let upload = UploadId::random();
        let push = async || {
            let mut held = hold(&store, upload).await;
            held.append_at(0, body(["ab"])).await.expect("the append succeeds");
            held.commit_at(&Digest::sha256("ab"), 2)
                .await
                .expect("the commit succeeds")
        };
        armed.store(true, Ordering::SeqCst);
        assert!(AssertUnwindSafe(push()).catch_unwind().await.is_err(), "{befallen}");
        // The commit may have taken place before its last steps panicked; then only the rest of it is repeated.
        let key = BlobKey::new(Digest::sha256("ab"), upload);
        let key = match store.size(&key).await.expect("the store answers") {
            Some(_) => hold(&store, upload)
                .await
                .commit_at(key.digest(), 2)
                .await
                .expect("the commit succeeds"),
            None => push().await,
        };
        assert_eq!(get(&store, &key).await, Some(b"ab".to_vec()), "{befallen}");
    }
}

/// **S01** A step of storing a small blob fails → an error, nothing of it is left, and it can be stored once there is room.
#[tokio::test]
async fn a_small_blob_that_cannot_be_stored_leaves_nothing() {
    use Operation::{Create, CreateDir, Rename, Sync, SyncDir, Write};
    for full in [Create, Write, Sync, CreateDir, Rename, SyncDir] {
        let (switch, faults) = Switch::new(move |operation, _| operation == full);
        let folder = folder();
        let store = open(folder.path(), faults);
        let content = bytes::Bytes::from(bytes(5000));
        let key = BlobKey::new(Digest::sha256(&content), UploadId::random());
        switch.on(ENOSPC);
        let error = store.put(&key, content.clone()).await.expect_err("there is no room");
        assert_eq!(error.kind(), ErrorKind::NoSpace, "{full:?}");
        assert_eq!(store.size(&key).await.expect("an answer"), None, "{full:?}");
        assert!(contract::keys(store.list_uploads()).await.is_empty(), "{full:?}");
        switch.off();
        store.put(&key, content.clone()).await.expect("there is room");
        assert_eq!(get(&store, &key).await.as_deref(), Some(&content[..]));
    }
}
