//! HTTP: the only code that knows axum and status codes.
//!
//! Everything under `/v2/` is one route. The path is parsed into an [`Endpoint`] (repository names hold slashes, which no router
//! sees through), the caller is identified once, and each arm of `v2` gets its permit from the gate before it can call the
//! domain. One file per noun: request → domain → response. What an error looks like stands in `error.rs` alone.

mod api;
mod blobs;
mod body;
mod check;
mod collection;
mod components;
pub mod connection;
mod deletions;
mod error;
mod events;
mod headers;
mod health;
mod keys;
mod log;
mod manifests;
mod metrics;
mod namespaces;
mod openapi;
mod origin;
mod publications;
mod referrers;
mod repositories;
mod search;
mod signing_keys;
mod tags;
mod token;
mod tokens;
mod trace;
mod uploads;
mod versions;
mod well_known;

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    Router,
    body::{Body, HttpBody as _},
    extract::Request,
    http::{HeaderName, HeaderValue, Method, header},
    response::{IntoResponse as _, Response},
    routing::{any, get},
};
use futures_util::future::BoxFuture;
use tower_service::Service;
use wreg_oci::{Algorithm, Endpoint};
use wreg_trust::anchors;

pub(crate) use self::trace::RequestIds;
use self::{error::ApiError, headers::RequestHeaders, origin::Origin};
pub use self::{error::errors_reference, metrics::metrics_router, openapi::openapi_document};
use crate::{
    app::App,
    auth::permit::{Delete, Pull, Push},
};

type Result<T, E = ApiError> = std::result::Result<T, E>;

/// Old tools of docker look for it.
const DISTRIBUTION_API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");

/// Everything the server answers, for its connections. Cheap to clone.
///
/// What is under `/v2/` does not pass through a router: the endpoint's own grammar is the only one that knows where its names end.
#[derive(Clone)]
pub struct HttpService(Arc<Parts>);

struct Parts {
    app: App,
    others: Router,
}

impl HttpService {
    /// The service of a server.
    pub fn new(app: App) -> Self {
        let others = router(app.clone());
        Self(Arc::new(Parts { app, others }))
    }
}

impl Service<Request> for HttpService {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let parts = Arc::clone(&self.0);
        Box::pin(async move {
            let answered = trace::answer(&parts.app, request, async |request| {
                let path = request.uri().path();
                if path == "/v2" || path.starts_with("/v2/") {
                    v2(&parts.app, request).await
                } else {
                    match parts.others.clone().call(request).await {
                        Ok(response) => response,
                        Err(never) => match never {},
                    }
                }
            });
            Ok(answered.await)
        })
    }
}

/// What is beside `/v2/`.
fn router(app: App) -> Router {
    Router::new()
        .route("/token", get(token::get).post(token::post).fallback(method_not_allowed))
        .route("/api/v1/{*path}", any(api::api))
        .route(
            "/.well-known/wasm-pkg/registry.json",
            get(well_known::wasm_pkg).fallback(method_not_allowed),
        )
        .route(anchors::PATH, get(well_known::anchors).fallback(method_not_allowed))
        .route(anchors::KEY_PATH, get(well_known::key).fallback(method_not_allowed))
        .route("/log/checkpoint", get(log::checkpoint).fallback(method_not_allowed))
        .route("/log/{*path}", get(log::tile).fallback(method_not_allowed))
        .route("/livez", get(health::live).fallback(method_not_allowed))
        .route("/readyz", get(health::ready).fallback(method_not_allowed))
        .fallback(not_found)
        .with_state(app)
}

async fn not_found(request: Request) -> Response {
    ApiError::NotFound.respond(&Origin::of(&request))
}

async fn method_not_allowed(request: Request) -> Response {
    let allowed = match request.uri().path() {
        "/token" => "GET, HEAD, POST",
        _ => "GET, HEAD",
    };
    ApiError::MethodNotAllowed(allowed).respond(&Origin::of(&request))
}

