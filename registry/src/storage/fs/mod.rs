//! Blobs as files in the data folder: the backend of a registry on one machine.
//!
//! Each call hands its file work to tokio's blocking threads, one short section at a time, so a slow client holds no thread.
//! The order that makes a blob durable stands in `commit.rs`; every system call goes through `disk.rs`.

mod append;
mod buffer;
mod commit;
mod data_dir;
mod disk;
mod held;
mod list;
mod log;
mod map;
mod probe;
mod put;
mod read;
#[cfg(test)]
mod tests;

use std::{fs::File, io, ops::Range, sync::Arc};

use bytes::Bytes;
use futures_util::future::BoxFuture;

pub(crate) use self::data_dir::{DataDir, DataDirError};
use self::{
    disk::{Disk, OpenFile},
    held::HeldFile,
    map::Maps,
};
use super::{
    BlobKey, BlobStore, ByteStream, Error, Faults, HeldUpload, Listing, LogKey, Operation, UploadId,
    key::{BLOBS, LOG, UPLOADS},
};

/// A [`BlobStore`] in a folder. Clones are the same store.
#[derive(Clone)]
pub(crate) struct FsStore {
    disk: Arc<Disk>,
    maps: Arc<Maps>,
}

impl FsStore {
    /// Opens the store in a data folder that this process has locked, making its folders on the first start. At most `mapped` bytes of
    /// files are mapped into memory at a time. Blocks; for the start.
    pub(crate) fn open(data: &DataDir, mapped: u64, faults: Faults) -> Result<Self, Error> {
        let disk = Disk::new(data.path(), faults);
        for folder in [BLOBS, UPLOADS, LOG] {
            disk.ensure_dir(folder, ".")?;
        }
        let store = Self {
            disk: Arc::new(disk),
            maps: Arc::new(Maps::new(mapped)),
        };
        probe::remove_leftovers(&store.disk)?;
        Ok(store)
    }
}

impl BlobStore for FsStore {
    fn size(&self, key: &BlobKey) -> BoxFuture<'_, Result<Option<u64>, Error>> {
        let (disk, name) = (Arc::clone(&self.disk), key.object());
        Box::pin(off_runtime(move || disk.size(&name)))
    }

    fn read(&self, key: &BlobKey, range: Range<u64>) -> BoxFuture<'_, Result<Option<ByteStream>, Error>> {
        Box::pin(read::blob(
            Arc::clone(&self.disk),
            Arc::clone(&self.maps),
            key.clone(),
            range,
        ))
    }

    fn at_hand(&self, key: &BlobKey, range: &Range<u64>) -> Option<Bytes> {
        read::at_hand(&self.disk, &self.maps, key, range)
    }

    fn file(&self, key: &BlobKey) -> BoxFuture<'_, Result<Option<File>, Error>> {
        let (disk, name) = (Arc::clone(&self.disk), key.object());
        Box::pin(off_runtime(move || {
            // What reads it elsewhere meets no fault that is injected here.
            let file = if disk.has_faults() { None } else { disk.open(&name)? };
            Ok(file.map(OpenFile::into_file))
        }))
    }

    fn put(&self, key: &BlobKey, bytes: Bytes) -> BoxFuture<'_, Result<(), Error>> {
        let (disk, key) = (Arc::clone(&self.disk), key.clone());
        Box::pin(async move {
            let turn = disk.turn_to_write().await;
            off_runtime(move || {
                let _turn = turn;
                put::put(&disk, &key, &bytes)
            })
            .await
        })
    }

    fn hold(&self, upload: UploadId) -> BoxFuture<'_, Result<Option<Box<dyn HeldUpload>>, Error>> {
        let disk = Arc::clone(&self.disk);
        Box::pin(off_runtime(move || {
            Ok(HeldFile::take(&disk, upload)?.map(|held| -> Box<dyn HeldUpload> { Box::new(held) }))
        }))
    }

    fn abort(&self, upload: UploadId) -> BoxFuture<'_, Result<(), Error>> {
        let disk = Arc::clone(&self.disk);
        Box::pin(off_runtime(move || disk.unlink(&upload.object()).map(drop)))
    }

    fn delete(&self, key: &BlobKey) -> BoxFuture<'_, Result<(), Error>> {
        let (disk, key) = (Arc::clone(&self.disk), key.clone());
        self.maps.forget(&key);
        Box::pin(off_runtime(move || {
            if disk.unlink(&key.object())? {
                disk.sync_dir(&key.folders().0)?;
            }
            Ok(())
        }))
    }

    fn put_log(&self, key: &LogKey, bytes: Bytes) -> BoxFuture<'_, Result<(), Error>> {
        let (disk, key) = (Arc::clone(&self.disk), key.clone());
        Box::pin(async move {
            let turn = disk.turn_to_write().await;
            off_runtime(move || {
                let _turn = turn;
                log::put(&disk, &key, &bytes)
            })
            .await
        })
    }

    fn read_log(&self, key: &LogKey) -> BoxFuture<'_, Result<Option<Bytes>, Error>> {
        let (disk, key) = (Arc::clone(&self.disk), key.clone());
        Box::pin(off_runtime(move || log::read(&disk, &key)))
    }

    fn list_uploads(&self) -> Listing<UploadId> {
        list::uploads(Arc::clone(&self.disk))
    }

    fn list_blobs(&self) -> Listing<BlobKey> {
        list::blobs(Arc::clone(&self.disk))
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), Error>> {
        let disk = Arc::clone(&self.disk);
        Box::pin(off_runtime(move || probe::probe(&disk)))
    }
}

/// Does blocking `work` off the runtime's threads. Once begun it runs to its end, whether anyone waits for it or not; a panic in it
/// goes on in the caller.
async fn off_runtime<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(ended) => Err(E::from(stopping(ended))),
    }
}

/// The error of a section that never began because the runtime is shutting down; a panic is passed on.
fn stopping(ended: tokio::task::JoinError) -> Error {
    match ended.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(ended) => Error::new(
            Operation::Open,
            "files any more",
            io::Error::new(io::ErrorKind::Interrupted, ended),
        ),
    }
}
