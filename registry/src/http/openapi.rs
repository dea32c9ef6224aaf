//! `/api/v1/openapi.json`: what wreg's own API is, for those who make clients of it.

use std::sync::LazyLock;

use axum::{
    http::header,
    response::{IntoResponse as _, Response},
};

/// The document `docs/reference/openapi.json`.
pub fn openapi_document() -> &'static str {
    static DOCUMENT: LazyLock<String> = LazyLock::new(|| format!("{:#}\n", wreg_api::openapi()));
    &DOCUMENT
}

/// `GET`. It is the same for everybody, scripts of other origins too.
pub(super) fn show() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    (headers, openapi_document()).into_response()
}
