//! A blob on its way to a file: what is there of it, and the hash of that.

use std::{
    fs::{self, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use tempfile::TempPath;
use tokio::{
    fs::File,
    io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _},
};
use wreg_oci::{Descriptor, Hasher};

use crate::{Error, Store, files};

const BUFFER: usize = 128 * 1024;

/// How often a partial file that vanishes under our hands is opened again.
const MAX_OPENS: usize = 8;

/// A file that grows towards a blob.
pub(super) struct Partial {
    file: File,
    place: Place,
    hasher: Hasher,
    /// The number of bytes that are there.
    pub(super) length: u64,
    /// How many of them an earlier process wrote.
    pub(super) found: u64,
}

enum Place {
    /// In the store, under a name that the next process finds; locked as long as it is open.
    Kept(PathBuf),
    /// Under a name of its own; gone when dropped.
    Temporary(TempPath),
}

impl Partial {
    /// The partial file in the store, with what an earlier process left in it. If another process is filling it right now, a
    /// file of our own: waiting for a stranger could last for ever.
    pub(super) async fn in_store(store: &Store, descriptor: &Descriptor) -> Result<Self, Error> {
        let target = store.path(&descriptor.digest);
        let folder = files::folder_of(&target);
        files::make_private_folder(folder.to_owned()).await?;
        let path = target.with_extension("partial");
        let place = path.clone();
        let opened = files::blocking(move || open_locked(&place))
            .await
            .map_err(files::failed(&path))?;
        let Some(file) = opened else {
            return Self::temporary(folder, true, descriptor).await;
        };
        let mut partial = Self::new(File::from_std(file), Place::Kept(path), descriptor);
        partial.take_up(descriptor.size).await?;
        Ok(partial)
    }

    /// An empty file in `folder`.
    pub(super) async fn temporary(folder: &Path, private: bool, descriptor: &Descriptor) -> Result<Self, Error> {
        let (file, path) = files::temporary(folder, private).await?;
        Ok(Self::new(file, Place::Temporary(path), descriptor))
    }

    fn new(file: File, place: Place, descriptor: &Descriptor) -> Self {
        Self {
            file,
            place,
            hasher: Hasher::new(descriptor.digest.algorithm()),
            length: 0,
            found: 0,
        }
    }

    /// Hashes what is there. If that is more than the blob has, it is worth nothing.
    async fn take_up(&mut self, size: u64) -> Result<(), Error> {
        let mut buffer = vec![0; BUFFER];
        loop {
            let count = self.file.read(&mut buffer).await.map_err(files::failed(self.path()))?;
            if count == 0 {
                break;
            }
            self.hasher.update(&buffer[..count]);
            self.length += count as u64;
            if self.length > size {
                return self.restart().await;
            }
        }
        self.found = self.length;
        Ok(())
    }

    /// Forgets what is there.
    pub(super) async fn restart(&mut self) -> Result<(), Error> {
        self.hasher = Hasher::new(self.hasher.algorithm());
        (self.length, self.found) = (0, 0);
        let emptied = async {
            self.file.set_len(0).await?;
            self.file.rewind().await?;
            Ok(())
        };
        emptied.await.map_err(files::failed(self.path()))
    }

    /// Appends the next bytes.
    pub(super) async fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        // It is written while the next bytes come: if the process ends right after, these have to come again.
        self.file.write_all(bytes).await.map_err(files::failed(self.path()))?;
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Has everything that was taken be in the file, whatever becomes of this process.
    pub(super) async fn flush(&mut self) -> Result<(), Error> {
        self.file.flush().await.map_err(files::failed(self.path()))
    }

    /// The digest of what is there.
    pub(super) fn digest(&self) -> wreg_oci::Digest {
        self.hasher.clone().finish()
    }

    /// Gives the file its name for good: durable when this returns, unless it is the local store's.
    pub(super) async fn appear(self, target: &Path) -> Result<(), Error> {
        match self.place {
            Place::Temporary(path) => files::appear(self.file, path, target).await,
            Place::Kept(path) => {
                let mut file = self.file;
                file.flush().await.map_err(files::failed(&path))?;
                tokio::fs::rename(&path, target).await.map_err(files::failed(target))
            }
        }
    }

    /// Removes the file: what is in it is of no use to anybody.
    pub(super) async fn discard(self) {
        if let Place::Kept(path) = &self.place {
            let _ = tokio::fs::remove_file(path).await;
        }
    }

    fn path(&self) -> &Path {
        match &self.place {
            Place::Kept(path) => path,
            Place::Temporary(path) => path,
        }
    }
}

/// Opens and locks the file at `path`; `None` if somebody else has it, or this file system knows no locks.
fn open_locked(path: &Path) -> io::Result<Option<fs::File>> {
    for _ in 0..MAX_OPENS {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let file = options.open(path)?;
        if file.try_lock().is_err() {
            return Ok(None);
        }
        // Between opening and locking another process may have finished the file and renamed it: this would be the blob.
        if is_still(path, &file)? {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

fn is_still(path: &Path, file: &fs::File) -> io::Result<bool> {
    let named = match fs::symlink_metadata(path) {
        Ok(named) => named,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let opened = file.metadata()?;
        Ok((named.dev(), named.ino()) == (opened.dev(), opened.ino()))
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        Ok(named.is_file())
    }
}
