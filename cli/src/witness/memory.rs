//! What a witness remembers: for each log the checkpoint that it signed last, in a file that is durable before anybody is told.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use wreg_trust::log::{
    Checkpoint, SignedNote,
    note::MAX_NOTE,
    witness::{Known, hex},
};

use crate::files;

/// Held for as long as a witness uses the folder.
const LOCK: &str = "lock";

/// Why the memory cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MemoryError {
    #[error("the folder {path} cannot be used", path = .path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("another witness uses the folder {path}", path = .path.display())]
    InUse { path: PathBuf },
    #[error("{path} cannot be read", path = .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} holds no checkpoint of {origin}", path = .path.display())]
    Corrupt { path: PathBuf, origin: String },
}

/// A checkpoint that was signed.
#[derive(Debug, Clone)]
pub(super) struct Signed {
    pub(super) known: Known,
    /// With its signatures.
    pub(super) note: String,
}

/// The folder.
pub(super) struct Memory {
    folder: PathBuf,
    _lock: File,
}

impl Memory {
    /// Makes the folder if it is not there, and keeps others off it.
    pub(super) fn open(folder: &Path) -> Result<Self, MemoryError> {
        let path = || folder.to_owned();
        let unusable = |source| MemoryError::Folder { path: path(), source };
        fs::create_dir_all(folder).map_err(unusable)?;
        let lock = File::create(folder.join(LOCK)).map_err(unusable)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => MemoryError::InUse { path: path() },
            TryLockError::Error(error) => unusable(error),
        })?;
        Ok(Self {
            folder: folder.to_owned(),
            _lock: lock,
        })
    }

    /// What was signed last of a log. What cannot be read is an error: without its memory a witness would sign anything.
    pub(super) fn find(&self, origin: &str) -> Result<Option<Signed>, MemoryError> {
        let path = self.path(origin, "checkpoint");
        let note = files::read_text(&path, MAX_NOTE as u64).map_err(|source| MemoryError::Read {
            path: path.clone(),
            source,
        })?;
        let Some(note) = note else { return Ok(None) };
        let read = note.parse().ok().and_then(|note: SignedNote| note.text().parse().ok());
        let checkpoint = read.filter(|checkpoint: &Checkpoint| checkpoint.origin == origin);
        let Some(Checkpoint { size, root, .. }) = checkpoint else {
            let origin = origin.to_owned();
            return Err(MemoryError::Corrupt { path, origin });
        };
        let known = Known { size, root };
        Ok(Some(Signed { known, note }))
    }

    /// Remembers what is signed. When it comes back, no loss of power can make it forgotten.
    pub(super) fn keep(&self, origin: &str, note: &str) -> io::Result<()> {
        self.write(&self.path(origin, "checkpoint"), note)
    }

    /// Keeps a checkpoint that proves that a log shows different things to different people. Gives its file.
    pub(super) fn keep_evidence(&self, origin: &str, note: &str) -> io::Result<PathBuf> {
        let path = self.path(origin, "fork");
        self.write(&path, note)?;
        Ok(path)
    }

    fn write(&self, path: &Path, text: &str) -> io::Result<()> {
        let mut file = files::new_file(&self.folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        File::open(&self.folder)?.sync_all()
    }

    fn path(&self, origin: &str, ending: &str) -> PathBuf {
        self.folder.join(format!("{}.{ending}", hex(origin)))
    }
}
