//! The contract on files, and what only files can show: crashes, full disks, races for a file.

mod crash;
mod faults;
#[cfg(target_os = "linux")]
mod full_disk;
mod races;

use std::{
    io,
    path::Path,
    sync::atomic::{AtomicI32, Ordering},
};

use wreg_oci::digest::Digest;

use super::*;
use crate::storage::{
    AppendError, ErrorKind, Position, StopCause,
    contract::{self, ByOffset as _, Store, body, bytes, get, hold, keys, put},
};

const EIO: i32 = 5;
const ENFILE: i32 = 23;
const EMFILE: i32 = 24;
const ENOSPC: i32 = 28;
const EROFS: i32 = 30;
const EACCES: i32 = 13;
const ENOLCK: i32 = 37;
const EXDEV: i32 = 18;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// A store in `folder`, as a server would open it.
fn open(folder: &Path, faults: Faults) -> Store {
    open_mapping(folder, 64 << 20, faults)
}

/// The same with so many bytes of files mapped at the most.
fn open_mapping(folder: &Path, mapped: u64, faults: Faults) -> Store {
    let data = DataDir::lock(&folder.join("data")).expect("the folder is free");
    Arc::new(FsStore::open(&data, mapped, faults).expect("the store opens"))
}

fn make() -> (tempfile::TempDir, Store) {
    let folder = folder();
    let store = open(folder.path(), Faults::NONE);
    (folder, store)
}

fn make_for_contract() -> impl Future<Output = Option<(tempfile::TempDir, Store)>> {
    std::future::ready(Some(make()))
}

contract::contract_suite!(make_for_contract);

/// A fault that a test switches on and off: an error number, and the operation that it befalls.
struct Switch(AtomicI32);

impl Switch {
    fn new(befalls: impl Fn(Operation, &str) -> bool + Send + Sync + 'static) -> (Arc<Self>, Faults) {
        let switch = Arc::new(Self(AtomicI32::new(0)));
        let watched = Arc::clone(&switch);
        let faults = Faults::new(move |operation, object| match watched.0.load(Ordering::SeqCst) {
            code if code != 0 && befalls(operation, object) => Err(io::Error::from_raw_os_error(code)),
            _ => Ok(()),
        });
        (switch, faults)
    }

    fn on(&self, code: i32) {
        self.0.store(code, Ordering::SeqCst);
    }

    fn off(&self) {
        self.on(0);
    }
}

/// The error of a store in its appearance as the cause of a stopped append.
fn storage_cause(error: AppendError) -> (u64, Error) {
    match error {
        AppendError::Stopped {
            durable,
            cause: StopCause::Storage(error),
        } => (durable.offset, error),
        other => panic!("{other:?}"),
    }
}

/// The mode of a file in the data folder.
fn mode(folder: &Path, name: &str) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(folder.join("data").join(name))
        .expect("it is there")
        .permissions()
        .mode()
        & 0o7777
}

#[tokio::test]
async fn an_upload_is_the_owners_alone_and_a_blob_is_read_only() {
    let (folder, store) = make();
    let upload = UploadId::random();
    let mut held = hold(&store, upload).await;
    held.append_at(0, body(["ab"])).await.expect("the append succeeds");
    assert_eq!(mode(folder.path(), &upload.object()), 0o600);
    let key = held
        .commit_at(&Digest::sha256("ab"), 2)
        .await
        .expect("the commit succeeds");
    assert_eq!(mode(folder.path(), &key.object()), 0o400);
    assert_eq!(mode(folder.path(), &key.folders().0), 0o700);
}

/// **U15** 20,000 chunks of one byte, each its own request → one file of that length, no matter how many.
#[tokio::test]
async fn twenty_thousand_appends_of_one_byte_leave_one_file() {
    // In memory where the system offers it: 20,000 flushes of a device take a minute.
    let folder = tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| folder());
    let store = open(folder.path(), Faults::NONE);
    let (upload, content) = (UploadId::random(), bytes(20_000));
    for (offset, byte) in content.iter().enumerate() {
        let mut held = hold(&store, upload).await;
        assert_eq!(
            held.append_at(offset as u64, body([vec![*byte]]))
                .await
                .expect("the append succeeds"),
            offset as u64 + 1
        );
    }
    let files = std::fs::read_dir(folder.path().join("data/uploads"))
        .expect("the folder is there")
        .count();
    assert_eq!(files, 1);
    let key = hold(&store, upload)
        .await
        .commit_at(&Digest::sha256(&content), 20_000)
        .await
        .expect("the commit succeeds");
    assert!(get(&store, &key).await == Some(content));
}

#[tokio::test]
async fn small_pieces_are_written_together() {
    let (writes, folder) = (Arc::new(AtomicI32::new(0)), folder());
    let counted = Arc::clone(&writes);
    let faults = Faults::new(move |operation, _| {
        counted.fetch_add(i32::from(operation == Operation::Write), Ordering::SeqCst);
        Ok(())
    });
    let store = open(folder.path(), faults);
    let pieces: Vec<_> = bytes(300_000).chunks(1).map(<[u8]>::to_vec).collect();
    hold(&store, UploadId::random())
        .await
        .append_at(0, body(pieces))
        .await
        .expect("the append succeeds");
    assert_eq!(writes.load(Ordering::SeqCst), 2);
}
