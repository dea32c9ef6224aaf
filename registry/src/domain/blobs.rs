//! Blobs: read, mounted from other repositories, deleted. How they come is in `uploads.rs`.

use std::{ops::Range, process::Stdio};

use bytes::Bytes;
use wreg_oci::{Digest, RepositoryName};

use super::{ByteStream, Error, Registry, Result};
use crate::{
    auth::{
        Permit,
        permit::{Delete, Pull, Push},
    },
    clock::Millis,
    metadata::{
        self,
        blobs::{DeleteBlob, Deletion, MountBlob, MoveBlob, Place, RenewLease},
    },
    storage::BlobKey,
};

/// Repositories that are looked at for a mount without `from`.
const HOLDERS: usize = 16;

/// A blob that a repository holds.
#[derive(Debug, Clone)]
pub struct Blob {
    digest: Digest,
    size: u64,
    content: Content,
    leased_until: Millis,
}

/// Where its bytes are.
#[derive(Debug, Clone)]
enum Content {
    Store(BlobKey),
    Here(Bytes),
}

/// Bytes of a blob, on their way out.
pub enum BlobBytes {
    /// All of them.
    Whole(Bytes),
    /// One after the other.
    Stream(ByteStream),
}

impl Blob {
    /// Its digest.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }
}

impl Registry {
    /// The blob, if the repository holds it (end-2).
    pub async fn get_blob(&self, permit: &Permit<Pull>, digest: &Digest) -> Result<Blob> {
        self.find_blob(permit.repository(), digest).await
    }

    /// The same for the registry itself.
    pub(super) async fn find_blob(&self, repository: &RepositoryName, digest: &Digest) -> Result<Blob> {
        let record = self.metadata.find_blob(repository, digest).await?;
        let record = record.ok_or_else(|| Error::BlobUnknown(digest.clone()))?;
        Ok(Blob {
            digest: digest.clone(),
            size: record.size,
            content: match &record.place {
                Place::Store(location) => Content::Store(key_of(location)?),
                Place::Row(content) => Content::Here(content.clone()),
            },
            leased_until: record.leased_until,
        })
    }

    /// Whether the store has the blob's bytes: a client that hears so will not send them again, so they are kept for it long enough
    /// to name them in a manifest. That is written down only where nothing else keeps the blob and under half its lease remains.
    pub async fn confirm_blob(&self, permit: &Permit<Pull>, blob: &Blob) -> Result<()> {
        let lease = self.lease();
        let repository = permit.repository();
        if blob.leased_until < lease.renew_before && !self.metadata.is_blob_referenced(repository, &blob.digest).await?
        {
            let operation = RenewLease {
                repository: repository.clone(),
                digest: blob.digest.clone(),
                lease,
            };
            if !self.metadata.write(operation).await? {
                return Err(Error::BlobUnknown(blob.digest.clone()));
            }
        }
        let Content::Store(key) = &blob.content else {
            return Ok(());
        };
        match self.storage.size(key).await? {
            Some(size) if size == blob.size => Ok(()),
            found => Err(lost(blob, key, found)),
        }
    }

    /// Bytes of the blob, a range within it. As they are: who reads them compares the digest.
    pub async fn read_blob(&self, blob: &Blob, range: Range<u64>) -> Result<BlobBytes> {
        let key = match &blob.content {
            Content::Store(key) => key,
            Content::Here(bytes) => {
                let [start, end] = [range.start, range.end].map(|at| usize::try_from(at).unwrap_or(bytes.len()));
                return Ok(BlobBytes::Whole(bytes.slice(start..end)));
            }
        };
        if let Some(bytes) = self.storage.at_hand(key, &range) {
            return Ok(BlobBytes::Whole(bytes));
        }
        let stream = self.storage.read(key, range).await?;
        stream.map(BlobBytes::Stream).ok_or_else(|| lost(blob, key, None))
    }

    /// The blob as what another process may read, where it is a file.
    pub(super) async fn blob_file(&self, blob: &Blob) -> Result<Option<Stdio>> {
        match &blob.content {
            Content::Store(key) => Ok(self.storage.file(key).await?.map(Stdio::from)),
            Content::Here(_) => Ok(None),
        }
    }

