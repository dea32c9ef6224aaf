//! Dying at any moment, and what is found afterwards.

use std::{collections::BTreeSet, sync::atomic::AtomicUsize};

use futures_util::StreamExt;

use super::*;
use crate::storage::{CommitError, Listed};

/// A store that does `steps` steps and then none: as far as its files go, the process is dead from then on.
fn dies_after(steps: usize) -> (Arc<AtomicUsize>, Faults) {
    let left = Arc::new(AtomicUsize::new(steps));
    let watched = Arc::clone(&left);
    let faults = Faults::new(move |_, _| {
        let alive = watched.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        alive.map(drop).map_err(|_| io::Error::from_raw_os_error(EIO))
    });
    (left, faults)
}

/// **S06** The process dies before or after any step of a blob's push → the upload goes on at what was acknowledged, or the blob is whole.
#[tokio::test]
async fn dying_between_any_two_steps_of_a_push_loses_nothing_that_was_acknowledged() {
    let content = bytes(300_000);
    let digest = Digest::sha256(&content);
    for steps in 0.. {
        let (folder, upload) = (folder(), UploadId::random());
        let key = BlobKey::new(digest.clone(), upload);
        drop(open(folder.path(), Faults::NONE));
        // What the process before its death knows, and a client with it.
        let (left, faults) = dies_after(usize::MAX);
        let store = open(folder.path(), faults);
        left.store(steps, Ordering::SeqCst);
        let mut acknowledged = 0;
        let mut committed = false;
        if let Ok(Some(mut held)) = store.hold(upload).await {
            for chunk in [&content[..290_000], &content[290_000..]] {
                let Ok(end) = held.append_at(acknowledged, body([chunk.to_vec()])).await else {
                    break;
                };
                acknowledged = end;
            }
            committed = acknowledged == 300_000 && held.commit_at(&digest, 300_000).await.is_ok();
        }
        let finished = left.load(Ordering::SeqCst) > 0;
        drop(store);

        let store = open(folder.path(), Faults::NONE);
        let stored = get(&store, &key).await;
        assert!(
            stored.as_ref().is_none_or(|stored| *stored == content),
            "half a blob after {steps} steps"
        );
        assert!(stored.is_some() || !committed, "a lost blob after {steps} steps");
        let mut held = hold(&store, upload).await;
        if stored.is_none() {
            let at = usize::try_from(acknowledged).expect("it fits");
            held.append_at(acknowledged, body([content[at..].to_vec()]))
                .await
                .expect("the upload goes on");
        }
        assert_eq!(
            held.commit_at(&digest, 300_000).await.expect("the commit succeeds"),
            key
        );
        assert!(
            get(&store, &key).await.as_ref() == Some(&content),
            "other bytes after {steps} steps"
        );
        assert_eq!(keys(store.list_blobs()).await, BTreeSet::from([key]));
        assert!(
            keys(store.list_uploads()).await.is_empty(),
            "leftovers after {steps} steps"
        );
        if finished {
            assert!(committed && steps > 15, "the push has more steps than {steps}");
            return;
        }
    }
}

#[tokio::test]
async fn bytes_reach_the_device_before_their_name_and_the_name_before_the_answer() {
    let (log, folder) = (Arc::new(std::sync::Mutex::new(Vec::new())), folder());
    let written = Arc::clone(&log);
    let faults = Faults::new(move |operation, object| {
        if operation.changes() || matches!(operation, Operation::Sync | Operation::SyncDir) {
            written
                .lock()
                .expect("no test panics with it")
                .push((operation, object.to_owned()));
        }
        Ok(())
    });
    let store = open(folder.path(), faults);
    let steps = || std::mem::take(&mut *log.lock().expect("no test panics with it"));
    steps();

    let upload = UploadId::random();
    let mut held = hold(&store, upload).await;
    held.append_at(0, body(["ab"])).await.expect("the append succeeds");
    let (file, uploads) = (upload.object(), UPLOADS.to_owned());
    let of = |operation: Operation, object: &String| (operation, object.clone());
    assert_eq!(
        steps(),
        [
            of(Operation::Create, &file),
            of(Operation::Write, &file),
            of(Operation::Sync, &file),
            of(Operation::SyncDir, &uploads)
        ]
    );
    held.append_at(2, body(["c"])).await.expect("the append succeeds");
    assert_eq!(steps(), [of(Operation::Write, &file), of(Operation::Sync, &file)]);

    let key = held
        .commit_at(&Digest::sha256("abc"), 3)
        .await
        .expect("the commit succeeds");
    let (blob, (shard, algorithm)) = (key.object(), key.folders());
    let publishing = [
        of(Operation::Rename, &blob),
        of(Operation::Protect, &blob),
        of(Operation::SyncDir, &shard),
        of(Operation::SyncDir, &uploads),
    ];
    let new_folders = [
        of(Operation::CreateDir, &algorithm),
        of(Operation::SyncDir, &BLOBS.to_owned()),
        of(Operation::CreateDir, &shard),
        of(Operation::SyncDir, &algorithm),
    ];
    assert_eq!(
        steps(),
        [&[of(Operation::Sync, &file)][..], &new_folders, &publishing].concat()
    );

    store.delete(&key).await.expect("the deletion succeeds");
    assert_eq!(steps(), [of(Operation::Unlink, &blob), of(Operation::SyncDir, &shard)]);
}

