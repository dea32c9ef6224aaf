//! `/v2/_catalog`, and `/api/v1/repositories` and `/api/v1/repository`: which there are, and their settings.

use axum::{
    extract::{Request, State},
    http::HeaderMap,
    response::{IntoResponse as _, Response},
};
use serde_json::json;
use wreg_api::{RepositoryList, RepositorySettings};
use wreg_oci::{Endpoint, InvalidEndpoint, Page, RepositoryName};

use super::{
    ApiError, Result, body,
    error::Origin,
    headers::{RequestHeaders, next_page},
};
use crate::{
    app::App,
    auth::{
        Identity,
        permit::{Administer, CatalogPermit, Pull},
    },
    domain::Registry,
};

/// The largest body of a request to wreg's own API, in bytes.
const MAX_BODY: usize = 16 * 1024;

/// `GET /v2/_catalog`.
pub(super) async fn catalog(registry: &Registry, permit: CatalogPermit, page: Page) -> Result<Response> {
    let names = registry.list_repository_names(&permit, &page).await?;
    let body = axum::Json(json!({ "repositories": names.entries }));
    Ok(match names.entries.last().filter(|_| names.more) {
        Some(last) => {
            let next = Endpoint::ListRepositories(Page {
                n: page.n,
                last: Some(last.to_string()),
            });
            ([next_page(&next.to_string())], body).into_response()
        }
        None => body.into_response(),
    })
}

/// `GET /api/v1/repositories`.
pub(super) async fn list(State(app): State<App>, request: Request) -> Response {
    let origin = Origin::of(&app, request.headers());
    try_list(&app, request)
        .await
        .unwrap_or_else(|error| error.respond(&origin))
}

async fn try_list(app: &App, request: Request) -> Result<Response> {
    let identity = identify(app, request.headers()).await?;
    // The catalog's parameters mean the same here.
    let Endpoint::ListRepositories(page) = Endpoint::parse("GET", "/v2/_catalog", request.uri().query())? else {
        return Err(ApiError::NotFound);
    };
    let permit = app.auth.gate(&identity).catalog()?;
    let repositories = app.registry.list_repositories(&permit, &page).await?;
    let next = repositories.entries.last().filter(|_| repositories.more).map(|last| {
        let next = Endpoint::ListRepositories(Page {
            n: page.n,
            last: Some(last.name.to_string()),
        });
        next_page(&next.to_string().replacen("/v2/_catalog", wreg_api::REPOSITORIES, 1))
    });
    let body = axum::Json(RepositoryList {
        repositories: repositories.entries,
    });
    Ok((axum::response::AppendHeaders(next), body).into_response())
}

/// `GET /api/v1/repository?repository=`.
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let origin = Origin::of(&app, request.headers());
    try_show(&app, request)
        .await
        .unwrap_or_else(|error| error.respond(&origin))
}

async fn try_show(app: &App, request: Request) -> Result<Response> {
    let identity = identify(app, request.headers()).await?;
    let permit = app
        .auth
        .gate(&identity)
        .permit::<Pull>(repository(request.uri().query())?)
        .await?;
    Ok(axum::Json(app.registry.get_repository(&permit).await?).into_response())
}

/// `PATCH /api/v1/repository?repository=`.
pub(super) async fn change(State(app): State<App>, request: Request) -> Response {
    let origin = Origin::of(&app, request.headers());
    try_change(&app, request)
        .await
        .unwrap_or_else(|error| error.respond(&origin))
}

async fn try_change(app: &App, request: Request) -> Result<Response> {
    let identity = identify(app, request.headers()).await?;
    let permit = app
        .auth
        .gate(&identity)
        .permit::<Administer>(repository(request.uri().query())?)
        .await?;
    let headers = RequestHeaders::new(request.headers());
    headers.refuse_content_coding()?;
    let declared = headers.content_length();
    let body = body::collect(
        request.into_body(),
        declared,
        MAX_BODY,
        ApiError::BodyTooLarge { limit: MAX_BODY },
    )
    .await?;
    Ok(axum::Json(app.registry.change_settings(&permit, settings(&body)?).await?).into_response())
}

fn settings(body: &[u8]) -> Result<RepositorySettings> {
    // The derived reader would also take the members from an array, by their order.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(ApiError::Json("expected an object".to_owned()));
    }
    serde_json::from_slice(body).map_err(|error| ApiError::Json(error.to_string()))
}

async fn identify(app: &App, headers: &HeaderMap) -> Result<Identity> {
    Ok(app.auth.identify(&RequestHeaders::new(headers).authorization()).await?)
}

fn repository(query: Option<&str>) -> Result<RepositoryName> {
    let query = query.unwrap_or_default();
    let name = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "repository");
    let name = name.map(|(_, name)| name).unwrap_or_default();
    Ok(name.parse().map_err(InvalidEndpoint::Name)?)
}
