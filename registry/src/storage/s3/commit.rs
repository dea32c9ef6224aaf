//! An upload becomes a blob, or nothing.
//!
//! A small one is stored under the blob's name, which has the digest in it: whoever stores it there stores the same bytes. A large one
//! first gets its name, then its bytes (`names.rs`); the bytes appear when the parts are joined, all of them at once.

use std::{
    ops::Range,
    sync::atomic::{AtomicBool, Ordering},
};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{
    super::{BlobKey, ByteStream, CommitError, Error, ErrorKind, Operation, Position, UploadId},
    Inner,
    bucket::Bucket,
    buffers::Buffer,
    failure::{Cause, Failure},
    list, names, read,
    state::{Multipart, State},
    tail,
};

/// How many objects of an upload are removed at once.
const AT_ONCE: usize = 8;

/// An upload at the end of its life.
pub(super) struct Ending<'a> {
    inner: &'a Inner,
    upload: UploadId,
    size: u64,
    state: State,
    /// True if nothing of it was ever stored.
    in_memory: bool,
    /// Bytes beyond the whole parts that are in memory alone.
    rest: Option<&'a mut Buffer>,
}

impl<'a> Ending<'a> {
    pub(super) fn of(
        inner: &'a Inner,
        upload: UploadId,
        at: &Position,
        rest: Option<&'a mut Buffer>,
    ) -> Result<Self, Error> {
        Ok(Self {
            inner,
            upload,
            size: at.offset,
            state: State::of(upload, at)?,
            in_memory: at.state.is_empty(),
            rest,
        })
    }

    /// What it has, in bytes.
    fn stored(&self) -> u64 {
        self.state.size() + self.rest.as_ref().map_or(0, |rest| rest.len() as u64)
    }

    /// See `HeldUpload::commit`.
    pub(super) async fn commit(mut self, key: &BlobKey) -> Result<(), CommitError> {
        let bucket = &self.inner.bucket;
        match names::find(bucket, key).await? {
            Some(found) if found.size == self.size => return Ok(self.clear().await?),
            Some(_) => {
                let why = "a blob of another length has this key";
                return Err(Error::of_kind(Operation::Join, key.object(), ErrorKind::Broken, why).into());
            }
            None => {}
        }
        let stored = self.stored();
        if stored < self.size {
            return Err(CommitError::Lost { durable: stored });
        }
        match self.state.multipart.take() {
            None => self.put(key).await?,
            Some(multipart) => {
                bucket
                    .put(&key.object(), bytes::Bytes::new())
                    .await
                    .map_err(Error::from)?;
                if !self.join(multipart).await? {
                    bucket.delete(&key.object()).await?;
                    return Err(CommitError::Gone);
                }
            }
        }
        Ok(self.clear().await?)
    }

    /// Stores a small blob.
    async fn put(&mut self, key: &BlobKey) -> Result<(), CommitError> {
        let (bucket, name) = (&self.inner.bucket, key.object());
        let mut loaded = self
            .load()
            .await
            .map_err(|gone| gone.map_or(CommitError::Gone, Into::into))?;
        let stored = match self.rest.as_deref_mut().or(loaded.as_mut()) {
            Some(buffer) => buffer.keep(async |bytes| bucket.put(&name, bytes).await).await,
            None => bucket.put(&name, bytes::Bytes::new()).await,
        };
        Ok(stored.map_err(Error::from)?)
    }

