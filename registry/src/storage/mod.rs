//! Where the bytes of blobs are kept. The only code that knows files and object storage.
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
#[cfg(feature = "s3")]
mod s3;
mod settings;

use std::{fs::File, ops::Range, time::SystemTime};

use bytes::Bytes;
use futures_util::{future::BoxFuture, stream::BoxStream};
use wreg_oci::digest::Digest;

#[cfg(feature = "s3")]
pub(crate) use self::s3::S3Store;
pub(crate) use self::{
    error::{AppendError, BoxError, CommitError, Error, ErrorKind, StopCause},
    fs::{DataDir, DataDirError, FsStore},
    key::{BlobKey, LogKey, UploadId},
};
pub use self::{
    fault::{Faults, Operation},
    settings::S3Settings,
};

/// The most bytes of a blob that is stored in one go, [`BlobStore::put`].
pub(crate) const WHOLE: usize = 256 * 1024;
/// The most bytes of a file of the log that are read.
pub(crate) const LOG_FILE: u64 = 32 << 20;

/// Bytes in order, in pieces of any size (a store's own are at most 128 KiB of memory, or 1 MiB of a mapped file). After an `Err` item nothing more comes.
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

/// How far an upload is, as the store said it: what the caller keeps between appends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Position {
    /// Bytes that are durable.
    pub(crate) offset: u64,
    /// What the store must know to go on there. Only the store that wrote it reads it; files need none.
    pub(crate) state: String,
    /// False where the last bytes were left to the commit ([`Then::Commit`]): then it is good for nothing else.
    pub(crate) durable: bool,
}

impl Position {
    /// Where every upload begins.
    pub(crate) const START: Self = Self {
        offset: 0,
        state: String::new(),
        durable: true,
    };

    /// `offset` in a store that need not know more.
    pub(crate) fn plain(offset: u64) -> Self {
        Self { offset, ..Self::START }
    }
}

/// What the caller does with the position that an append gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// Notes it, and tells the client: every byte before it is durable.
    Note,
    /// Commits there, and tells nobody before: where the whole body came, the store may leave its last bytes to the commit, and the
    /// position is good for nothing else. Where it did not come, as [`Then::Note`].
    Commit,
}

