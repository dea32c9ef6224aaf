//! Request bodies: streamed to the domain, or collected up to a limit.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _};

use super::{ApiError, Result};
use crate::domain::{self, BoxError, ByteStream};

/// The body as the domain takes it.
pub(super) fn stream(body: Body) -> ByteStream {
    body.into_data_stream()
        .map_err(|error| Box::new(error) as BoxError)
        .boxed()
}

/// The whole body, if it has at most `limit` bytes; `too_large` otherwise, before more than that has been read. `declared` is its
/// `Content-Length`, if there is one, and is not trusted further than to refuse early.
pub(super) async fn collect(body: Body, declared: Option<u64>, limit: usize, too_large: ApiError) -> Result<Bytes> {
    if declared.is_some_and(|length| length > limit as u64) {
        return Err(too_large);
    }
    let mut stream = body.into_data_stream();
    let mut bytes = BytesMut::new();
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(|error| domain::Error::BodyBroken(Box::new(error)))?;
        if bytes.len() + piece.len() > limit {
            return Err(too_large);
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes.freeze())
}
