//! Blobs in a bucket: the backend that several servers share.
//!
//! ```text
//! blobs/sha256/ab/abcd….0b0c…-…       a blob's bytes, or nothing if they are under data/: see `names.rs`
//! data/0b0c…-…                        the bytes of a blob that came in parts
//! uploads/0b0c…-…/1234.5e6f…-…        what an upload has beyond its last whole part
//! uploads/0b0c…-…/sealed              an upload whose parts were joined to be read, and are no blob yet
//! log/…                               files of the log of changes
//! probe/…                             the probe's own
//! ```
//!
//! Bytes arrive in parts of one size ([`PART`]), so how an upload lies in the bucket follows from its offset: whole parts of a multipart
//! upload, and a *tail*, an object of its own, with what is beyond them. What the server must know of them (`state.rs`) is kept by the
//! caller with the offset. No server keeps anything of its own, and nothing relies on conditional writes:
//!
//! - An object gets one content ever. Tails have random names, `data/…` is made by the one multipart upload whose id the caller noted.
//! - A multipart upload is completed by naming the `ETag` of every part. Where two servers went on from one position, the parts of
//!   the one that lost are not named; one that overwrote a part of the other makes the completion fail.
//! - A session never starts again from nothing under its name: an upload whose pieces are lost is gone.

mod append;
mod bucket;
mod buffers;
mod client;
mod commit;
mod failure;
mod held;
mod hot;
mod list;
mod names;
mod probe;
mod read;
mod state;
mod tail;
#[cfg(test)]
mod tests;

use std::{ops::Range, sync::Arc};

use bytes::{Bytes, BytesMut};
use futures_util::{TryStreamExt as _, future::BoxFuture};

use self::{
    bucket::Bucket,
    buffers::Buffers,
    held::{HeldParts, Holds},
    hot::Hot,
};
use super::{
    BlobKey, BlobStore, ByteStream, Error, ErrorKind, Faults, HeldUpload, LOG_FILE, Listing, LogKey, Operation,
    S3Settings, UploadId,
};

/// The size of every part but the last, in bytes. S3 takes none below 5 MiB, and 10,000 for an object.
pub(super) const PART: usize = 8 << 20;

const _: () = assert!((PART * state::MAX_PARTS) as u64 == S3Settings::MAX_BLOB);

/// A [`BlobStore`] in a bucket. Clones are the same store.
#[derive(Clone)]
pub(crate) struct S3Store {
    inner: Arc<Inner>,
}

/// What all calls share.
struct Inner {
    bucket: Bucket,
    buffers: Arc<Buffers>,
    holds: Arc<Holds>,
    hot: Hot,
    redirect: bool,
}

impl S3Store {
    /// Prepares the store. The bucket is first asked by the probe.
    pub(crate) async fn open(settings: &S3Settings, faults: Faults) -> Self {
        Self::with_client(settings, client::connect(settings).await, faults)
    }

    fn with_client(settings: &S3Settings, client: aws_sdk_s3::Client, faults: Faults) -> Self {
        // Where a test makes steps fail, every step is made.
        let hot = Hot::new(!faults.are_injected());
        Self {
            inner: Arc::new(Inner {
                bucket: Bucket::new(client, settings, faults),
                buffers: Buffers::new(settings.memory),
                holds: Arc::default(),
                hot,
                redirect: settings.redirect,
            }),
        }
    }
}

