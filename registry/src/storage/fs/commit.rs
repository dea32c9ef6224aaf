//! An upload becomes a blob.
//!
//! Order: the upload is held, so nobody can write to it → its bytes are flushed → it moves to its final name in one step → the
//! folders that gained and lost a name are flushed. Dying between any two of these leaves either the upload or the blob, and a
//! repeated commit finishes from either.

use std::io;

use super::{
    super::{BlobKey, CommitError, Error, Operation, key::BLOBS, key::UPLOADS},
    held::Locked,
    off_runtime,
};

/// See `HeldUpload::commit`. Upload and key come back with the outcome; the outer error means that no more work is taken on.
pub(super) async fn commit(
    mut locked: Locked,
    key: BlobKey,
    size: u64,
) -> Result<(Locked, BlobKey, Result<(), CommitError>), Error> {
    let turn = locked.file.disk().turn_to_write().await;
    off_runtime(move || {
        let _turn = turn;
        let outcome = publish(&mut locked, &key, size).and_then(|()| Ok(settle(&locked, &key)?));
        Ok((locked, key, outcome))
    })
    .await
}

/// Gives the upload's first `size` bytes their final name, unless an earlier commit did.
fn publish(locked: &mut Locked, key: &BlobKey, size: u64) -> Result<(), CommitError> {
    let file = &locked.file;
    let disk = file.disk();
    let (upload, blob) = (key.generation().object(), key.object());
    if let Some(stored) = disk.size(&blob)? {
        if stored != size {
            let why = io::Error::other("a blob of another length has this key");
            return Err(Error::new(Operation::Rename, blob, why).into());
        }
        // What is held was begun after that commit, and is not needed.
        disk.unlink(&upload)?;
        return Ok(());
    }
    if !file.is_in_place()? {
        return Err(CommitError::Lost { durable: 0 });
    }
    if locked.size < size {
        return Err(CommitError::Lost { durable: locked.size });
    }
    if locked.size > size {
        file.truncate(size)?;
        locked.size = size;
    }
    file.sync()?;
    let (shard, algorithm) = key.folders();
    disk.ensure_dir(&algorithm, BLOBS)?;
    disk.ensure_dir(&shard, &algorithm)?;
    disk.rename(&upload, &blob)?;
    // A name was moved, not a file: had the upload been aborted and begun anew since the look above, this would be another file.
    if !file.is_at(&blob)? {
        disk.unlink(&blob)?;
        return Err(CommitError::Lost { durable: 0 });
    }
    Ok(())
}

/// What remains once the blob has its name; safe to repeat. The permission goes last, because an upload that cannot be published for
/// want of space must stay writable.
fn settle(locked: &Locked, key: &BlobKey) -> Result<(), Error> {
    let disk = locked.file.disk();
    disk.protect(&key.object())?;
    disk.sync_dir(&key.folders().0)?;
    disk.sync_dir(UPLOADS)
}
