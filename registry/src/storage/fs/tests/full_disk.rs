//! Real small file systems in memory, where the system lets this process mount them (as root); the same faults are injected
//! everywhere in `faults.rs`.

use rustix::mount::{MountFlags, UnmountFlags, mount, mount_remount, unmount};

use super::*;

/// A mounted file system; unmounted on drop.
struct Mounted(tempfile::TempDir);

impl Mounted {
    /// Not by the command `mount`: a child process would hold the locks of tests that run beside it for a moment.
    fn new(options: &std::ffi::CStr) -> Option<Self> {
        let folder = folder();
        match mount("none", folder.path(), "tmpfs", MountFlags::empty(), options) {
            Ok(()) => Some(Self(folder)),
            Err(error) => {
                eprintln!("left out: this process may not mount file systems ({error})");
                None
            }
        }
    }

    fn remount(&self, flags: MountFlags) {
        mount_remount(self.0.path(), flags, c"").expect("it was mounted, so it can be mounted again");
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = unmount(self.0.path(), UnmountFlags::DETACH);
    }
}

/// **S01** A disk runs full in the middle of an upload → the offset is what is durable, reads and deletions go on, and the upload ends well once there is room.
#[tokio::test]
async fn an_upload_survives_a_disk_that_runs_full() {
    let Some(disk) = Mounted::new(c"size=1m") else { return };
    let store = open(disk.0.path(), Faults::NONE);
    let filling = put(&store, &bytes(500_000)).await;
    let (upload, content) = (UploadId::random(), bytes(900_000));
    let mut held = hold(&store, upload).await;
    let (durable, error) = storage_cause(
        held.append_at(0, body([content.clone()]))
            .await
            .expect_err("the disk is full"),
    );
    assert_eq!(error.kind(), ErrorKind::NoSpace);
    assert!(durable > 200_000, "{durable} bytes are what found room");
    assert!(get(&store, &filling).await.is_some(), "reads go on");
    store.delete(&filling).await.expect("deletions go on");
    let at = usize::try_from(durable).expect("it fits");
    held.append_at(durable, body([content[at..].to_vec()]))
        .await
        .expect("there is room");
    let key = held
        .commit_at(&Digest::sha256(&content), 900_000)
        .await
        .expect("the commit succeeds");
    assert!(get(&store, &key).await == Some(content));
}

/// **S12** No inodes are left → a full disk, which passes when a file is removed.
#[tokio::test]
async fn running_out_of_inodes_passes() {
    // The root, data, lock, blobs, uploads, and one each for the algorithm, the shard and the file.
    let Some(disk) = Mounted::new(c"size=1m,nr_inodes=9") else {
        return;
    };
    let store = open(disk.0.path(), Faults::NONE);
    let key = put(&store, b"abc").await;
    assert!(
        store
            .hold(UploadId::random())
            .await
            .is_err_and(|error| error.kind() == ErrorKind::NoSpace)
    );
    assert_eq!(get(&store, &key).await, Some(b"abc".to_vec()));
    store.delete(&key).await.expect("the deletion succeeds");
    put(&store, b"abc").await;
}

/// **S11** The disk is mounted read-only → writes are refused as such, the probe says so, reads go on.
#[tokio::test]
async fn a_disk_that_becomes_read_only_is_told_apart() {
    let Some(disk) = Mounted::new(c"size=1m") else { return };
    let store = open(disk.0.path(), Faults::NONE);
    let key = put(&store, b"abc").await;
    disk.remount(MountFlags::RDONLY);
    assert!(
        store
            .hold(UploadId::random())
            .await
            .is_err_and(|error| error.kind() == ErrorKind::Denied)
    );
    assert!(
        store
            .probe()
            .await
            .is_err_and(|error| error.kind() == ErrorKind::Denied)
    );
    assert_eq!(get(&store, &key).await, Some(b"abc".to_vec()));
    disk.remount(MountFlags::empty());
    put(&store, b"def").await;
}
