//! What a blob that is pushed is read from.

use std::{ops::Range, path::Path};

use bytes::Bytes;
use wreg_oci::{Descriptor, Digest};

use crate::{Error, files, http::Body};

/// Where the bytes of a blob are. They are read piece by piece, and again where an upload has to go back.
#[derive(Debug, Clone)]
pub enum BlobSource<'a> {
    /// A file, which must not change while it is pushed.
    File(&'a Path),
    /// Bytes in memory.
    Bytes(Bytes),
}

impl BlobSource<'_> {
    /// Whether it can be what `descriptor` describes: bytes by their digest, a file by its length. What a file holds is
    /// verified by the registry.
    pub(super) async fn check(&self, descriptor: &Descriptor) -> Result<(), Error> {
        match self {
            Self::Bytes(bytes) => {
                let actual = Digest::of(descriptor.digest.algorithm(), bytes);
                if actual == descriptor.digest && bytes.len() as u64 == descriptor.size {
                    return Ok(());
                }
                Err(Error::NotItsDigest {
                    expected: descriptor.digest.clone(),
                    actual,
                })
            }
            Self::File(_) => self.check_length(descriptor).await,
        }
    }

    /// Whether a file is still as long as `descriptor` says; bytes in memory are.
    pub(super) async fn check_length(&self, descriptor: &Descriptor) -> Result<(), Error> {
        let Self::File(path) = self else {
            return Ok(());
        };
        let actual = tokio::fs::metadata(path).await.map_err(files::failed(path))?.len();
        if actual == descriptor.size {
            return Ok(());
        }
        Err(Error::SourceChanged {
            path: (*path).to_owned(),
            expected: descriptor.size,
            actual,
        })
    }

    /// Part of it as the body of a request; `range` lies within.
    pub(super) fn body(&self, range: Range<u64>) -> Body {
        match self {
            Self::File(path) => Body::File {
                path: (*path).to_owned(),
                offset: range.start,
                length: range.end.saturating_sub(range.start),
            },
            Self::Bytes(bytes) => {
                let end = usize::try_from(range.end).map_or(bytes.len(), |end| end.min(bytes.len()));
                let start = usize::try_from(range.start).map_or(end, |start| start.min(end));
                Body::Bytes(bytes.slice(start..end))
            }
        }
    }
}
