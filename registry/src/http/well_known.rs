//! What a registry says of itself at places that everybody knows.
//!
//! `/.well-known/wreg/trust.json` and `cosign.pub`: its keys, what it signs, and its log ([`wreg_trust::anchors`]).
//!
//! `/.well-known/wasm-pkg/registry.json`: tells tools of WebAssembly packages that packages are here, and how they are asked for.
//!
//! Source: wasm-pkg-tools, "Registry metadata". With an empty prefix the package `acme:hello` is the repository `acme/hello`.

use axum::{
    extract::{Request, State},
    http::header,
    response::{IntoResponse as _, Response},
};
use serde_json::json;
use wreg_trust::anchors::KeyState;

use super::{ApiError, Result, origin::Origin};
use crate::{app::App, domain};

/// Answers everybody, scripts of other origins too: it says nothing that the client did not name itself.
pub(super) async fn wasm_pkg(request: Request) -> Response {
    let origin = Origin::of(&request);
    let Some(host) = origin.host() else {
        return ApiError::NotFound.respond(&origin);
    };
    let headers = [
        (header::CACHE_CONTROL, "public, max-age=3600"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::VARY, "host"),
    ];
    let body = json!({
        "preferredProtocol": "oci",
        "oci": { "registry": host, "namespacePrefix": "" },
    });
    (headers, axum::Json(body)).into_response()
}

/// What changes now and then, and must be known soon then.
const SHORT: (header::HeaderName, &str) = (header::CACHE_CONTROL, "public, max-age=60");

/// Answers everybody: who is to trust the registry has nothing else to begin with.
pub(super) async fn anchors(State(app): State<App>, request: Request) -> Response {
    let origin = Origin::of(&request);
    let found = app.registry.anchors().await.map_err(ApiError::from);
    let found = found.map(|anchors| ([SHORT], axum::Json(anchors)).into_response());
    found.unwrap_or_else(|error| error.respond(&origin))
}

/// The key that signs now, as PEM.
pub(super) async fn key(State(app): State<App>, request: Request) -> Response {
    let origin = Origin::of(&request);
    let found = active_key(&app.registry).await;
    let found = found.map(|key| ([SHORT, (header::CONTENT_TYPE, "application/x-pem-file")], key).into_response());
    found.unwrap_or_else(|error| error.respond(&origin))
}

async fn active_key(registry: &domain::Registry) -> Result<String> {
    let anchors = registry.anchors().await?;
    let active = anchors.keys.into_iter().find(|key| key.state == KeyState::Active);
    Ok(active.ok_or(ApiError::NotFound)?.key.to_string())
}
