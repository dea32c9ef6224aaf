//! end-2 into memory: a small blob whole, or part of a large one.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use wreg_oci::{Descriptor, Digest, Endpoint, RepositoryName, range::ByteRange};

use super::pull::{first_byte, with_range};
use crate::{
    Error, Store,
    auth::Scope,
    http::{Connection, answer::in_time},
    retry::Attempts,
};

/// The longest range that is read into memory, in bytes.
const MAX_RANGE: u64 = 64 * 1024 * 1024;

/// A whole blob of at most `max` bytes, verified.
pub(crate) async fn bytes(
    connection: &Connection,
    store: Option<&Store>,
    repository: &RepositoryName,
    descriptor: &Descriptor,
    max: u64,
) -> Result<Bytes, Error> {
    let what = super::what(repository, descriptor);
    if descriptor.size > max {
        return Err(connection.too_large(&what, max, "bytes"));
    }
    if let Some(store) = store
        && let Some(bytes) = store.read(&descriptor.digest, descriptor.size).await
    {
        return Ok(bytes.into());
    }
    let endpoint = Endpoint::GetBlob(repository.clone(), descriptor.digest.clone());
    let call = connection.call(&endpoint, &what, Scope::pull(repository));
    let fetched = connection
        .fetch(&call, descriptor.size)
        .await
        .map_err(|error| match error {
            Error::TooLarge { .. } => connection.other_size(&what, descriptor, descriptor.size, true),
            other => other,
        })?;
    connection.check_stated(&what, &fetched.headers, &descriptor.digest)?;
    if (fetched.bytes.len() as u64) < descriptor.size {
        return Err(connection.other_size(&what, descriptor, fetched.bytes.len() as u64, false));
    }
    let actual = Digest::of(descriptor.digest.algorithm(), &fetched.bytes);
    connection.check_digest(&what, &descriptor.digest, actual)?;
    if let Some(store) = store {
        store.insert(&descriptor.digest, &fetched.bytes).await?;
    }
    Ok(fetched.bytes)
}

/// The bytes of a blob in `range`, cut to its size. They cannot be verified: who relies on them trusts the registry.
pub(crate) async fn range(
    connection: &Connection,
    store: Option<&Store>,
    repository: &RepositoryName,
    descriptor: &Descriptor,
    range: Range<u64>,
) -> Result<Bytes, Error> {
    let what = super::what(repository, descriptor);
    let range = range.start..range.end.min(descriptor.size);
    let length = range.end.saturating_sub(range.start);
    if length == 0 {
        return Ok(Bytes::new());
    }
    if length > MAX_RANGE {
        return Err(connection.too_large(&what, MAX_RANGE, "bytes"));
    }
    if let Some(bytes) = from_store(store, descriptor, &range).await {
        return Ok(bytes);
    }
    let mut attempts = Attempts::new(&connection.retries);
    loop {
        match from_registry(connection, repository, descriptor, &range, &what).await {
            Err(error) if connection.is_transient(&error) => attempts.pause_or(error).await?,
            other => return other,
        }
    }
}

async fn from_store(store: Option<&Store>, descriptor: &Descriptor, range: &Range<u64>) -> Option<Bytes> {
    let mut file = tokio::fs::File::open(store?.get(descriptor)?).await.ok()?;
    file.seek(std::io::SeekFrom::Start(range.start)).await.ok()?;
    let mut bytes = Vec::new();
    file.take(range.end - range.start).read_to_end(&mut bytes).await.ok()?;
    (bytes.len() as u64 == range.end - range.start).then(|| bytes.into())
}

async fn from_registry(
    connection: &Connection,
    repository: &RepositoryName,
    descriptor: &Descriptor,
    range: &Range<u64>,
    what: &str,
) -> Result<Bytes, Error> {
    let endpoint = Endpoint::GetBlob(repository.clone(), descriptor.digest.clone());
    let call = connection.call(&endpoint, what, Scope::pull(repository));
    let call = with_range(call, ByteRange::FromTo(range.start, range.end - 1));
    let expected = [StatusCode::OK, StatusCode::PARTIAL_CONTENT];
    let mut response = connection.ask_once(&call, &expected, &|_| ()).await?;
    connection.check_stated(what, response.headers(), &descriptor.digest)?;
    let mut at = match response.status() {
        StatusCode::PARTIAL_CONTENT => first_byte(response.headers()),
        // It sends everything: what lies before is read and let go.
        _ => Some(0),
    }
    .filter(|first| *first <= range.start)
    .ok_or_else(|| connection.misunderstood(what, "it sent another range than was asked for"))?;
    let mut bytes = BytesMut::new();
    while at < range.end {
        let piece = in_time(response.chunk())
            .await
            .map_err(|failure| failure.at(&connection.host, what))?;
        let Some(piece) = piece else {
            return Err(connection.other_size(what, descriptor, at, false));
        };
        bytes.extend_from_slice(&piece[within(at, &piece, range)]);
        at += piece.len() as u64;
    }
    Ok(bytes.freeze())
}

/// Which bytes of `piece`, that begins at `at`, lie in `range`.
fn within(at: u64, piece: &[u8], range: &Range<u64>) -> Range<usize> {
    let clamp =
        |offset: u64| usize::try_from(offset.saturating_sub(at)).map_or(piece.len(), |offset| offset.min(piece.len()));
    clamp(range.start)..clamp(range.end)
}