    /// The tail in memory, unless it is there already or there is none. `Err(None)` if it is lost.
    async fn load(&self) -> Result<Option<Buffer>, Option<Error>> {
        match (&self.state.tail, &self.rest) {
            (Some(tail), None) => {
                let loaded = tail::load(&self.inner.bucket, &self.inner.buffers, tail).await;
                loaded.map_err(Some)?.ok_or(None).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Joins the parts, the last bytes being one of their own. False if that cannot be done any more.
    async fn join(&mut self, mut multipart: Multipart) -> Result<bool, Error> {
        let (bucket, name) = (&self.inner.bucket, names::data(self.upload));
        // Joined to be read: parts that are sent now would be refused before they are through, and no answer may come of that.
        if bucket.size(&names::sealed(self.upload)).await?.is_some() && bucket.size(&name).await? == Some(self.size) {
            return Ok(true);
        }
        let joined = async {
            let mut loaded = match self.load().await {
                Ok(loaded) => loaded,
                Err(None) => return Ok(false),
                Err(Some(error)) => return Err(other(error)),
            };
            if let Some(buffer) = self.rest.as_deref_mut().or(loaded.as_mut()) {
                let number = multipart.next_number();
                let sent = buffer.keep(async |bytes| bucket.upload_part(&name, &multipart.id, number, bytes).await);
                multipart.parts.push(sent.await?);
            }
            bucket
                .complete_multipart(&name, &multipart.id, &multipart.parts)
                .await
                .map(|()| true)
        };
        match joined.await {
            // Perhaps it was done before, by a request whose answer was lost.
            Ok(false)
            | Err(Failure {
                cause: Cause::Absent, ..
            }) => Ok(bucket.size(&name).await? == Some(self.size)),
            Err(Failure {
                cause: Cause::Parts, ..
            }) => Ok(false),
            Err(failure) => Err(failure.error),
            Ok(true) => Ok(true),
        }
    }

    /// Removes what the upload leaves behind. The note that it was joined goes before anybody is told of the blob, so that no abort
    /// takes the bytes away.
    async fn clear(&self) -> Result<(), Error> {
        if self.in_memory {
            return Ok(());
        }
        let bucket = &self.inner.bucket;
        if remove_tails(bucket, self.upload).await? {
            bucket.delete(&names::sealed(self.upload)).await?;
        }
        Ok(())
    }

    /// See `HeldUpload::read`. Parts cannot be read, so a large upload is joined first.
    pub(super) async fn read(mut self, range: Range<u64>) -> Result<Option<ByteStream>, Error> {
        let bucket = &self.inner.bucket;
        if let Some(multipart) = self.state.multipart.take() {
            bucket
                .put(&names::sealed(self.upload), bytes::Bytes::new())
                .await
                .map_err(Error::from)?;
            if !self.join(multipart).await? {
                return Ok(None);
            }
            return read::object(bucket, &names::data(self.upload), range).await;
        }
        match (&self.state.tail, self.rest) {
            (_, Some(rest)) => {
                let [start, end] = [range.start, range.end].map(|at| usize::try_from(at).unwrap_or(usize::MAX));
                let bytes = rest.peek().get(start..end).map(bytes::Bytes::copy_from_slice);
                Ok(bytes.map(|bytes| stream::once(async { Ok(bytes) }).boxed()))
            }
            (Some(tail), None) => read::object(bucket, &tail.name, range).await,
            (None, None) => Ok(None),
        }
    }
}

fn other(error: Error) -> Failure {
    Failure {
        cause: Cause::Other,
        error,
    }
}

/// Throws away all that there is of an upload, but not the blob that it has become.
pub(super) async fn discard(bucket: &Bucket, upload: UploadId) -> Result<(), Error> {
    let name = names::data(upload);
    let multiparts: Vec<_> = list::multiparts(bucket.clone(), name.clone()).try_collect().await?;
    for multipart in multiparts {
        bucket.abort_multipart(&name, &multipart.id).await?;
    }
    if remove_tails(bucket, upload).await? {
        // Joined to be read, and then it was not what it should be.
        bucket.delete(&name).await?;
        bucket.delete(&names::sealed(upload)).await?;
    }
    Ok(())
}

/// Removes an upload's tails. True if there is the note that it was joined.
async fn remove_tails(bucket: &Bucket, upload: UploadId) -> Result<bool, Error> {
    let sealed = names::sealed(upload);
    let was_sealed = &AtomicBool::new(false);
    list::objects(bucket.clone(), names::upload(upload))
        .try_for_each_concurrent(AT_ONCE, |entry| {
            let is_tail = entry.name != sealed;
            async move {
                if is_tail {
                    return bucket.delete(&entry.name).await;
                }
                was_sealed.store(true, Ordering::Relaxed);
                Ok(())
            }
        })
        .await?;
    Ok(was_sealed.load(Ordering::Relaxed))
}
