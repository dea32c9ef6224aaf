//! An upload that is held: its file, open and locked.

use std::{io, ops::Range, sync::Arc};

use futures_util::future::BoxFuture;
use wreg_oci::digest::Digest;

use super::{
    super::{
        AppendError, BlobKey, ByteStream, CommitError, Error, HeldUpload, Operation, Position, StopCause, Then,
        UploadId,
    },
    append, commit,
    disk::{Disk, OpenFile},
    read,
};

/// An upload's file. While it lives, in whatever section of whatever call, nobody else holds the upload.
pub(super) struct Locked {
    pub(super) file: OpenFile,
    /// The length in bytes.
    pub(super) size: u64,
}

/// What a caller holds. The file goes with each call into its sections off the runtime and comes back at its end, so a dropped call
/// keeps the upload exactly until its section is over.
pub(super) struct HeldFile {
    upload: UploadId,
    locked: Option<Locked>,
}

impl HeldFile {
    /// Opens and locks the upload's file; `None` if another holds it. Blocks.
    pub(super) fn take(disk: &Arc<Disk>, upload: UploadId) -> Result<Option<Self>, Error> {
        let file = disk.open_or_create(&upload.object())?;
        // A commit may have moved the file between its opening and its locking: then it is a blob, and not a byte of it may change.
        if !file.try_lock()? || !file.is_in_place()? {
            return Ok(None);
        }
        let size = file.size()?;
        Ok(Some(Self {
            upload,
            locked: Some(Locked { file, size }),
        }))
    }

    fn locked(&mut self) -> Result<Locked, Error> {
        let no_longer = || io::Error::other("it is no longer held: it was committed, or a call on it was dropped");
        self.locked
            .take()
            .ok_or_else(|| Error::new(Operation::Write, self.upload.object(), no_longer()))
    }
}

impl Drop for HeldFile {
    fn drop(&mut self) {
        // To close the file is not enough while somebody else has it open: a process that is being started has all files of this one for a
        // moment. If it fails, closing will do.
        if let Some(locked) = &self.locked {
            let _ = locked.file.as_file().unlock();
        }
    }
}

impl HeldUpload for HeldFile {
    fn append<'a>(
        &'a mut self,
        at: &'a Position,
        body: ByteStream,
        _then: Then,
    ) -> BoxFuture<'a, Result<Position, AppendError>> {
        Box::pin(async move {
            let offset = at.offset;
            let storage = |error: Error| AppendError::Stopped {
                durable: at.clone(),
                cause: StopCause::Storage(error),
            };
            let locked = self.locked().map_err(storage)?;
            if locked.size < offset {
                return Err(AppendError::Lost {
                    durable: self.locked.insert(locked).size,
                });
            }
            let (locked, outcome) = append::append(locked, offset, body).await.map_err(storage)?;
            self.locked = Some(locked);
            outcome.map(Position::plain)
        })
    }

    fn read<'a>(
        &'a mut self,
        _at: &'a Position,
        range: Range<u64>,
    ) -> BoxFuture<'a, Result<Option<ByteStream>, Error>> {
        Box::pin(async move {
            let locked = self.locked()?;
            let disk = locked.file.shared_disk();
            self.locked = Some(locked);
            read::file(disk, self.upload.object(), range).await
        })
    }

    fn commit<'a>(&'a mut self, digest: &Digest, at: &'a Position) -> BoxFuture<'a, Result<BlobKey, CommitError>> {
        let key = BlobKey::new(digest.clone(), self.upload);
        Box::pin(async move {
            let locked = self.locked()?;
            let (locked, key, outcome) = commit::commit(locked, key, at.offset).await?;
            // Once it is a blob there is nothing to hold.
            self.locked = outcome.is_err().then_some(locked);
            outcome.map(|()| key)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Faults;

    #[test]
    fn an_upload_that_is_let_go_of_is_free_whoever_has_its_file_open() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        std::fs::create_dir(folder.path().join("uploads"))?;
        let disk = Arc::new(Disk::new(folder.path(), Faults::NONE));
        let upload = UploadId::random();
        let held = HeldFile::take(&disk, upload)?.ok_or("nobody has it")?;
        // What a process gets that is started now.
        let inherited = held.locked.as_ref().ok_or("it is held")?.file.as_file().try_clone()?;
        assert!(HeldFile::take(&disk, upload)?.is_none());
        drop(held);
        assert!(HeldFile::take(&disk, upload)?.is_some());
        drop(inherited);
        Ok(())
    }
}
