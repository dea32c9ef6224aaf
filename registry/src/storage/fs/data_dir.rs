//! The data folder, and the lock that keeps a second server out of it.

use std::{
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// The file whose lock says that a server uses the folder.
const LOCK: &str = "lock";

/// A data folder that this process holds alone, until the value is dropped (or the process ends, however it does).
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    _lock: File,
}

/// Why a folder cannot be the data folder.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Another process holds it.
    #[error("another server uses the data folder {}", .0.display())]
    InUse(PathBuf),
    /// It cannot be made, opened or locked.
    #[error("the data folder {} cannot be used", path.display())]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl DataDir {
    /// Takes the folder `path` for this process. A folder that is not there is made, with its parents, for the owner alone (0700).
    /// Blocks; for the start.
    pub(crate) fn lock(path: &Path) -> Result<Self, DataDirError> {
        match Self::open_lock(path) {
            Ok(Some(lock)) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Ok(None) => Err(DataDirError::InUse(path.to_owned())),
            Err(source) => Err(DataDirError::Unusable {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The lock, or `None` if another process (or another value in this one) has it.
    fn open_lock(path: &Path) -> io::Result<Option<File>> {
        if !path.try_exists()? {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
            // `parent` of a one-part path is the empty path, which means the current folder but cannot be opened.
            let parent = path
                .parent()
                .filter(|parent| !parent.as_os_str().is_empty())
                .unwrap_or(Path::new("."));
            File::open(parent)?.sync_all()?;
        }
        let lock = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(lock)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(source),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_server_on_the_same_data_folder_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("data");
        let first = DataDir::lock(&path).expect("the folder is free");
        let refusal = DataDir::lock(&path).expect_err("the folder is taken").to_string();
        assert_eq!(
            refusal,
            format!("another server uses the data folder {}", path.display())
        );
        drop(first);
        DataDir::lock(&path).expect("the folder is free again");
    }

    #[test]
    fn a_new_data_folder_is_the_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a/b");
        let _data = DataDir::lock(&path).expect("the folder is made");
        assert_eq!(
            fs::metadata(&path).expect("it is there").permissions().mode() & 0o777,
            0o700
        );
    }

    #[test]
    fn a_data_folder_that_is_a_file_is_refused_by_name() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        let refusal = DataDir::lock(file.path()).expect_err("a file is no folder").to_string();
        assert!(refusal.contains(&*file.path().to_string_lossy()), "{refusal}");
    }
}
