//! Upload sessions: a blob in one piece or in many, over as many connections and as long as it takes.
//!
//! What has been acknowledged is durable, and the session stands there whatever happens next: a cut connection keeps what arrived,
//! a restarted server goes on at the same byte.

use wreg_oci::{Algorithm, Digest, RepositoryName, range::ContentRange};

use super::{
    ByteStream, Error, Registry, Result,
    ingest::{Appended, Held, Progress},
    whole,
};
use crate::{
    auth::{Permit, permit::Push},
    metadata::{
        self,
        blobs::{Place, PutBlob},
        uploads::{Advance, NewUpload, UploadRecord},
    },
    storage::{CommitError, Position, Then, UploadId},
};

/// An upload as its client may know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// The last part of its URL.
    pub session: String,
    /// Bytes that are durable.
    pub received: u64,
}

/// A piece of a blob on its way in.
pub struct Chunk {
    /// Where the client says that it belongs.
    pub range: Option<ContentRange>,
    /// Its length in bytes, as far as the client says.
    pub length: Option<u64>,
    /// Its bytes.
    pub body: ByteStream,
}

impl Registry {
    /// Opens a session (end-4a). The digest is computed by `algorithm` while bytes come.
    pub async fn start_upload(&self, permit: &Permit<Push>, algorithm: Algorithm) -> Result<Upload> {
        let id = UploadId::random();
        let upload = NewUpload {
            id: id.to_string(),
            repository: permit.repository().clone(),
            actor: permit.actor().to_string(),
            algorithm,
            expires_at: self.upload_end(),
            limit: self.limits.open_uploads,
            now: self.clock.now(),
        };
        let opened = self.metadata.open_upload(upload).await?;
        if let Some(limit) = self.limits.open_uploads.filter(|_| !opened) {
            return Err(Error::TooManyUploads { limit });
        }
        Ok(Upload {
            session: id.to_string(),
            received: 0,
        })
    }

    /// Where a session stands (end-13).
    pub async fn get_upload(&self, permit: &Permit<Push>, session: &str) -> Result<Upload> {
        let (_, record) = self.find_session(permit, session).await?;
        Ok(Upload {
            session: record.id,
            received: record.received,
        })
    }

    /// Appends a chunk (end-5). It goes on by itself if the caller goes away; what arrives counts.
    pub async fn append_upload(&self, permit: Permit<Push>, session: &str, chunk: Chunk) -> Result<Upload> {
        let (id, record) = self.find_session(&permit, session).await?;
        self.check_length(&chunk, record.received)?;
        let registry = self.clone();
        let appended = tokio::spawn(async move {
            let (mut held, record) = registry.hold_session(&permit, id, record.received).await?;
            registry.append_to(&mut held, record, chunk, None).await
        });
        let progress = joined(appended.await)?;
        Ok(Upload {
            session: session.to_owned(),
            received: progress.received(),
        })
    }

    /// Appends what is left and makes the whole a blob (end-6). A digest that does not match ends the session.
    pub async fn complete_upload(
        &self,
        permit: Permit<Push>,
        session: &str,
        digest: Digest,
        chunk: Chunk,
    ) -> Result<()> {
        let (id, record) = self.find_session(&permit, session).await?;
        self.check_length(&chunk, record.received)?;
        let registry = self.clone();
        if record.received == 0 && chunk.length.is_some_and(|length| length > 0) && whole::is_small(&chunk) {
            return self.complete_whole(permit, id, record.begun, digest, chunk).await;
        }
        let completed = tokio::spawn(async move {
            let (mut held, record) = registry.hold_session(&permit, id, record.received).await?;
            let progress = registry.append_to(&mut held, record, chunk, Some(&digest)).await?;
            registry.finish(permit, held, progress, digest, true).await
        });
        joined(completed.await)
    }

    /// Takes a blob in one request (end-4b). Nothing is left of it if anything is wrong.
    pub async fn push_blob(&self, permit: Permit<Push>, digest: Digest, chunk: Chunk) -> Result<()> {
        self.check_length(&chunk, 0)?;
        let registry = self.clone();
        if let Some(length) = chunk.length.filter(|_| whole::is_small(&chunk)) {
            let bytes = whole::collect(chunk.body, length).await?;
            let put = tokio::spawn(async move { registry.put_whole(&permit, None, digest, bytes).await });
            return joined(put.await);
        }
        let pushed = tokio::spawn(async move {
            let id = UploadId::random();
            let upload = registry.storage.hold(id).await?.ok_or(Error::UploadBusy { at: 0 })?;
            let mut held = Held { id, upload };
            let start = Progress::start(digest.algorithm());
            let Appended { progress, outcome } = registry
                .append(&mut held, start, chunk.body, registry.limits.blob, Then::Commit)
                .await;
            let result = match (outcome, progress) {
                (Ok(()), Some(progress)) => registry.finish(permit, held, progress, digest, false).await,
                (outcome, _) => outcome,
            };
            if result.is_err() {
                registry.discard(id).await;
            }
            result
        });
        joined(pushed.await)
    }

