//! Files of the log of changes.
//!
//! Order: the bytes are written under a name that nobody else knows and flushed → the file moves to its name in one step → the folder is
//! flushed. What a death on the way leaves is removed at the next start.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    super::{Error, ErrorKind, LOG_FILE, LogKey, Operation, UploadId, key::LOG},
    disk::Disk,
};

/// How the names of files begin that are not whole yet.
pub(super) const PREFIX: &str = ".new-";

/// See `BlobStore::put_log`. Blocks.
pub(super) fn put(disk: &Arc<Disk>, key: &LogKey, bytes: &[u8]) -> Result<(), Error> {
    let new = format!("{LOG}/{PREFIX}{}", UploadId::random());
    let outcome = store(disk, key, &new, bytes);
    if outcome.is_err() {
        // What cannot be removed now is removed at the next start.
        let _ = disk.unlink(&new);
    }
    outcome
}

fn store(disk: &Arc<Disk>, key: &LogKey, new: &str, bytes: &[u8]) -> Result<(), Error> {
    let file = disk.create_read_only(new)?;
    let mut written = 0;
    while written < bytes.len() {
        written += file.write_at(&bytes[written..], written as u64, false)?;
    }
    file.sync()?;
    let mut parent = ".".to_owned();
    for folder in key.folders() {
        disk.ensure_dir(&folder, &parent)?;
        parent = folder;
    }
    disk.rename(new, &key.object())?;
    disk.sync_dir(&parent)
}

/// See `BlobStore::read_log`. Blocks.
pub(super) fn read(disk: &Arc<Disk>, key: &LogKey) -> Result<Option<Bytes>, Error> {
    let name = key.object();
    let Some(file) = disk.open(&name)? else {
        return Ok(None);
    };
    let size = file.size()?;
    if size > LOG_FILE {
        let why = format!("{size} bytes are no file of a log");
        return Err(Error::of_kind(Operation::Read, name, ErrorKind::Broken, why));
    }
    let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
    file.read_at(&mut bytes, 0)?;
    Ok(Some(bytes.into()))
}
