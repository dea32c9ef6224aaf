//! end-2: from the registry into a file.

use std::path::{Path, PathBuf};

use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CONTENT_RANGE, RANGE},
};
use wreg_oci::{Descriptor, Endpoint, RepositoryName, range::ByteRange};

use super::partial::Partial;
use crate::{
    Error, Progress, Store,
    auth::Scope,
    files,
    http::{Call, Connection, answer::in_time},
    retry::Attempts,
};

/// Where a pulled blob came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PulledBlob {
    /// From the local store: nothing was transferred.
    FromStore,
    /// From the registry.
    Downloaded {
        /// How many bytes an earlier, interrupted pull had left.
        resumed_at: u64,
    },
}

/// What an attempt came to.
enum Outcome {
    /// Everything that there was to read was read.
    Ended,
    /// The registry does not give what was asked for, but another range or none.
    OtherRange,
}

/// A blob into `target`, which appears whole and verified or not at all.
pub(crate) async fn pull(
    connection: &Connection,
    store: Option<&Store>,
    repository: &RepositoryName,
    descriptor: &Descriptor,
    target: &Path,
    progress: &dyn Progress,
) -> Result<PulledBlob, Error> {
    let folder = files::folder_of(target);
    let Some(store) = store else {
        let partial = Partial::temporary(folder, false, descriptor).await?;
        Download::new(connection, repository, descriptor, progress)
            .run(partial, target)
            .await?;
        return Ok(PulledBlob::Downloaded { resumed_at: 0 });
    };
    loop {
        let pulled = to_store(connection, store, repository, descriptor, progress).await?;
        let (mut file, temporary) = files::temporary(folder, false).await?;
        if store.copy(descriptor, &mut file, target).await? {
            files::appear(file, temporary, target).await?;
            return Ok(pulled);
        }
        if pulled != PulledBlob::FromStore {
            // It was verified a moment ago: this is the disk.
            let problem = std::io::Error::other("what was written to the local store is read back differently");
            return Err(files::failed(store.folder())(problem));
        }
    }
}

/// A blob into the store, verified now even if it was there: its file.
pub(crate) async fn pull_to_store(
    connection: &Connection,
    store: &Store,
    repository: &RepositoryName,
    descriptor: &Descriptor,
    progress: &dyn Progress,
) -> Result<(PathBuf, PulledBlob), Error> {
    let path = store.path(&descriptor.digest);
    let is_here = store.get(descriptor).is_some();
    if is_here && store.copy(descriptor, &mut tokio::io::sink(), &path).await? {
        return Ok((path, PulledBlob::FromStore));
    }
    Ok((
        path,
        to_store(connection, store, repository, descriptor, progress).await?,
    ))
}

async fn to_store(
    connection: &Connection,
    store: &Store,
    repository: &RepositoryName,
    descriptor: &Descriptor,
    progress: &dyn Progress,
) -> Result<PulledBlob, Error> {
    if store.get(descriptor).is_some() {
        return Ok(PulledBlob::FromStore);
    }
    let partial = Partial::in_store(store, descriptor).await?;
    // Another process may have been done with it while this one opened the file.
    if store.get(descriptor).is_some() {
        partial.discard().await;
        return Ok(PulledBlob::FromStore);
    }
    let resumed_at = partial.found;
    let target = store.path(&descriptor.digest);
    Download::new(connection, repository, descriptor, progress)
        .run(partial, &target)
        .await?;
    Ok(PulledBlob::Downloaded { resumed_at })
}

struct Download<'a> {
    connection: &'a Connection,
    repository: &'a RepositoryName,
    descriptor: &'a Descriptor,
    progress: &'a dyn Progress,
    what: String,
}

impl<'a> Download<'a> {
    fn new(
        connection: &'a Connection,
        repository: &'a RepositoryName,
        descriptor: &'a Descriptor,
        progress: &'a dyn Progress,
    ) -> Self {
        Self {
            connection,
            repository,
            descriptor,
            progress,
            what: super::what(repository, descriptor),
        }
    }

