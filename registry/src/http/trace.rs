//! One line per request, and an id that joins it to what the client saw. A panic ends here as a 500.

use std::{panic::AssertUnwindSafe, time::Instant};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use futures_util::FutureExt as _;
use tracing::Instrument as _;
use uuid::Uuid;

use super::{
    error::ApiError,
    headers::value,
    metrics::endpoint,
    origin::{self, ClientAddress, Origin},
};
use crate::app::App;

/// The id of the request under way, on every answer.
pub(super) const REQUEST_ID: &str = "x-request-id";

/// Wraps every request. Neither query nor headers are written: both can hold secrets.
pub(super) async fn layer(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = Uuid::new_v4();
    let began = Instant::now();
    origin::identify(&mut request, app.public_url.as_ref(), &app.trusted_proxies);
    let client = request
        .extensions()
        .get()
        .map(|ClientAddress(address)| tracing::field::display(*address));
    let span = tracing::info_span!("request", %id, client, method = %request.method(), path = request.uri().path());
    let origin = Origin::of(&request);
    let (method, endpoint) = (request.method().clone(), endpoint(request.uri().path()));
    async move {
        let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        let mut response = answered.unwrap_or_else(|_| {
            app.count_panic();
            ApiError::Panicked.respond(&origin)
        });
        response.headers_mut().insert(REQUEST_ID, value(&id.to_string()));
        let status = response.status().as_u16();
        let took = began.elapsed();
        app.metrics.answered(method.as_str(), endpoint, status, took);
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(status, millis, "answered");
        response
    }
    .instrument(span)
    .await
}