/// **U19** The server restarts between two chunks → the upload goes on at its durable offset, and the blob has the right bytes.
#[tokio::test]
async fn an_upload_goes_on_after_a_restart() {
    let (folder, content, upload) = (folder(), bytes(1000), UploadId::random());
    let store = open(folder.path(), Faults::NONE);
    let half = hold(&store, upload)
        .await
        .append_at(0, body([content[..500].to_vec()]))
        .await;
    assert_eq!(half.expect("the append succeeds"), 500);
    drop(store);
    let store = open(folder.path(), Faults::NONE);
    let mut held = hold(&store, upload).await;
    held.append_at(500, body([content[500..].to_vec()]))
        .await
        .expect("the append succeeds");
    let key = held
        .commit_at(&Digest::sha256(&content), 1000)
        .await
        .expect("the commit succeeds");
    assert_eq!(get(&store, &key).await, Some(content));
}

#[tokio::test]
async fn a_file_that_lost_acknowledged_bytes_is_told_by_its_length() {
    let (folder, store) = make();
    let upload = UploadId::random();
    hold(&store, upload)
        .await
        .append_at(0, body(["abcdef"]))
        .await
        .expect("the append succeeds");
    let file = std::fs::File::options()
        .write(true)
        .open(folder.path().join("data").join(upload.object()));
    file.expect("it is there").set_len(4).expect("it can be cut off");
    let mut held = hold(&store, upload).await;
    assert!(matches!(
        held.append_at(6, body(["x"])).await,
        Err(AppendError::Lost { durable: 4 })
    ));
    assert!(matches!(
        held.commit_at(&Digest::sha256("abcdef"), 6).await,
        Err(CommitError::Lost { durable: 4 })
    ));
}

/// **S17** Orphans that a crash left → listed with their age, for the sweep; what probes left is removed at the start.
#[tokio::test]
async fn leftovers_of_a_crash_are_found() {
    let folder = folder();
    drop(open(folder.path(), Faults::NONE));
    let data = folder.path().join("data");
    let orphan = UploadId::random();
    std::fs::write(data.join(orphan.object()), "abc").expect("the folder is writable");
    std::fs::write(data.join("uploads/.probe-x"), "").expect("the folder is writable");
    std::fs::write(data.join("blobs/.probe-x"), "").expect("the folder is writable");
    let store = open(folder.path(), Faults::NONE);
    let listed: Vec<_> = store
        .list_uploads()
        .map(|entry| entry.expect("the listing is complete"))
        .collect()
        .await;
    let written = std::fs::metadata(data.join(orphan.object()))
        .and_then(|found| found.modified())
        .expect("it is there");
    assert_eq!(
        listed,
        [Listed::Object {
            key: orphan,
            size: 3,
            modified: written
        }]
    );
    assert!(!data.join("uploads/.probe-x").exists() && !data.join("blobs/.probe-x").exists());
}

#[tokio::test]
async fn files_that_are_not_ours_are_reported_and_left_alone() {
    let (folder, store) = make();
    let key = put(&store, b"abc").await;
    let data = folder.path().join("data");
    let strangers = [
        "blobs/README",
        "blobs/sha256/core",
        "blobs/sha256/zz/x",
        "blobs/sha256/zz/deep/x",
    ];
    std::fs::create_dir_all(data.join("blobs/sha256/zz/deep")).expect("the folder is writable");
    for stranger in strangers {
        std::fs::write(data.join(stranger), "").expect("the folder is writable");
    }
    let misplaced = key
        .object()
        .replace(&format!("/{}/", &key.digest().encoded()[..2]), "/zz/");
    std::fs::write(data.join(&misplaced), "abc").expect("the folder is writable");
    std::os::unix::fs::symlink("/etc/passwd", data.join("uploads").join(UploadId::random().to_string()))
        .expect("it is");

    let (mut known, mut unknown) = (Vec::new(), BTreeSet::new());
    let mut entries = store.list_blobs();
    while let Some(entry) = entries.next().await {
        match entry.expect("the listing is complete") {
            Listed::Object { key, .. } => known.push(key),
            Listed::Unknown(name) => drop(unknown.insert(name)),
        }
    }
    assert_eq!(known, [key]);
    let expected = [
        "blobs/README",
        "blobs/sha256/core",
        "blobs/sha256/zz/x",
        "blobs/sha256/zz/deep",
        &misplaced,
    ];
    assert_eq!(unknown, expected.map(str::to_owned).into());
    assert!(
        matches!(store.list_uploads().next().await, Some(Ok(Listed::Unknown(_)))),
        "a link is no upload"
    );
}

#[tokio::test]
async fn a_listing_that_cannot_be_completed_ends_with_an_error() {
    let (switch, faults) =
        Switch::new(|operation, object| operation == Operation::Inspect && object.starts_with("uploads/"));
    let folder = folder();
    let store = open(folder.path(), faults);
    for _ in 0..3 {
        hold(&store, UploadId::random()).await;
    }
    switch.on(EIO);
    let listed: Vec<_> = store.list_uploads().collect().await;
    assert!(listed.last().is_some_and(Result::is_err), "{listed:?}");
}
