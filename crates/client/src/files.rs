//! Files that appear whole or not at all.

use std::{
    io,
    path::{Path, PathBuf},
};

use tempfile::{NamedTempFile, TempPath};
use tokio::{fs::File, io::AsyncWriteExt as _};

use crate::Error;

/// The error of a file.
pub(crate) fn failed(path: &Path) -> impl FnOnce(io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::File { path, source }
}

/// The folder that `path` is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// A new file in `folder` under a name that nobody else has, removed when it is dropped before [`appear`].
/// Only its owner can read it if it is `private`.
pub(crate) async fn temporary(folder: &Path, private: bool) -> Result<(File, TempPath), Error> {
    let place = folder.to_owned();
    let made = blocking(move || {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".wreg-");
        #[cfg(unix)]
        if !private {
            use std::os::unix::fs::PermissionsExt as _;
            // As other programs make files: what the umask leaves of it.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        #[cfg(not(unix))]
        let _ = private;
        builder.tempfile_in(place).map(NamedTempFile::into_parts)
    });
    let (file, path) = made.await.map_err(failed(folder))?;
    Ok((File::from_std(file), path))
}

/// Gives a temporary file its name for good, in place of what has that name: durable when this returns.
pub(crate) async fn appear(file: File, temporary: TempPath, path: &Path) -> Result<(), Error> {
    file.sync_all().await.map_err(failed(path))?;
    persist(temporary, path).await?;
    sync_folder(folder_of(path)).await
}

/// The same for what is verified whenever it is used: it need not outlive a crash of the machine.
pub(crate) async fn appear_in_store(mut file: File, temporary: TempPath, path: &Path) -> Result<(), Error> {
    file.flush().await.map_err(failed(path))?;
    persist(temporary, path).await
}

async fn persist(temporary: TempPath, path: &Path) -> Result<(), Error> {
    let target = path.to_owned();
    blocking(move || temporary.persist(target).map_err(|error| error.error))
        .await
        .map_err(failed(path))
}

/// Makes a change of names in `folder` durable. Not every system knows how; there the change comes when it comes.
pub(crate) async fn sync_folder(folder: &Path) -> Result<(), Error> {
    if cfg!(unix) {
        let opened = File::open(folder).await.map_err(failed(folder))?;
        opened.sync_all().await.map_err(failed(folder))?;
    }
    Ok(())
}

/// Replaces the file at `path`, and makes its folder if there is none; only the owner can read either.
pub(crate) async fn replace_private(path: &Path, text: String) -> Result<(), Error> {
    let folder = folder_of(path);
    make_private_folder(folder.to_owned()).await?;
    let (mut file, temporary) = temporary(folder, true).await?;
    file.write_all(text.as_bytes()).await.map_err(failed(path))?;
    appear(file, temporary, path).await
}

/// Makes a folder, and those above it, for the owner alone. One that is there stays as it is.
pub(crate) async fn make_private_folder(folder: PathBuf) -> Result<(), Error> {
    let place = folder.clone();
    blocking(move || make_private_folder_now(&folder))
        .await
        .map_err(failed(&place))
}

/// The same without a runtime.
pub(crate) fn make_private_folder_now(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder)
}

/// Runs what waits for the file system on a thread that may wait.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