    /// Where the caller may read the blob by itself, for a while; `None` for here alone.
    pub async fn redirect_blob(&self, blob: &Blob) -> Result<Option<String>> {
        match &blob.content {
            Content::Store(key) => Ok(self.storage.redirect_url(key).await?),
            Content::Here(_) => Ok(None),
        }
    }

    /// Gives the repository a blob that another one holds (end-11). Says whether it has it now.
    pub async fn mount_blob(&self, to: &Permit<Push>, from: &Permit<Pull>, digest: &Digest) -> Result<bool> {
        let operation = MountBlob {
            from: from.repository().clone(),
            to: to.repository().clone(),
            digest: digest.clone(),
            lease: self.lease(),
            defaults: self.defaults,
            actor: to.actor().to_string(),
            now: self.clock.now(),
        };
        Ok(self.metadata.write(operation).await?)
    }

    /// Repositories that hold the blob, a few of them. For the gate to choose one that the caller may read; never to be told.
    pub async fn list_holders(&self, _for: &Permit<Push>, digest: &Digest) -> Result<Vec<RepositoryName>> {
        Ok(self.metadata.list_holders(digest, HOLDERS).await?)
    }

    /// Of the bytes that a push has brought to `new` and those that the database knows at the location `known`, keeps the latter;
    /// unless the store has lost them, which pushing again is to make good.
    pub(super) async fn keep_one_copy(&self, digest: &Digest, size: u64, known: &str, new: Place) -> Result<()> {
        // Without a location they are in the database itself.
        if !known.is_empty() && self.storage.size(&key_of(known)?).await? != Some(size) {
            let operation = MoveBlob {
                digest: digest.clone(),
                from: known.to_owned(),
                to: new.clone(),
            };
            if self.metadata.write(operation).await? {
                tracing::info!(%digest, location = new.location(), "a blob that was missing from the store is there again");
                return Ok(());
            }
        }
        self.drop_copy(&new).await;
        Ok(())
    }

    /// Removes bytes of the store that no row knows. A second copy is harmless, so a failure here is not the client's.
    pub(super) async fn drop_copy(&self, place: &Place) {
        let Place::Store(location) = place else { return };
        let removed = match location.parse() {
            Ok(key) => self.storage.delete(&key).await,
            Err(_) => return,
        };
        if let Err(error) = removed {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a second copy of a blob was left behind"
            );
        }
    }

    /// Takes the blob away from the repository (end-10), unless a manifest there is made of it.
    pub async fn delete_blob(&self, permit: &Permit<Delete>, digest: &Digest) -> Result<()> {
        let operation = DeleteBlob {
            repository: permit.repository().clone(),
            digest: digest.clone(),
            actor: permit.actor().to_string(),
            now: self.clock.now(),
        };
        deleted(self.metadata.write(operation).await?, || {
            Error::BlobUnknown(digest.clone())
        })
    }
}

/// Where the database says that a blob's bytes are.
fn key_of(location: &str) -> Result<BlobKey> {
    let corrupt = |_| metadata::Error::Corrupt {
        table: "blobs",
        column: "location",
    };
    Ok(location.parse().map_err(corrupt)?)
}

/// The database says that the bytes are there and the store says that they are not. Somebody has to know.
fn lost(blob: &Blob, key: &BlobKey, found: Option<u64>) -> Error {
    tracing::error!(digest = %blob.digest, location = %key, expected = blob.size, ?found, "a blob is missing from the store or has another size: push it again or restore it");
    Error::BlobUnknown(blob.digest.clone())
}

pub(super) fn deleted(deletion: Deletion, unknown: impl FnOnce() -> Error) -> Result<()> {
    match deletion {
        Deletion::Done => Ok(()),
        Deletion::Unknown => Err(unknown()),
        Deletion::Forbidden => Err(Error::DeletionDisabled),
        Deletion::InUse { by } => Err(Error::InUse { by }),
    }
}
