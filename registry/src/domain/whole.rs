//! A small blob that comes in one piece: hashed in memory, and stored in one go.
//!
//! Nothing is written before the bytes are known to be what their digest names. The session that they may come by is not needed for
//! any of this, and ends in the transaction that makes them a blob.

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use wreg_oci::Digest;

use super::{ByteStream, Error, Registry, Result, uploads::Chunk};
use crate::{
    auth::{Permit, permit::Push},
    metadata::blobs::{Place, PutBlob},
    storage::{BlobKey, UploadId, WHOLE},
};

/// Whether a whole blob of a known length is stored in this way.
pub(super) fn is_small(chunk: &Chunk) -> bool {
    chunk.length.is_some_and(|length| length <= WHOLE as u64)
}

/// The bytes of such a blob.
pub(super) async fn collect(body: ByteStream, length: u64) -> Result<Bytes> {
    let broken = |error| Err(Error::BodyBroken(error));
    let mut body = body;
    let first = match body.next().await {
        None => Bytes::new(),
        Some(Ok(first)) => first,
        Some(Err(error)) => return broken(error),
    };
    // Most come in one piece, or nearly so.
    let bytes = if first.len() as u64 == length {
        first
    } else {
        let mut bytes = BytesMut::with_capacity(usize::try_from(length).unwrap_or(WHOLE).min(WHOLE));
        bytes.extend_from_slice(&first);
        while let Some(piece) = body.next().await {
            match piece {
                Ok(piece) if bytes.len() + piece.len() <= WHOLE => bytes.extend_from_slice(&piece),
                Ok(_) => return Err(too_many(length)),
                Err(error) => return broken(error),
            }
        }
        bytes.freeze()
    };
    if bytes.len() as u64 == length {
        Ok(bytes)
    } else {
        Err(Error::SizeMismatch {
            expected: length,
            actual: bytes.len() as u64,
        })
    }
}

fn too_many(expected: u64) -> Error {
    Error::SizeMismatch {
        expected,
        actual: expected.saturating_add(1),
    }
}

impl Registry {
    /// Makes `bytes` a blob of the repository and ends the session that they came by. A digest that does not match is an error, and
    /// nothing is stored.
    pub(super) async fn put_whole(
        &self,
        permit: &Permit<Push>,
        session: Option<UploadId>,
        expected: Digest,
        bytes: Bytes,
    ) -> Result<()> {
        let actual = Digest::of(expected.algorithm(), &bytes);
        if actual != expected {
            return Err(Error::DigestMismatch { expected, actual });
        }
        let size = bytes.len() as u64;
        // A generation of its own, which no writer of the session can know.
        let key = BlobKey::new(expected.clone(), UploadId::random());
        let place = if bytes.len() <= self.limits.small_blob {
            Place::Row(Bytes::copy_from_slice(&bytes))
        } else {
            self.storage.put(&key, bytes).await?;
            Place::Store(key.to_string())
        };
        let put = PutBlob {
            repository: permit.repository().clone(),
            digest: expected.clone(),
            size,
            place: place.clone(),
            upload: session.map(|id| id.to_string()),
            leased_until: self.lease().until,
            defaults: self.defaults,
            actor: permit.actor().to_string(),
            now: self.clock.now(),
        };
        match self.metadata.put_blob(put).await {
            Ok(Some(known)) if known == place.location() => Ok(()),
            Ok(Some(known)) => self.keep_one_copy(&expected, size, &known, place).await,
            Ok(None) => {
                self.drop_copy(&place).await;
                Err(Error::UploadUnknown)
            }
            // Whether it was committed is not known: the bytes must stay. Where it was not, the check of the store finds them.
            Err(error) => Err(error.into()),
        }
    }
}
