//! Where the bytes of blobs are kept. The only code that knows files (and, later, object storage).
//!
//! Bytes arrive under an [`UploadId`], piece by piece, and become a blob under a [`BlobKey`] in one step. The store is dumb on
//! purpose: it computes no digest, knows no repository and grants nothing. Whoever calls [`HeldUpload::commit`] has hashed the bytes
//! that *are stored*, so no backend can skip verification.

#[cfg(test)]
mod contract;
mod error;
mod fault;
mod fs;
mod key;

use std::{ops::Range, time::SystemTime};

use bytes::Bytes;
use futures_util::{future::BoxFuture, stream::BoxStream};
use wreg_oci::digest::Digest;

pub use self::fault::{Faults, Operation};
pub(crate) use self::{
    error::{AppendError, BoxError, CommitError, Error, ErrorKind, StopCause},
    fs::{DataDir, DataDirError, FsStore},
    key::{BlobKey, UploadId},
};

/// Bytes in order, in pieces of any size (a store's own are at most 128 KiB). After an `Err` item nothing more comes.
/// The end without an `Err` means that every byte came.
pub(crate) type ByteStream = BoxStream<'static, Result<Bytes, BoxError>>;

/// Everything of one kind that the store holds, in no order. After an `Err` item nothing more comes, and what came before it is no
/// complete listing: whoever removes what a listing lacks must not act on it.
pub(crate) type Listing<K> = BoxStream<'static, Result<Listed<K>, Error>>;

/// One thing that a listing found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Listed<K> {
    /// An object of the kind that was asked for.
    Object {
        /// What it is.
        key: K,
        /// Its length in bytes; for an upload this counts bytes that were never acknowledged.
        size: u64,
        /// When it last grew.
        modified: SystemTime,
    },
    /// Something that wreg did not put there, by its name within the store. It is left alone.
    Unknown(String),
}

/// What every backend promises. `contract.rs` is the same text as tests.
///
/// **Acknowledged is durable.** When an append or a commit returns `Ok`, a power cut does not undo it.
///
/// **Absence is an answer.** What is not there is `Ok(None)`; an `Err` says that the store could not tell, and nobody may conclude
/// from it that an object is gone.
///
/// **One holder an upload.** Only a [`HeldUpload`] can write to an upload or commit it, and there is one at a time, against this
/// process and every other on the same store. The caller keeps it from before it looks up how far the upload is until after it has
/// noted how far it got. Two requests that believe in the same offset can then neither overwrite each other's bytes nor change
/// them between their hashing and their commit.
///
/// **A blob appears whole, or not at all, and then never changes.** No byte of a late writer can reach it.
///
/// **Dropping a future** at any await is safe. A step that has begun ends by itself, off the runtime's threads, and the upload stays
/// held until then. A dropped append leaves bytes that no one acknowledged (the next append cuts them off); a dropped commit may
/// still take place (repeating it is harmless).
///
/// **Memory is bounded**: under 1 MiB for each call, whatever the size of the body, the blob or the listing.
pub(crate) trait BlobStore: Send + Sync + 'static {
    /// The length of a committed blob in bytes.
    fn size(&self, key: &BlobKey) -> BoxFuture<'_, Result<Option<u64>, Error>>;

    /// The bytes `range` of a committed blob. A blob shorter than the range is an error, of the call or of the stream, and never a
    /// clean early end; so is a read error on the way. An empty range is an empty stream.
    fn read(&self, key: &BlobKey, range: Range<u64>) -> BoxFuture<'_, Result<Option<ByteStream>, Error>>;

    /// The bytes `range` of an upload, to hash them anew after a restart or with another algorithm. As [`BlobStore::read`]; the
    /// caller holds the upload and keeps the range within what is durable.
    fn read_upload(&self, upload: UploadId, range: Range<u64>) -> BoxFuture<'_, Result<Option<ByteStream>, Error>>;

    /// Takes an upload for the caller alone, without waiting; `None` while another has it. An upload that is not there is begun:
    /// a caller who then finds that it should not be there (it was committed or aborted a moment ago) aborts it.
    fn hold(&self, upload: UploadId) -> BoxFuture<'_, Result<Option<Box<dyn HeldUpload>>, Error>>;

    /// Throws an upload away, held or not. `Ok` also when there is none. A writer that is at work learns of it at its next step and
    /// fails. After a power cut the upload may be there again, for [`BlobStore::list_uploads`] to find.
    fn abort(&self, upload: UploadId) -> BoxFuture<'_, Result<(), Error>>;

    /// Removes a blob, durably. `Ok` also when there is none. Who reads it at that moment may read on to the end.
    fn delete(&self, key: &BlobKey) -> BoxFuture<'_, Result<(), Error>>;

    /// Every upload, for the sweep of those that no session knows.
    fn list_uploads(&self) -> Listing<UploadId>;

    /// Every blob, for the check of the store against the database.
    fn list_blobs(&self) -> Listing<BlobKey>;

    /// Where a client may fetch the blob by itself, for a while. `None`, the default: through this server only.
    #[expect(dead_code, reason = "files are never fetched from elsewhere; object storage will be")]
    fn redirect_url(&self, _key: &BlobKey) -> BoxFuture<'_, Result<Option<String>, Error>> {
        Box::pin(async { Ok(None) })
    }

    /// Tries on a small object of its own everything that the other calls rely on, and leaves nothing behind. The error says in words
    /// what does not work. For the start and for readiness; takes a few flushes of the disk.
    fn probe(&self) -> BoxFuture<'_, Result<(), Error>>;
}

/// An upload that the caller holds alone, until the value is dropped. After a call whose future was dropped, or a commit that took
/// place, it holds nothing any more, and every further call fails.
pub(crate) trait HeldUpload: Send {
    /// Writes `body` at `offset`, and returns the offset after it, once every byte before that is durable.
    ///
    /// `offset` is what the last append returned or reported as durable, and 0 at first. Bytes beyond it were never acknowledged and
    /// are cut off. What arrived before a failure is kept and reported, see [`AppendError::Stopped`].
    fn append(&mut self, offset: u64, body: ByteStream) -> BoxFuture<'_, Result<u64, AppendError>>;

    /// Makes the first `size` bytes the blob `digest`, and ends the upload. The caller has hashed these bytes while it held the
    /// upload, or has kept the state of a hash that did. An upload without a byte becomes an empty blob.
    ///
    /// Repeating a commit that took place is `Ok` with the same key, so a caller who lost the answer holds the upload again and asks
    /// again.
    fn commit(&mut self, digest: &Digest, size: u64) -> BoxFuture<'_, Result<BlobKey, CommitError>>;
}
