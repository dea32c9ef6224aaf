//! `/log/`: the log of changes, as C2SP tlog-tiles has it. For everybody; it names no repository that is not public.

use axum::{
    extract::{Path, Request, State},
    http::header,
    response::{IntoResponse as _, Response},
};
use wreg_trust::log::Tile;

use super::{ApiError, Result, origin::Origin};
use crate::{app::App, domain::Registry};

/// The last checkpoint, signed.
pub(super) async fn checkpoint(State(app): State<App>, request: Request) -> Response {
    let origin = Origin::of(&request);
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    match app.registry.get_checkpoint().await {
        Ok(note) => (headers, note).into_response(),
        Err(error) => ApiError::from(error).respond(&origin),
    }
}

/// A tile, which never changes.
pub(super) async fn tile(State(app): State<App>, Path(path): Path<String>, request: Request) -> Response {
    let origin = Origin::of(&request);
    read(&app.registry, &path)
        .await
        .unwrap_or_else(|error| error.respond(&origin))
}

async fn read(registry: &Registry, path: &str) -> Result<Response> {
    let tile: Tile = path.parse().map_err(|_| ApiError::NotFound)?;
    let bytes = registry.get_tile(tile).await?.ok_or(ApiError::NotFound)?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Ok((headers, bytes).into_response())
}
