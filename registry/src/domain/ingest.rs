//! Bytes on their way into the store, hashed as they pass.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt as _;
use wreg_oci::{Algorithm, Digest, Hasher};

use super::{BoxError, ByteStream, Error, Registry, Result};
use crate::storage::{AppendError, BlobKey, HeldUpload, Position, StopCause, Then, UploadId};

/// Where an upload stands: the durable bytes and the hash over exactly those.
#[derive(Debug, Clone)]
pub(super) struct Progress {
    pub(super) position: Position,
    pub(super) hasher: Hasher,
}

impl Progress {
    /// Nothing has come yet.
    pub(super) fn start(algorithm: Algorithm) -> Self {
        Self {
            position: Position::START,
            hasher: Hasher::new(algorithm),
        }
    }

    /// Bytes that are durable.
    pub(super) fn received(&self) -> u64 {
        self.position.offset
    }
}

/// An upload that this request, and no other, writes to.
pub(super) struct Held {
    pub(super) id: UploadId,
    pub(super) upload: Box<dyn HeldUpload>,
}

/// What an append came to.
pub(super) struct Appended {
    /// Where the upload stands now; `None` if that could not be found out.
    pub(super) progress: Option<Progress>,
    /// Whether the whole body came.
    pub(super) outcome: Result<()>,
}

/// What has passed.
struct Passed {
    hasher: Hasher,
    bytes: u64,
}

/// More bytes came than are allowed.
#[derive(Debug, thiserror::Error)]
#[error("the body is longer than {limit} bytes")]
struct TooLong {
    limit: u64,
}

/// Hashes what passes; breaks off with [`TooLong`] before a piece that would exceed `limit`.
fn hashing(body: ByteStream, passed: Arc<Mutex<Passed>>, limit: u64) -> ByteStream {
    body.map(move |piece| {
        let piece = piece?;
        let mut passed = passed.lock().unwrap_or_else(PoisonError::into_inner);
        if passed.bytes + piece.len() as u64 > limit {
            return Err(Box::new(TooLong { limit }) as BoxError);
        }
        passed.hasher.update(&piece);
        passed.bytes += piece.len() as u64;
        Ok(piece)
    })
    .boxed()
}

impl Registry {
    /// Appends `body`, at most `limit` bytes of it, to an upload that the caller holds and that stands at `from`.
    pub(super) async fn append(
        &self,
        held: &mut Held,
        from: Progress,
        body: ByteStream,
        limit: u64,
        then: Then,
    ) -> Appended {
        let passed = Arc::new(Mutex::new(Passed {
            hasher: from.hasher.clone(),
            bytes: 0,
        }));
        let result = held
            .upload
            .append(&from.position, hashing(body, Arc::clone(&passed), limit), then)
            .await;
        let (hasher, bytes) = {
            let passed = passed.lock().unwrap_or_else(PoisonError::into_inner);
            (passed.hasher.clone(), passed.bytes)
        };
        match result {
            Ok(position) => Appended {
                progress: Some(Progress { position, hasher }),
                outcome: Ok(()),
            },
            Err(AppendError::Gone) => Appended {
                progress: None,
                outcome: Err(Error::UploadUnknown),
            },
            Err(AppendError::Lost { durable }) => {
                let fresh = Progress::start(from.hasher.algorithm());
                let progress = rehash(held, fresh, Position::plain(durable)).await.ok();
                Appended {
                    progress,
                    outcome: Err(Error::UploadOutOfOrder { at: durable }),
                }
            }
            Err(AppendError::Stopped { durable, cause }) => {
                // Some of what passed may not have reached the disk: then the hash is taken of what is there.
                let progress = if durable.offset == from.received() + bytes {
                    Some(Progress {
                        position: durable,
                        hasher,
                    })
                } else {
                    rehash(held, from, durable).await.ok()
                };
                Appended {
                    progress,
                    outcome: Err(stopped(cause)),
                }
            }
        }
    }

    /// The digest of a finished upload, by the algorithm of `expected`. Where that is not the one that was computed on the way, what
    /// is stored is read.
    pub(super) async fn digest(&self, held: &mut Held, progress: &Progress, expected: &Digest) -> Result<Digest> {
        if progress.hasher.algorithm() == expected.algorithm() {
            return Ok(progress.hasher.clone().finish());
        }
        if self.is_committed(held.id, expected, progress.received()).await? {
            return Ok(expected.clone());
        }
        let fresh = Progress::start(expected.algorithm());
        Ok(rehash(held, fresh, progress.position.clone()).await?.hasher.finish())
    }

    /// Whether the store has made the upload's bytes a blob already, for a request that never got as far as to say so: the server
    /// died, or the disk was full. The digest was checked then.
    pub(super) async fn is_committed(&self, upload: UploadId, digest: &Digest, size: u64) -> Result<bool> {
        let key = BlobKey::new(digest.clone(), upload);
        Ok(self.storage.size(&key).await? == Some(size))
    }
}

/// The hash over the durable bytes before `to`, going on from `from`.
async fn rehash(held: &mut Held, from: Progress, to: Position) -> Result<Progress> {
    let mut hasher = from.hasher;
    let range = from.position.offset..to.offset;
    if !range.is_empty() {
        let mut bytes = held.upload.read(&to, range).await?.ok_or(Error::UploadUnknown)?;
        while let Some(piece) = bytes.next().await {
            hasher.update(&piece.map_err(Error::Unavailable)?);
        }
    }
    Ok(Progress { position: to, hasher })
}

fn stopped(cause: StopCause) -> Error {
    match cause {
        StopCause::Storage(error) => error.into(),
        StopCause::Body(error) => match error.downcast::<TooLong>() {
            Ok(too_long) => Error::BlobTooLarge { limit: too_long.limit },
            Err(error) => Error::BodyBroken(error),
        },
    }
}