/// What every backend promises. `contract.rs` is the same text as tests.
///
/// **Acknowledged is durable.** When an append or a commit returns `Ok`, a power cut does not undo it.
///
/// **Absence is an answer.** What is not there is `Ok(None)`; an `Err` says that the store could not tell, and nobody may conclude
/// from it that an object is gone.
///
/// **One holder an upload.** Only a [`HeldUpload`] can write to an upload or commit it, and there is one at a time in this process.
/// The caller keeps it from before it looks up the upload's [`Position`] until after it has noted the new one. Two requests that
/// believe in the same offset can then neither overwrite each other's bytes nor change them between their hashing and their commit.
///
/// **A position is a branch.** Where several servers share a store, two can hold one upload, and append at the same position. Each
/// append then gives a position of its own, that stands for the bytes which this append took in and no others; the caller notes one
/// of them and drops the other, and what the other one's writer does, early or late, changes no byte of the one that was noted. At
/// worst it makes the upload [gone](AppendError::Gone).
///
/// **A blob appears whole, or not at all, and then never changes.** No byte of a late writer can reach it.
///
/// **Dropping a future** at any await is safe. A step that has begun ends by itself, off the runtime's threads, and the upload stays
/// held until then. A dropped append leaves bytes that no one acknowledged (the next append cuts them off); a dropped commit may
/// still take place (repeating it is harmless).
///
/// **Memory is bounded**, whatever the size of the body, the blob or the listing: under 1 MiB for each call, and what an append needs
/// beyond that comes from one pool for all of them.
pub(crate) trait BlobStore: Send + Sync + 'static {
    /// The length of a committed blob in bytes.
    fn size(&self, key: &BlobKey) -> BoxFuture<'_, Result<Option<u64>, Error>>;

    /// The bytes `range` of a committed blob. A blob shorter than the range is an error, of the call or of the stream, and never a
    /// clean early end; so is a read error on the way. An empty range is an empty stream.
    fn read(&self, key: &BlobKey, range: Range<u64>) -> BoxFuture<'_, Result<Option<ByteStream>, Error>>;

    /// The bytes `range` of a committed blob, if they can be had without waiting and without a copy; a few only. `None` says nothing:
    /// then [`BlobStore::read`] is asked.
    fn at_hand(&self, _key: &BlobKey, _range: &Range<u64>) -> Option<Bytes> {
        None
    }

    /// The committed blob as an open file, for another process that reads all of it. `None` says nothing: then [`BlobStore::read`] is asked.
    fn file(&self, _key: &BlobKey) -> BoxFuture<'_, Result<Option<File>, Error>> {
        Box::pin(async { Ok(None) })
    }

    /// Makes `bytes`, all of them and at most [`WHOLE`], a blob: durable when this returns `Ok`. The caller has hashed them, and nobody
    /// else knows the generation. Where it fails, nothing of it is a blob.
    fn put(&self, key: &BlobKey, bytes: Bytes) -> BoxFuture<'_, Result<(), Error>>;

    /// Takes an upload for the caller alone, without waiting; `None` while another has it. An upload that is not there is begun:
    /// a caller who then finds that it should not be there (it was committed or aborted a moment ago) aborts it.
    fn hold(&self, upload: UploadId) -> BoxFuture<'_, Result<Option<Box<dyn HeldUpload>>, Error>>;

    /// Throws an upload away, held or not. `Ok` also when there is none. A writer that is at work in this process learns of it at its
    /// next step and fails. What a power cut brings back, or another server's writer adds, is for [`BlobStore::list_uploads`] to find.
    ///
    /// A blob that came of the upload stays, from the moment its commit has returned.
    fn abort(&self, upload: UploadId) -> BoxFuture<'_, Result<(), Error>>;

    /// Removes a blob, durably. `Ok` also when there is none. Who reads it at that moment may read on to the end.
    fn delete(&self, key: &BlobKey) -> BoxFuture<'_, Result<(), Error>>;

    /// Keeps a file of the log of changes, in place of what has its name: whole or not at all, and durable when this returns `Ok`.
    fn put_log(&self, key: &LogKey, bytes: Bytes) -> BoxFuture<'_, Result<(), Error>>;

    /// A file of the log, of at most [`LOG_FILE`] bytes; a longer one is an error.
    fn read_log(&self, key: &LogKey) -> BoxFuture<'_, Result<Option<Bytes>, Error>>;

    /// Every upload, for the sweep of those that no session knows. One can come more than once, a part of it each time.
    fn list_uploads(&self) -> Listing<UploadId>;

    /// Every blob, for the check of the store against the database.
    fn list_blobs(&self) -> Listing<BlobKey>;

    /// Where a client may fetch the blob by itself, for a while. `None`, the default: through this server only.
    fn redirect_url(&self, _key: &BlobKey) -> BoxFuture<'_, Result<Option<String>, Error>> {
        Box::pin(async { Ok(None) })
    }

    /// Tries on a small object of its own everything that the other calls rely on, and leaves nothing behind. The error says in words
    /// what does not work. For the start; takes a few flushes of the disk.
    fn probe(&self) -> BoxFuture<'_, Result<(), Error>>;

    /// Whether bytes can be stored, read and removed now. For readiness, which is asked for every few seconds: what the store can do at all
    /// was found out by the probe. By default the same.
    fn ready(&self) -> BoxFuture<'_, Result<(), Error>> {
        self.probe()
    }
}

/// An upload that the caller holds, until the value is dropped. After a call whose future was dropped, or a commit that took place,
/// it holds nothing any more, and every further call fails.
pub(crate) trait HeldUpload: Send {
    /// Writes `body` after `at`, and returns the position after it; with [`Then::Note`] once every byte before that is durable.
    ///
    /// `at` is what the last append returned or reported as durable, and [`Position::START`] at first. Bytes beyond it were never
    /// acknowledged and are cut off. It stays good until an append at a later one has begun. What arrived before a failure is kept
    /// where that can be done and reported, see [`AppendError::Stopped`].
    fn append<'a>(
        &'a mut self,
        at: &'a Position,
        body: ByteStream,
        then: Then,
    ) -> BoxFuture<'a, Result<Position, AppendError>>;

    /// The bytes `range`, all of them before `at`, to hash them anew: after a failure, or with another algorithm. As
    /// [`BlobStore::read`]. A store may have to close the upload for that: then only its commit or its end can follow.
    fn read<'a>(&'a mut self, at: &'a Position, range: Range<u64>) -> BoxFuture<'a, Result<Option<ByteStream>, Error>>;

    /// Makes the bytes before `at` the blob `digest`, and ends the upload. The caller has hashed these bytes while it held the
    /// upload, or has kept the state of a hash that did. An upload without a byte becomes an empty blob.
    ///
    /// Repeating a commit that took place is `Ok` with the same key, so a caller who lost the answer holds the upload again and asks
    /// again.
    fn commit<'a>(&'a mut self, digest: &Digest, at: &'a Position) -> BoxFuture<'a, Result<BlobKey, CommitError>>;
}