    /// Ends a session that has received nothing, with all of a small blob. It is not held meanwhile: whoever appends to it at the
    /// same time finds it gone.
    async fn complete_whole(
        &self,
        permit: Permit<Push>,
        id: UploadId,
        begun: bool,
        digest: Digest,
        chunk: Chunk,
    ) -> Result<()> {
        let bytes = whole::collect(chunk.body, chunk.length.unwrap_or_default()).await?;
        let registry = self.clone();
        let put = tokio::spawn(async move {
            let outcome = registry.put_whole(&permit, Some(id), digest, bytes).await;
            match outcome {
                Err(Error::DigestMismatch { .. }) => registry.end_session(id).await?,
                // What an earlier request began to write and nobody acknowledged.
                Ok(()) if begun => registry.discard(id).await,
                _ => {}
            }
            outcome
        });
        joined(put.await)
    }

    /// Cancels a session (end-14).
    pub async fn cancel_upload(&self, permit: &Permit<Push>, session: &str) -> Result<()> {
        let (id, _) = self.find_session(permit, session).await?;
        self.end_session(id).await
    }

    async fn find_session(&self, permit: &Permit<Push>, session: &str) -> Result<(UploadId, UploadRecord)> {
        let id: UploadId = session.parse().map_err(|_| Error::UploadUnknown)?;
        let (repository, actor): (&RepositoryName, String) = (permit.repository(), permit.actor().to_string());
        let record = self
            .metadata
            .find_upload(repository, &actor, session, self.clock.now())
            .await?;
        Ok((id, record.ok_or(Error::UploadUnknown)?))
    }

    /// Takes the session for this request alone, and reads again where it stands: from here on that is certain.
    async fn hold_session(&self, permit: &Permit<Push>, id: UploadId, at: u64) -> Result<(Held, UploadRecord)> {
        self.metadata.begin_upload(&id.to_string());
        let upload = self.storage.hold(id).await?.ok_or(Error::UploadBusy { at })?;
        match self.find_session(permit, &id.to_string()).await {
            Ok((_, record)) => Ok((Held { id, upload }, record)),
            Err(error) => {
                // It ended between the two looks, and holding it has begun it anew.
                if matches!(error, Error::UploadUnknown) {
                    self.discard(id).await;
                }
                Err(error)
            }
        }
    }

    /// What can be refused before a byte is read.
    fn check_length(&self, chunk: &Chunk, received: u64) -> Result<()> {
        let limit = self.limits.blob;
        if let Some(range) = chunk.range {
            if range.first != received {
                return Err(Error::UploadOutOfOrder { at: received });
            }
            if let Some(actual) = chunk.length
                && actual != range.length()
            {
                return Err(Error::SizeMismatch {
                    expected: range.length(),
                    actual,
                });
            }
        }
        match chunk.length.or(chunk.range.map(ContentRange::length)) {
            Some(length) if length > limit.saturating_sub(received) => Err(Error::BlobTooLarge { limit }),
            _ => Ok(()),
        }
    }

    /// Appends a chunk to a session and writes down where it stands, also when only some of it came. `closing` is the digest of the
    /// whole, if this is its last chunk.
    async fn append_to(
        &self,
        held: &mut Held,
        record: UploadRecord,
        chunk: Chunk,
        closing: Option<&Digest>,
    ) -> Result<Progress> {
        self.check_length(&chunk, record.received)?;
        let from = record.received;
        let limit = chunk
            .range
            .map_or(self.limits.blob.saturating_sub(from), ContentRange::length);
        let start = match closing {
            // No byte was hashed yet, and how the whole will be named is known by now.
            Some(digest) if from == 0 => Progress::start(digest.algorithm()),
            _ => Progress {
                position: Position {
                    offset: from,
                    state: record.storage_state,
                    durable: true,
                },
                hasher: record.hasher,
            },
        };
        let then = if closing.is_some() { Then::Commit } else { Then::Note };
        let Appended { progress, mut outcome } = self.append(held, start.clone(), chunk.body, limit, then).await;
        if let (Err(Error::UploadOutOfOrder { .. } | Error::UploadUnknown), Some(digest)) = (&outcome, closing)
            && self.is_committed(held.id, digest, from).await?
        {
            // Its bytes are where they belong, so none are missing; only more of them would be wrong.
            return if chunk.length == Some(0) {
                Ok(start)
            } else {
                Err(Error::UploadOutOfOrder { at: from })
            };
        }
        if let (Ok(()), Some(progress), Some(range)) = (&outcome, &progress, chunk.range)
            && progress.received() - from != range.length()
        {
            outcome = Err(Error::SizeMismatch {
                expected: range.length(),
                actual: progress.received() - from,
            });
        }
        match outcome {
            // Its bytes are lost, or another server has ended it: it cannot go on.
            Err(Error::UploadUnknown) => {
                self.end_session(held.id).await?;
                return Err(Error::UploadUnknown);
            }
            Err(Error::BlobTooLarge { .. }) if chunk.range.is_some() => {
                return Err(Error::SizeMismatch {
                    expected: limit,
                    actual: limit + 1,
                });
            }
            Err(Error::BlobTooLarge { .. }) => {
                self.end_session(held.id).await?;
                return Err(Error::BlobTooLarge {
                    limit: self.limits.blob,
                });
            }
            // The announced length was wrong: nothing of this chunk counts.
            Err(error @ Error::SizeMismatch { .. }) => return Err(error),
            _ => {}
        }
        let Some(progress) = progress else {
            return Err(outcome.err().unwrap_or(Error::UploadUnknown));
        };
        // What is not durable is committed next: if that fails, the session stands where it stood, and the chunk has to come again.
        if progress.received() != from && progress.position.durable {
            let advance = Advance {
                id: record.id,
                from,
                to: progress.received(),
                storage_state: progress.position.state.clone(),
                hasher: progress.hasher.clone(),
                expires_at: self.upload_end(),
            };
            if !self.metadata.advance_upload(advance).await? {
                return Err(self.overtaken(held.id, from).await?);
            }
        }
        outcome.map(|()| progress)
    }