impl BlobStore for S3Store {
    fn size(&self, key: &BlobKey) -> BoxFuture<'_, Result<Option<u64>, Error>> {
        let key = key.clone();
        Box::pin(async move {
            let bucket = &self.inner.bucket;
            match names::find(bucket, &key).await? {
                Some(found) => Ok(Some(found.size)),
                None => bucket.confirm().await.map(|()| None),
            }
        })
    }

    fn read(&self, key: &BlobKey, range: Range<u64>) -> BoxFuture<'_, Result<Option<ByteStream>, Error>> {
        let (key, hot) = (key.clone(), &self.inner.hot);
        Box::pin(async move {
            let (length, wanted) = (range.end, hot.wants(&range));
            match read::blob(&self.inner.bucket, key.clone(), range).await? {
                Some(read) if wanted => {
                    let kept = hot.keep(&key, length, read).await.map(Some);
                    kept.map_err(|why| Error::of_kind(Operation::Read, key.object(), ErrorKind::Transient, why))
                }
                read => Ok(read),
            }
        })
    }

    fn at_hand(&self, key: &BlobKey, range: &Range<u64>) -> Option<Bytes> {
        self.inner.hot.get(key, range)
    }

    fn put(&self, key: &BlobKey, bytes: Bytes) -> BoxFuture<'_, Result<(), Error>> {
        let key = key.clone();
        Box::pin(async move {
            self.inner.bucket.put(&key.object(), bytes.clone()).await?;
            // A copy: these may be a part of a larger buffer.
            self.inner.hot.put(&key, Bytes::copy_from_slice(&bytes));
            Ok(())
        })
    }

    fn hold(&self, upload: UploadId) -> BoxFuture<'_, Result<Option<Box<dyn HeldUpload>>, Error>> {
        let held = HeldParts::take(&self.inner, upload);
        Box::pin(async move { Ok(held.map(|held| -> Box<dyn HeldUpload> { Box::new(held) })) })
    }

    fn abort(&self, upload: UploadId) -> BoxFuture<'_, Result<(), Error>> {
        self.inner.holds.abort(upload);
        Box::pin(commit::discard(&self.inner.bucket, upload))
    }

    fn delete(&self, key: &BlobKey) -> BoxFuture<'_, Result<(), Error>> {
        let key = key.clone();
        self.inner.hot.forget(&key);
        Box::pin(async move {
            // The bytes first: as long as the blob's name is there, whoever lists blobs finds what is left to remove.
            self.inner.bucket.delete(&names::data(key.generation())).await?;
            self.inner.bucket.delete(&key.object()).await
        })
    }

    fn put_log(&self, key: &LogKey, bytes: Bytes) -> BoxFuture<'_, Result<(), Error>> {
        let name = key.object();
        Box::pin(async move { Ok(self.inner.bucket.put(&name, bytes).await?) })
    }

    fn read_log(&self, key: &LogKey) -> BoxFuture<'_, Result<Option<Bytes>, Error>> {
        let name = key.object();
        Box::pin(async move {
            let bucket = &self.inner.bucket;
            let size = match bucket.size(&name).await? {
                Some(0) => return Ok(Some(Bytes::new())),
                Some(size) if size <= LOG_FILE => size,
                Some(size) => {
                    let why = format!("{size} bytes are no file of a log");
                    return Err(Error::of_kind(Operation::Read, name, ErrorKind::Broken, why));
                }
                None => return bucket.confirm().await.map(|()| None),
            };
            let Some(stream) = read::object(bucket, &name, 0..size).await? else {
                return Ok(None);
            };
            let joined = stream.try_fold(BytesMut::new(), |mut all, piece| async move {
                all.extend_from_slice(&piece);
                Ok(all)
            });
            let broken = |why| Error::of_kind(Operation::Read, &name, ErrorKind::Transient, why);
            Ok(Some(joined.await.map_err(broken)?.freeze()))
        })
    }

    fn list_uploads(&self) -> Listing<UploadId> {
        list::uploads(self.inner.bucket.clone())
    }

    fn list_blobs(&self) -> Listing<BlobKey> {
        list::blobs(self.inner.bucket.clone())
    }

    fn redirect_url(&self, key: &BlobKey) -> BoxFuture<'_, Result<Option<String>, Error>> {
        let key = key.clone();
        Box::pin(async move {
            if !self.inner.redirect {
                return Ok(None);
            }
            match names::find(&self.inner.bucket, &key).await? {
                Some(found) => self.inner.bucket.presign(&found.name).await.map(Some),
                None => Ok(None),
            }
        })
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(probe::probe(&self.inner.bucket))
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(probe::ready(&self.inner.bucket))
    }
}
