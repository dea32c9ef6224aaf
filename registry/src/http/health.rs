//! `/livez` and `/readyz`: for whoever watches over the process.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};

use crate::app::App;

/// Whether the process answers. It asks nothing else, so that a database that is down does not get the server restarted.
pub(super) async fn live() -> Response {
    plain(StatusCode::OK, "live\n".to_owned())
}

/// Whether requests should be sent here: not while draining, nor when the database or the store does not work. Says why.
pub(super) async fn ready(State(app): State<App>) -> Response {
    match app.readiness.check(&app.registry).await {
        Ok(()) => plain(StatusCode::OK, "ready\n".to_owned()),
        Err(reason) => plain(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n")),
    }
}

fn plain(status: StatusCode, text: String) -> Response {
    (
        status,
        [
            (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
            (header::CACHE_CONTROL, "no-store"),
        ],
        text,
    )
        .into_response()
}
