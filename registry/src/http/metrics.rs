//! `/metrics`, on a listener of its own: what is counted says much about who uses the server, and is for whoever runs it.

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};

use crate::{app::App, metrics::CONTENT_TYPE};

/// Everything that the metrics listener answers.
pub fn metrics_router(app: App) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(app)
}

async fn metrics(State(app): State<App>) -> Response {
    let observed = app.observe().await;
    match app.metrics.encode(&observed) {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        // Writing to memory does not fail.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Which part of the server a path asks: one of a closed set, since every request can have another path.
pub(super) fn endpoint(path: &str) -> &'static str {
    let Some(path) = path.strip_prefix("/v2") else {
        return match path {
            "/token" => "token",
            "/livez" | "/readyz" => "health",
            _ if path.starts_with("/api/v1/") => "api",
            _ => "other",
        };
    };
    let mut segments = path.rsplit('/');
    let [last, second, third] = [(); 3].map(|()| segments.next().unwrap_or_default());
    match (third, second, last) {
        ("", "", "") => "ping",
        (_, "", "_catalog") => "catalog",
        ("blobs", "uploads", _) | (_, "blobs", "uploads") => "uploads",
        (_, "blobs", _) => "blobs",
        (_, "manifests", _) => "manifests",
        (_, "referrers", _) => "referrers",
        (_, "tags", "list") => "tags",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::endpoint;

    #[test]
    fn every_path_asks_one_of_a_few_endpoints() {
        for (path, expected) in [
            ("/v2", "ping"),
            ("/v2/", "ping"),
            ("/v2/_catalog", "catalog"),
            ("/v2/a/b/blobs/uploads/", "uploads"),
            ("/v2/a/b/blobs/uploads/1", "uploads"),
            ("/v2/blobs/uploads/blobs/sha256:0", "blobs"),
            ("/v2/a/b/manifests/latest", "manifests"),
            ("/v2/a/b/referrers/sha256:0", "referrers"),
            ("/v2/a/b/tags/list", "tags"),
            ("/v2x", "other"),
            ("/v2/a", "other"),
            ("/token", "token"),
            ("/livez", "health"),
            ("/api/v1/repositories", "api"),
            ("/anything", "other"),
        ] {
            assert_eq!(endpoint(path), expected, "{path}");
        }
    }
}
