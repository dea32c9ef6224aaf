//! `/v2/<name>/blobs/<digest>` (end-2, end-10) and mounting (end-11).

use axum::{
    body::Body,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _};
use tracing::Span;
use wreg_oci::{Algorithm, Digest, RepositoryName};

use super::{
    ApiError, Result,
    headers::{self, RequestHeaders, entity_tag, value},
    uploads,
};
use crate::{
    auth::{
        Gate, Permit, Refusal,
        permit::{Delete, Pull, Push},
    },
    domain::{BoxError, ByteStream, Registry, blobs::BlobBytes},
};

/// end-2. `Accept` is not looked at: some clients send manifest types here. A range that cannot be read is ignored, one that
/// selects nothing is 416 (RFC 9110, section 14.2). Where the store gives out URLs, what is read is read there.
pub(super) async fn get(
    registry: &Registry,
    permit: Permit<Pull>,
    digest: &Digest,
    request: RequestHeaders<'_>,
    head: bool,
) -> Result<Response> {
    let blob = registry.get_blob(&permit, digest).await?;
    let common = [
        (header::ETAG, value(&entity_tag(digest))),
        (header::ACCEPT_RANGES, value("bytes")),
        (header::CONTENT_TYPE, value("application/octet-stream")),
        (header::CONTENT_DISPOSITION, value("attachment")),
        (headers::DOCKER_CONTENT_DIGEST, value(digest.as_str())),
    ];
    if request.has_current(digest) {
        return Ok((StatusCode::NOT_MODIFIED, common).into_response());
    }
    let size = blob.size();
    if head {
        registry.confirm_blob(&permit, &blob).await?;
        return Ok((
            common,
            [(header::CONTENT_LENGTH, value(&size.to_string()))],
            Body::empty(),
        )
            .into_response());
    }
    if let Some(url) = registry.redirect_blob(&blob).await? {
        return Ok((StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, value(&url))]).into_response());
    }
    let Some(range) = request.range(digest) else {
        let body = body(registry.read_blob(&blob, 0..size).await?);
        return Ok((common, [(header::CONTENT_LENGTH, value(&size.to_string()))], body).into_response());
    };
    let Some(range) = range.of(size) else {
        return Err(ApiError::RangeNotSatisfiable { size });
    };
    let part = [
        (header::CONTENT_LENGTH, value(&(range.end - range.start).to_string())),
        (
            header::CONTENT_RANGE,
            value(&format!("bytes {}-{}/{size}", range.start, range.end - 1)),
        ),
    ];
    let body = body(registry.read_blob(&blob, range).await?);
    Ok((StatusCode::PARTIAL_CONTENT, common, part, body).into_response())
}

fn body(bytes: BlobBytes) -> Body {
    match bytes {
        BlobBytes::Whole(bytes) => Body::from(bytes),
        BlobBytes::Stream(stream) => Body::from_stream(told(stream)),
    }
}

/// Says in the log why a body could not be sent to its end. All that its client sees is that the connection closes: the head of the
/// answer has been sent.
fn told(stream: ByteStream) -> impl Stream<Item = std::result::Result<Bytes, BoxError>> {
    let request = Span::current();
    stream.inspect_err(move |error| {
        request.in_scope(|| tracing::warn!(error = &**error, "a blob broke off on its way to the client"));
    })
}

/// end-10.
pub(super) async fn delete(registry: &Registry, permit: Permit<Delete>, digest: &Digest) -> Result<Response> {
    registry.delete_blob(&permit, digest).await?;
    Ok(StatusCode::ACCEPTED.into_response())
}

/// A repository that holds the blob and that the caller may read: the one named, or with none named any.
pub(super) async fn mount_source(
    registry: &Registry,
    gate: &Gate<'_>,
    to: &Permit<Push>,
    digest: &Digest,
    from: Option<RepositoryName>,
) -> Result<Option<Permit<Pull>>> {
    let candidates = match from {
        Some(from) => vec![from],
        None => registry.list_holders(to, digest).await?,
    };
    for candidate in candidates {
        if let Some(source) = gate.source(candidate).await.map_err(Refusal::Unchecked)? {
            return Ok(Some(source));
        }
    }
    Ok(None)
}

/// end-11. What cannot be mounted, for whatever reason, becomes an ordinary upload: the answer tells nothing of other repositories.
pub(super) async fn mount(
    registry: &Registry,
    to: Permit<Push>,
    from: Option<Permit<Pull>>,
    digest: &Digest,
) -> Result<Response> {
    if let Some(from) = from
        && registry.mount_blob(&to, &from, digest).await?
    {
        return Ok(uploads::created(to.repository(), digest));
    }
    uploads::start(registry, to, Algorithm::Sha256).await
}
