//! Every system call of the file backend, each a step that [`Faults`] can fail. Blocking: never called on a runtime thread.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions, Permissions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use rustix::fs::OFlags;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::super::{Error, ErrorKind, Faults, Operation};

/// How many uploads are written or flushed at once. Fewer than tokio has blocking threads (512): where the device takes its time, the
/// others are there for those who read.
const WRITERS: usize = 256;

/// The folder of the store. Objects are named relative to it, so that no error text carries a path of the machine.
#[derive(Debug)]
pub(super) struct Disk {
    root: PathBuf,
    faults: Faults,
    /// Set when a flush failed for good: what the device holds is then unknown, and nothing more may be acknowledged.
    distrusted: AtomicBool,
    /// Folders that this process has seen flushed into their parents.
    durable_dirs: Mutex<BTreeSet<String>>,
    writers: Arc<Semaphore>,
}

impl Disk {
    pub(super) fn new(root: &Path, faults: Faults) -> Self {
        Self {
            root: root.to_owned(),
            faults,
            distrusted: AtomicBool::new(false),
            durable_dirs: Mutex::default(),
            writers: Arc::new(Semaphore::new(WRITERS)),
        }
    }

    /// Waits for the turn to write, which lasts as long as the value. Never waited for by who has one.
    pub(super) async fn turn_to_write(&self) -> Option<OwnedSemaphorePermit> {
        // It is never closed.
        Arc::clone(&self.writers).acquire_owned().await.ok()
    }

    /// One step: the fault that a test asked for, or `act` on the object's path. Once a flush has failed for good, no step changes
    /// anything any more.
    pub(super) fn step<T>(
        &self,
        operation: Operation,
        name: &str,
        act: impl FnOnce(&Path) -> io::Result<T>,
    ) -> Result<T, Error> {
        let outcome = if operation.changes() && self.distrusted.load(Ordering::Relaxed) {
            let why = "read-only since the device failed to flush; restart the server once the device is sound";
            Err(io::Error::new(io::ErrorKind::ReadOnlyFilesystem, why))
        } else {
            self.faults
                .check(operation, name)
                .and_then(|()| act(&self.root.join(name)))
        };
        outcome.map_err(|source| Error::new(operation, name, source))
    }

    /// Whether a test makes steps fail: then every step is asked, also where a running server takes a short cut.
    pub(super) fn has_faults(&self) -> bool {
        self.faults.are_injected()
    }

    /// Takes note of a failed flush. A full disk passes; any other failure may have dropped pages that the kernel now calls clean, so
    /// a second flush would succeed and mean nothing.
    fn distrust(&self, error: Error) -> Error {
        if !matches!(error.kind(), ErrorKind::NoSpace | ErrorKind::Transient) {
            self.distrusted.store(true, Ordering::Relaxed);
        }
        error
    }

    /// The length of the file `name`.
    pub(super) fn size(&self, name: &str) -> Result<Option<u64>, Error> {
        present(self.step(Operation::Inspect, name, |path| {
            fs::metadata(path).map(|found| found.len())
        }))
    }

    /// Opens a file for reading.
    pub(super) fn open(self: &Arc<Self>, name: &str) -> Result<Option<OpenFile>, Error> {
        let file = present(self.step(Operation::Open, name, |path| File::open(path)))?;
        Ok(file.map(|file| OpenFile {
            disk: Arc::clone(self),
            name: name.to_owned(),
            file,
            passes_cache: AtomicBool::new(false),
        }))
    }

    /// Opens a file for reading and writing. One that is not there is made, for the owner alone.
    pub(super) fn open_or_create(self: &Arc<Self>, name: &str) -> Result<OpenFile, Error> {
        let options = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .to_owned();
        let file = self.step(Operation::Create, name, |path| options.open(path))?;
        Ok(OpenFile {
            disk: Arc::clone(self),
            name: name.to_owned(),
            file,
            passes_cache: AtomicBool::new(false),
        })
    }

    /// Makes a file that is not there yet, which nobody but the one who makes it can write to.
    pub(super) fn create_read_only(self: &Arc<Self>, name: &str) -> Result<OpenFile, Error> {
        let options = OpenOptions::new().write(true).create_new(true).mode(0o400).to_owned();
        let file = self.step(Operation::Create, name, |path| options.open(path))?;
        Ok(OpenFile {
            disk: Arc::clone(self),
            name: name.to_owned(),
            file,
            passes_cache: AtomicBool::new(false),
        })
    }

    /// Makes the folder `name` in the folder `parent` and flushes the parent, unless this process has done so before. Existing is
    /// not enough: whoever made it may not have flushed it yet.
    pub(super) fn ensure_dir(&self, name: &str, parent: &str) -> Result<(), Error> {
        let durable = || self.durable_dirs.lock().unwrap_or_else(PoisonError::into_inner);
        if durable().contains(name) {
            return Ok(());
        }
        self.step(Operation::CreateDir, name, |path| {
            match fs::DirBuilder::new().mode(0o700).create(path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                other => other,
            }
        })?;
        self.sync_dir(parent)?;
        durable().insert(name.to_owned());
        Ok(())
    }

    /// The entries of a folder; each may be an error of its own.
    pub(super) fn entries(&self, name: &str) -> Result<fs::ReadDir, Error> {
        self.step(Operation::List, name, |path| fs::read_dir(path))
    }

