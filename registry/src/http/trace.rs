//! One line per request, and an id that joins it to what the client saw. A panic ends here as a 500.

use std::{
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue},
    response::Response,
};
use futures_util::FutureExt as _;
use tracing::Instrument as _;
use uuid::Uuid;

use super::{
    error::ApiError,
    metrics::endpoint,
    origin::{self, ClientAddress, Origin},
};
use crate::app::App;

/// The ids of requests: each is another one, also on another server. They are names and no secrets, so that nothing random is asked of
/// the system for each.
pub(crate) struct RequestIds {
    server: u64,
    last: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new() -> Self {
        Self {
            server: Uuid::new_v4().as_u64_pair().1,
            last: AtomicU64::new(Uuid::new_v4().as_u64_pair().1),
        }
    }

    fn next(&self) -> Uuid {
        let request = self.last.fetch_add(1, Ordering::Relaxed);
        let bytes = (u128::from(self.server) << 64 | u128::from(request)).to_be_bytes();
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

/// The id of the request under way, on every answer.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Has a request answered. Neither query nor headers are written: both can hold secrets.
pub(super) async fn answer(app: &App, mut request: Request, answer: impl AsyncFnOnce(Request) -> Response) -> Response {
    let id = app.ids.next();
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
        let answered = AssertUnwindSafe(answer(request)).catch_unwind().await;
        let mut response = answered.unwrap_or_else(|_| {
            app.count_panic();
            ApiError::Panicked.respond(&origin)
        });
        let mut text = Uuid::encode_buffer();
        if let Ok(id) = HeaderValue::from_str(id.as_hyphenated().encode_lower(&mut text)) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
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
