//! The local store: what was verified once, by digest, so that the second pull of the same digest costs no transfer.
//!
//! `<folder>/sha256/<encoded>` is whole and was verified before it got that name; `<encoded>.partial` beside it is a transfer
//! that goes on or broke off. Nothing of it is flushed to the disk: whatever a crash of the machine makes of a file is noticed when it is
//! used, since that verifies it again. Several processes may use a store at once. Nothing is ever evicted yet.

use std::path::{Path, PathBuf};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use wreg_oci::{Descriptor, Digest, Hasher};

use crate::{Error, files};

/// How much of a file is in memory at once, in bytes.
const BUFFER: usize = 128 * 1024;

/// A folder of verified content.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// Opens the store in `folder`. If that is not there it is made, for its owner alone: it will hold what is private at a
    /// registry.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, Error> {
        let folder = folder.into();
        files::make_private_folder_now(&folder).map_err(files::failed(&folder))?;
        Ok(Self { folder })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file with the content, if it is here and as long as `descriptor` says. It was verified before it came here; who
    /// cannot trust the disk reads it with [`crate::Registry::pull_blob`], which verifies again.
    pub fn get(&self, descriptor: &Descriptor) -> Option<PathBuf> {
        let path = self.path(&descriptor.digest);
        let metadata = std::fs::symlink_metadata(&path).ok()?;
        (metadata.is_file() && metadata.len() == descriptor.size).then_some(path)
    }

    /// Where the content of `digest` is or will be.
    pub(crate) fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join(digest.algorithm().as_str()).join(digest.encoded())
    }

    /// Keeps `bytes`, which were verified.
    pub(crate) async fn insert(&self, digest: &Digest, bytes: &[u8]) -> Result<(), Error> {
        let path = self.path(digest);
        let folder = files::folder_of(&path);
        files::make_private_folder(folder.to_owned()).await?;
        let (mut file, temporary) = files::temporary(folder, true).await?;
        file.write_all(bytes).await.map_err(files::failed(&path))?;
        files::appear_in_store(file, temporary, &path).await
    }

    /// The content of `digest` in memory, if it is here, at most `max` bytes long, and still what it was. Damaged content is removed.
    pub async fn read(&self, digest: &Digest, max: u64) -> Option<Vec<u8>> {
        let path = self.path(digest);
        let mut bytes = Vec::new();
        let file = tokio::fs::File::open(&path).await.ok()?;
        file.take(max.saturating_add(1)).read_to_end(&mut bytes).await.ok()?;
        if bytes.len() as u64 > max {
            return None;
        }
        if Digest::of(digest.algorithm(), &bytes) == *digest {
            return Some(bytes);
        }
        self.remove(digest).await;
        None
    }

    /// Copies the content to `to`; whether it was what it should be. If not, it is gone from here.
    pub(crate) async fn copy(
        &self,
        descriptor: &Descriptor,
        to: &mut (impl tokio::io::AsyncWrite + Unpin),
        path: &Path,
    ) -> Result<bool, Error> {
        let place = self.path(&descriptor.digest);
        let file = tokio::fs::File::open(&place).await.map_err(files::failed(&place))?;
        let mut file = file.take(descriptor.size.saturating_add(1));
        let (mut buffer, mut hasher) = (vec![0; BUFFER], Hasher::new(descriptor.digest.algorithm()));
        loop {
            let count = file.read(&mut buffer).await.map_err(files::failed(&place))?;
            if count == 0 {
                break;
            }
            hasher.update(&buffer[..count]);
            to.write_all(&buffer[..count]).await.map_err(files::failed(path))?;
        }
        let is_right = hasher.finish() == descriptor.digest;
        if !is_right {
            self.remove(&descriptor.digest).await;
        }
        Ok(is_right)
    }

    async fn remove(&self, digest: &Digest) {
        let path = self.path(digest);
        tracing::warn!(path = %path.display(), "the local store held damaged content, which is removed");
        let _ = tokio::fs::remove_file(path).await;
    }
}