    /// Flushes the names in a folder to the device.
    pub(super) fn sync_dir(&self, name: &str) -> Result<(), Error> {
        let folder = self.step(Operation::Open, name, |path| File::open(path))?;
        self.step(Operation::SyncDir, name, |_| folder.sync_all())
            .map_err(|error| self.distrust(error))
    }

    /// Moves a file, replacing what is there.
    pub(super) fn rename(&self, from: &str, to: &str) -> Result<(), Error> {
        self.step(Operation::Rename, to, |path| fs::rename(self.root.join(from), path))
    }

    /// Takes away everyone's permission to write, and all but the owner's to read.
    pub(super) fn protect(&self, name: &str) -> Result<(), Error> {
        self.step(Operation::Protect, name, |path| {
            fs::set_permissions(path, Permissions::from_mode(0o400))
        })
    }

    /// Removes a file; false if there was none.
    pub(super) fn unlink(&self, name: &str) -> Result<bool, Error> {
        present(self.step(Operation::Unlink, name, |path| fs::remove_file(path))).map(|removed| removed.is_some())
    }
}

/// Tells absence from failure.
fn present<T>(outcome: Result<T, Error>) -> Result<Option<T>, Error> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_absence() => Ok(None),
        Err(error) => Err(error),
    }
}

/// An open file, under the name by which it was opened.
#[derive(Debug)]
pub(super) struct OpenFile {
    disk: Arc<Disk>,
    name: String,
    file: File,
    /// Whether what is written now goes past the page cache.
    passes_cache: AtomicBool,
}

impl OpenFile {
    /// The store that it is in.
    pub(super) fn disk(&self) -> &Disk {
        &self.disk
    }

    /// The same, to keep.
    pub(super) fn shared_disk(&self) -> Arc<Disk> {
        Arc::clone(&self.disk)
    }

    /// The file itself.
    pub(super) fn as_file(&self) -> &File {
        &self.file
    }

    /// The file itself, to give away.
    pub(super) fn into_file(self) -> File {
        self.file
    }

    /// One step on the file.
    pub(super) fn step<T>(&self, operation: Operation, act: impl FnOnce(&File) -> io::Result<T>) -> Result<T, Error> {
        self.disk.step(operation, &self.name, |_| act(&self.file))
    }

    /// Takes the file for this open file alone, without waiting; false if another has it, in this process or another. The system
    /// gives it back when the file is closed, however that happens.
    pub(super) fn try_lock(&self) -> Result<bool, Error> {
        self.step(Operation::Lock, |file| match file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        })
    }

    /// True if the name by which it was opened still leads to this file: nobody moved, removed or replaced it since.
    pub(super) fn is_in_place(&self) -> Result<bool, Error> {
        self.is_at(&self.name)
    }

    /// True if `name` leads to this very file.
    pub(super) fn is_at(&self, name: &str) -> Result<bool, Error> {
        let identity = |found: fs::Metadata| (found.dev(), found.ino());
        let here = self.step(Operation::Inspect, |file| file.metadata().map(identity))?;
        let there = present(
            self.disk
                .step(Operation::Inspect, name, |path| fs::metadata(path).map(identity)),
        )?;
        Ok(there == Some(here))
    }

    /// The length in bytes.
    pub(super) fn size(&self) -> Result<u64, Error> {
        self.step(Operation::Inspect, |file| file.metadata().map(|found| found.len()))
    }

    /// Writes some of `bytes` at `offset`; how many, at least one. `past_cache`: not through the page cache, if the file system can.
    /// Then place, offset and length are [aligned](super::buffer::is_aligned).
    pub(super) fn write_at(&self, bytes: &[u8], offset: u64, past_cache: bool) -> Result<usize, Error> {
        self.step(Operation::Write, |file| {
            let past_cache = self.pass_cache(past_cache);
            loop {
                match file.write_at(bytes, offset) {
                    Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    // Some file systems say so only here.
                    Err(error) if error.kind() == io::ErrorKind::InvalidInput && past_cache => {
                        self.pass_cache(false);
                        return file.write_at(bytes, offset);
                    }
                    other => return other,
                }
            }
        })
    }

    /// Has writes from now on go past the page cache, or through it. Says which.
    fn pass_cache(&self, pass: bool) -> bool {
        // Most files never pass it, and cost no call of the system.
        if self.passes_cache.load(Ordering::Relaxed) != pass {
            let set = rustix::fs::fcntl_getfl(&self.file).and_then(|mut flags| {
                flags.set(OFlags::DIRECT, pass);
                rustix::fs::fcntl_setfl(&self.file, flags)
            });
            if set.is_ok() {
                self.passes_cache.store(pass, Ordering::Relaxed);
            }
        }
        self.passes_cache.load(Ordering::Relaxed)
    }

    /// Fills `bytes` from `offset` on. A file that ends before is an error.
    pub(super) fn read_at(&self, bytes: &mut [u8], offset: u64) -> Result<(), Error> {
        self.step(Operation::Read, |file| file.read_exact_at(bytes, offset))
    }

    /// Cuts the file off.
    pub(super) fn truncate(&self, size: u64) -> Result<(), Error> {
        self.step(Operation::Truncate, |file| file.set_len(size))
    }

    /// Flushes the bytes, and the length, to the device.
    pub(super) fn sync(&self) -> Result<(), Error> {
        self.step(Operation::Sync, File::sync_data)
            .map_err(|error| self.disk.distrust(error))
    }
}
