//! Does this file system do what the store relies on? Some network and overlay file systems do not.

use std::{io, sync::Arc};

use super::{
    super::{
        Error, Operation, UploadId,
        key::{BLOBS, LOG, UPLOADS},
    },
    disk::Disk,
    log,
};

/// How the names of probe files begin, in both folders.
pub(super) const PREFIX: &str = ".probe-";

const BYTES: &[u8] = b"wreg";

/// See `BlobStore::probe`.
pub(super) fn probe(disk: &Arc<Disk>) -> Result<(), Error> {
    let id = UploadId::random();
    let (upload, blob) = (format!("{UPLOADS}/{PREFIX}{id}"), format!("{BLOBS}/{PREFIX}{id}"));
    let outcome = go_through(disk, &upload, &blob);
    let removed = disk.unlink(&upload).and(disk.unlink(&blob)).map(drop);
    outcome.and(removed)
}

/// The life of an upload, in small.
fn go_through(disk: &Arc<Disk>, upload: &str, blob: &str) -> Result<(), Error> {
    let lacks = |operation, name: &str, why| Err(Error::new(operation, name, io::Error::other(why)));

    let file = disk.open_or_create(upload)?;
    if !file.try_lock()? {
        return lacks(
            Operation::Lock,
            upload,
            "a new file is locked already: the file system's locks do not work",
        );
    }
    if disk.open_or_create(upload)?.try_lock()? {
        return lacks(
            Operation::Lock,
            upload,
            "two can lock one file: the file system's locks do not work",
        );
    }
    file.write_at(BYTES, 0, false)?;
    file.sync()?;
    disk.rename(upload, blob)?;
    if file.is_in_place()? {
        return lacks(
            Operation::Rename,
            blob,
            "the old name leads to the file still: renaming is not one step",
        );
    }
    disk.protect(blob)?;
    disk.sync_dir(BLOBS)?;
    disk.sync_dir(UPLOADS)?;
    let mut read = [0; BYTES.len()];
    let moved = disk.open(blob)?;
    moved.map_or(lacks(Operation::Rename, blob, "the new name leads nowhere"), |file| {
        file.read_at(&mut read, 0)
    })?;
    if read == BYTES {
        Ok(())
    } else {
        lacks(Operation::Read, blob, "other bytes came back than were written")
    }
}

/// Removes what probes left that were cut short, and files of the log that did not become whole.
pub(super) fn remove_leftovers(disk: &Disk) -> Result<(), Error> {
    for (folder, prefix) in [(UPLOADS, PREFIX), (BLOBS, PREFIX), (LOG, log::PREFIX)] {
        for entry in disk.entries(folder)? {
            let name = disk.step(Operation::List, folder, |_| entry)?.file_name();
            if name.to_string_lossy().starts_with(prefix) {
                disk.unlink(&format!("{folder}/{}", name.to_string_lossy()))?;
            }
        }
    }
    Ok(())
}
