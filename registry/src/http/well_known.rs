//! `/.well-known/wasm-pkg/registry.json`: tells tools of WebAssembly packages that packages are here, and how they are asked for.
//!
//! Source: wasm-pkg-tools, "Registry metadata". With an empty prefix the package `acme:hello` is the repository `acme/hello`.

use axum::{
    extract::Request,
    http::header,
    response::{IntoResponse as _, Response},
};
use serde_json::json;

use super::{ApiError, origin::Origin};

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