    async fn run(&self, mut partial: Partial, target: &Path) -> Result<(), Error> {
        let digest = &self.descriptor.digest;
        self.progress.start(digest, self.descriptor.size);
        self.progress.advance(digest, partial.length);
        let result = match self.fill(&mut partial).await {
            // What an earlier process left may have suffered when the machine stopped: begin once more without it.
            Err(Error::DigestMismatch { .. }) if partial.found > 0 => {
                partial.restart().await?;
                self.fill(&mut partial).await
            }
            result => result,
        };
        match result {
            Ok(()) => {
                partial.appear(target).await?;
                self.progress.finish(digest);
                Ok(())
            }
            Err(error) => {
                if matches!(error, Error::DigestMismatch { .. } | Error::SizeMismatch { .. }) {
                    partial.discard().await;
                } else {
                    // The next pull goes on there. What keeps this from it was told already.
                    let _ = partial.flush().await;
                }
                Err(error)
            }
        }
    }

    /// Until everything is there and is what it should be.
    async fn fill(&self, partial: &mut Partial) -> Result<(), Error> {
        let mut attempts = Attempts::new(&self.connection.retries);
        // Only what was never reached before is progress: otherwise a registry could keep a client for ever.
        let (mut furthest, mut may_resume) = (0, true);
        while partial.length < self.descriptor.size {
            if !may_resume {
                partial.restart().await?;
            }
            let error = match self.attempt(partial).await {
                Ok(Outcome::Ended) if partial.length == self.descriptor.size => break,
                Ok(Outcome::Ended) => self
                    .connection
                    .other_size(&self.what, self.descriptor, partial.length, false),
                Ok(Outcome::OtherRange) if may_resume => {
                    may_resume = false;
                    continue;
                }
                Ok(Outcome::OtherRange) => self.connection.misunderstood(&self.what, "it has no bytes to give"),
                Err(error) if self.connection.is_transient(&error) => error,
                Err(error) => return Err(error),
            };
            if partial.length > furthest {
                furthest = partial.length;
                attempts.progressed();
            }
            attempts.pause_or(error).await?;
        }
        self.connection
            .check_digest(&self.what, &self.descriptor.digest, partial.digest())
    }

    /// One request for what is missing.
    async fn attempt(&self, partial: &mut Partial) -> Result<Outcome, Error> {
        const EXPECTED: [StatusCode; 3] = [
            StatusCode::OK,
            StatusCode::PARTIAL_CONTENT,
            StatusCode::RANGE_NOT_SATISFIABLE,
        ];
        let endpoint = Endpoint::GetBlob(self.repository.clone(), self.descriptor.digest.clone());
        let mut call = self
            .connection
            .call(&endpoint, &self.what, Scope::pull(self.repository));
        if partial.length > 0 {
            call = with_range(call, ByteRange::From(partial.length));
        }
        let mut response = self.connection.ask_once(&call, &EXPECTED, &|_| ()).await?;
        self.connection
            .check_stated(&self.what, response.headers(), &self.descriptor.digest)?;
        match response.status() {
            StatusCode::OK if partial.length > 0 => partial.restart().await?,
            StatusCode::OK => {}
            StatusCode::PARTIAL_CONTENT if first_byte(response.headers()) == Some(partial.length) => {}
            _ => return Ok(Outcome::OtherRange),
        }
        while let Some(piece) = self.next(&mut response).await? {
            if partial.length + piece.len() as u64 > self.descriptor.size {
                return Err(self
                    .connection
                    .other_size(&self.what, self.descriptor, self.descriptor.size, true));
            }
            partial.append(&piece).await?;
            self.progress.advance(&self.descriptor.digest, piece.len() as u64);
        }
        Ok(Outcome::Ended)
    }

    async fn next(&self, response: &mut reqwest::Response) -> Result<Option<bytes::Bytes>, Error> {
        let piece = in_time(response.chunk()).await;
        piece.map_err(|failure| failure.at(&self.connection.host, &self.what))
    }
}

/// The same request for part of the content.
pub(super) fn with_range(call: Call<'_>, range: ByteRange) -> Call<'_> {
    match HeaderValue::from_str(&range.to_string()) {
        Ok(value) => call.header(RANGE, value),
        // Digits always fit into a header.
        Err(_) => call,
    }
}

/// Where the part of a 206 begins: `Content-Range: bytes first-last/size`.
pub(super) fn first_byte(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?;
    range.split_once('-')?.0.trim().parse().ok()
}
