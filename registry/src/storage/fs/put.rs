//! A small blob, stored in one go.
//!
//! Order: the bytes are written under the name of an upload that nobody else knows and flushed → the file moves to its final name in
//! one step → the folder that gained the name is flushed. Dying on the way leaves an upload without a session, which the sweep finds,
//! or the blob. That the old name is gone need not be durable: what a power cut brings back of it is such an upload too.

use std::sync::Arc;

use super::{
    super::{BlobKey, Error, key::BLOBS},
    disk::Disk,
};

/// See `BlobStore::put`. Blocks.
pub(super) fn put(disk: &Arc<Disk>, key: &BlobKey, bytes: &[u8]) -> Result<(), Error> {
    let (upload, blob) = (key.generation().object(), key.object());
    let outcome = store(disk, key, &upload, &blob, bytes);
    if outcome.is_err() {
        // What cannot be removed now is swept later, or found by the check of the store.
        let _ = disk.unlink(&upload);
        let _ = disk.unlink(&blob);
    }
    outcome
}

fn store(disk: &Arc<Disk>, key: &BlobKey, upload: &str, blob: &str, bytes: &[u8]) -> Result<(), Error> {
    let file = disk.create_read_only(upload)?;
    let mut written = 0;
    while written < bytes.len() {
        written += file.write_at(&bytes[written..], written as u64, false)?;
    }
    file.sync()?;
    let (shard, algorithm) = key.folders();
    disk.ensure_dir(&algorithm, BLOBS)?;
    disk.ensure_dir(&shard, &algorithm)?;
    disk.rename(upload, blob)?;
    disk.sync_dir(&shard)
}