/// The distribution API.
async fn v2(app: &App, request: Request) -> Response {
    let origin = Origin::of(&request);
    let is_head = request.method() == Method::HEAD;
    let mut response = dispatch(app, request)
        .await
        .unwrap_or_else(|error| error.respond(&origin));
    if is_head {
        // Over HTTP/2 hyper would send the content (RFC 9110, section 9.3.2).
        let length = response.body().size_hint().exact();
        *response.body_mut() = Body::empty();
        if let Some(length) = length.filter(|_| !response.headers().contains_key(header::CONTENT_LENGTH)) {
            response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
        }
    }
    let headers = response.headers_mut();
    headers.insert(DISTRIBUTION_API_VERSION, HeaderValue::from_static("registry/2.0"));
    // What people push must not become a page of this origin in somebody's browser.
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("sandbox; default-src 'none'"),
    );
    response
}

/// Identifies the caller, parses the endpoint, authorises, and hands over to the noun's file. There is no other way in.
async fn dispatch(app: &App, request: Request) -> Result<Response> {
    let (parts, body) = request.into_parts();
    let headers = RequestHeaders::new(&parts.headers);
    let from = origin::client_address(&parts.extensions);
    let identity = app.auth.identify(&headers.authorization(), from).await?;
    let gate = app.auth.gate(&identity);
    let endpoint = Endpoint::parse(parts.method.as_str(), parts.uri.path(), parts.uri.query())?;
    let head = parts.method == Method::HEAD;
    headers.refuse_content_coding()?;
    let registry = &app.registry;
    match endpoint {
        Endpoint::Ping => {
            gate.authenticated()?;
            Ok(axum::Json(serde_json::json!({})).into_response())
        }
        Endpoint::GetBlob(name, digest) => {
            blobs::get(registry, gate.permit::<Pull>(name).await?, &digest, headers, head).await
        }
        Endpoint::DeleteBlob(name, digest) => {
            blobs::delete(registry, gate.permit::<Delete>(name).await?, &digest).await
        }
        Endpoint::MountBlob(name, digest, from) => {
            let permit = gate.permit::<Push>(name).await?;
            let source = blobs::mount_source(registry, &gate, &permit, &digest, from).await?;
            blobs::mount(registry, permit, source, &digest).await
        }
        Endpoint::StartUpload(name, algorithm) => {
            uploads::start(
                registry,
                gate.permit::<Push>(name).await?,
                algorithm.unwrap_or(Algorithm::Sha256),
            )
            .await
        }
        Endpoint::PushBlob(name, digest) => {
            uploads::push(registry, gate.permit::<Push>(name).await?, digest, headers, body).await
        }
        Endpoint::AppendUpload(name, session) => {
            uploads::append(registry, gate.permit::<Push>(name).await?, session, headers, body).await
        }
        Endpoint::CompleteUpload(name, session, digest) => {
            uploads::complete(
                registry,
                gate.permit::<Push>(name).await?,
                session,
                digest,
                headers,
                body,
            )
            .await
        }
        Endpoint::GetUpload(name, session) => {
            uploads::status(registry, gate.permit::<Push>(name).await?, &session).await
        }
        Endpoint::CancelUpload(name, session) => {
            uploads::cancel(registry, gate.permit::<Push>(name).await?, &session).await
        }
        Endpoint::GetManifest(name, selector) => {
            manifests::get(registry, gate.permit::<Pull>(name).await?, selector, headers).await
        }
        Endpoint::PutManifest(name, selector, tags) => {
            manifests::put(
                registry,
                gate.permit::<Push>(name).await?,
                gate.search(),
                selector,
                tags,
                headers,
                body,
            )
            .await
        }
        Endpoint::DeleteManifest(name, selector) => {
            manifests::delete(registry, gate.permit::<Delete>(name).await?, selector).await
        }
        Endpoint::ListTags(name, page) => tags::list(registry, gate.permit::<Pull>(name).await?, page).await,
        Endpoint::ListReferrers(name, digest, filter, last) => {
            referrers::list(registry, gate.permit::<Pull>(name).await?, digest, filter, last).await
        }
        Endpoint::ListRepositories(page) => repositories::catalog(registry, gate.catalog()?, page).await,
    }
}