    /// Why bytes of a session could not be acknowledged: another request acknowledged some there, or ended it. Then what was written
    /// is nobody's.
    async fn overtaken(&self, id: UploadId, at: u64) -> Result<Error> {
        if self.metadata.upload_exists(&id.to_string()).await? {
            return Ok(Error::UploadBusy { at });
        }
        self.discard(id).await;
        Ok(Error::UploadUnknown)
    }

    /// Makes a finished upload a blob of the repository: bytes first, then the row that says so.
    async fn finish(
        &self,
        permit: Permit<Push>,
        mut held: Held,
        progress: Progress,
        expected: Digest,
        session: bool,
    ) -> Result<()> {
        let id = held.id;
        let actual = self.digest(&mut held, &progress, &expected).await?;
        if actual != expected {
            if session {
                self.end_session(id).await?;
            } else {
                self.discard(id).await;
            }
            return Err(Error::DigestMismatch { expected, actual });
        }
        let key = held.upload.commit(&expected, &progress.position).await;
        let key = match key {
            Ok(key) => key,
            Err(CommitError::Lost { durable }) => return Err(Error::UploadOutOfOrder { at: durable }),
            Err(CommitError::Gone) => {
                if session {
                    self.end_session(id).await?;
                }
                return Err(Error::UploadUnknown);
            }
            Err(CommitError::Storage(error)) => return Err(error.into()),
        };
        let place = Place::Store(key.to_string());
        let put = PutBlob {
            repository: permit.repository().clone(),
            digest: expected.clone(),
            size: progress.received(),
            place: place.clone(),
            upload: session.then(|| id.to_string()),
            leased_until: self.lease().until,
            defaults: self.defaults,
            actor: permit.actor().to_string(),
            now: self.clock.now(),
        };
        // Whoever ended the session meanwhile, here or on another server, may have removed its bytes as well.
        let location = self.metadata.put_blob(put).await?.ok_or(Error::UploadUnknown)?;
        if location == place.location() {
            return Ok(());
        }
        self.keep_one_copy(&expected, progress.received(), &location, place)
            .await
    }

    /// Forgets a session and removes its bytes, unless it has become a blob or was forgotten before. The row goes first: what a crash
    /// leaves is then bytes without a session, which the sweep finds, and of two that would end it in different ways one does. But
    /// where the database has no room to forget it, the bytes may be what fills the disk.
    async fn end_session(&self, id: UploadId) -> Result<()> {
        let session = id.to_string();
        match self.metadata.delete_upload(&session).await {
            Err(metadata::Error::Full(_)) => {
                self.storage.abort(id).await?;
                self.metadata.delete_upload(&session).await?;
            }
            forgotten => {
                if forgotten? {
                    self.discard(id).await;
                }
            }
        }
        Ok(())
    }

    /// Removes the bytes of an upload. What cannot be removed now is swept later.
    async fn discard(&self, id: UploadId) {
        if let Err(error) = self.storage.abort(id).await {
            tracing::warn!(error = &error as &dyn std::error::Error, upload = %id, "an upload was left behind for the sweep");
        }
    }
}

/// The result of a task that must not stop half way. Its panic is the request's.
pub(super) fn joined<T>(result: std::result::Result<Result<T>, tokio::task::JoinError>) -> Result<T> {
    match result {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(cancelled) => Err(Error::Unavailable(cancelled.into())),
        },
    }
}
