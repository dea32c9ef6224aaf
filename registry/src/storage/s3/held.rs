//! Holding an upload: a guard among the requests of this process. Among servers, the caller's note of the position decides.

use std::{
    collections::{HashMap, hash_map::Entry},
    ops::Range,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::future::BoxFuture;
use wreg_oci::Digest;

use super::{
    super::{
        AppendError, BlobKey, ByteStream, CommitError, Error, ErrorKind, HeldUpload, Operation, Position, StopCause,
        Then, UploadId,
    },
    Inner,
    append::{self, Appended},
    buffers::Buffer,
    commit::{self, Ending},
};

/// The uploads that requests of this process hold, and whether each was aborted meanwhile.
#[derive(Default)]
pub(super) struct Holds(Mutex<HashMap<UploadId, Arc<AtomicBool>>>);

impl Holds {
    fn map(&self) -> std::sync::MutexGuard<'_, HashMap<UploadId, Arc<AtomicBool>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the holder, if there is one.
    pub(super) fn abort(&self, upload: UploadId) {
        if let Some(aborted) = self.map().get(&upload) {
            aborted.store(true, Ordering::SeqCst);
        }
    }
}

/// An upload's entry there, until the value is dropped.
struct Hold {
    holds: Arc<Holds>,
    upload: UploadId,
    aborted: Arc<AtomicBool>,
}

impl Hold {
    fn is_aborted(&self) -> bool {
        self.aborted.load(Ordering::SeqCst)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.holds.map().remove(&self.upload);
    }
}

/// What a caller holds.
pub(super) struct HeldParts {
    inner: Arc<Inner>,
    upload: UploadId,
    /// Elsewhere while a call is under way, and gone for good after one that was dropped and after the commit.
    hold: Option<Hold>,
    /// Bytes that the last append left to the commit.
    rest: Option<Buffer>,
}

impl HeldParts {
    /// Takes the upload; `None` if another request has it.
    pub(super) fn take(inner: &Arc<Inner>, upload: UploadId) -> Option<Self> {
        let aborted = Arc::new(AtomicBool::new(false));
        match inner.holds.map().entry(upload) {
            Entry::Occupied(_) => return None,
            Entry::Vacant(free) => free.insert(Arc::clone(&aborted)),
        };
        let hold = Hold {
            holds: Arc::clone(&inner.holds),
            upload,
            aborted,
        };
        Some(Self {
            inner: Arc::clone(inner),
            upload,
            hold: Some(hold),
            rest: None,
        })
    }

    /// What a call needs, and gives back at its end.
    fn hold(&mut self) -> Result<Hold, Error> {
        self.hold.take().ok_or_else(|| {
            let why = "it is no longer held: it was committed, or a call on it was dropped";
            Error::of_kind(Operation::Write, self.upload.object(), ErrorKind::Broken, why)
        })
    }

    /// Removes what a call stored while the upload was aborted.
    async fn clean_up(&self) {
        if let Err(error) = commit::discard(&self.inner.bucket, self.upload).await {
            tracing::warn!(error = &error as &dyn std::error::Error, upload = %self.upload, "an upload was left behind for the sweep");
        }
    }
}

impl HeldUpload for HeldParts {
    fn append<'a>(
        &'a mut self,
        at: &'a Position,
        body: ByteStream,
        then: Then,
    ) -> BoxFuture<'a, Result<Position, AppendError>> {
        Box::pin(async move {
            let hold = self.hold().map_err(|error| AppendError::Stopped {
                durable: at.clone(),
                cause: StopCause::Storage(error),
            })?;
            self.rest = None;
            let appended = append::append(&self.inner, self.upload, at, body, then).await;
            let aborted = hold.is_aborted();
            if aborted {
                self.clean_up().await;
            }
            self.hold = Some(hold);
            if aborted {
                return Err(AppendError::Gone);
            }
            let Appended { position, rest } = appended?;
            self.rest = rest;
            Ok(position)
        })
    }

    fn read<'a>(&'a mut self, at: &'a Position, range: Range<u64>) -> BoxFuture<'a, Result<Option<ByteStream>, Error>> {
        Box::pin(async move {
            let hold = self.hold()?;
            let ending = Ending::of(&self.inner, self.upload, at, self.rest.as_mut())?;
            let bytes = ending.read(range).await;
            self.hold = Some(hold);
            bytes
        })
    }

    fn commit<'a>(&'a mut self, digest: &Digest, at: &'a Position) -> BoxFuture<'a, Result<BlobKey, CommitError>> {
        let key = BlobKey::new(digest.clone(), self.upload);
        Box::pin(async move {
            let hold = self.hold()?;
            let outcome = if hold.is_aborted() {
                Err(CommitError::Gone)
            } else {
                let ending = Ending::of(&self.inner, self.upload, at, self.rest.as_mut())?;
                ending.commit(&key).await
            };
            // Once it is a blob there is nothing to hold.
            self.hold = outcome.is_err().then_some(hold);
            outcome.map(|()| key)
        })
    }
}
