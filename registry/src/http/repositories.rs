//! `/v2/_catalog`, and `/api/v1/repositories` and `/api/v1/repository`: which there are, and their settings.

use axum::response::{AppendHeaders, IntoResponse as _, Response};
use serde_json::json;
use wreg_api::RepositoryList;
use wreg_oci::{Endpoint, Page};

use super::{Result, api::Body, headers::next_page};
use crate::{
    auth::permit::{Administer, CatalogPermit, Permit, Pull},
    domain::Registry,
};

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
pub(super) async fn list(registry: &Registry, permit: CatalogPermit, page: Page) -> Result<Response> {
    let repositories = registry.list_repositories(&permit, &page).await?;
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
    Ok((AppendHeaders(next), body).into_response())
}

/// `GET /api/v1/repository?repository=`.
pub(super) async fn show(registry: &Registry, permit: Permit<Pull>) -> Result<Response> {
    Ok(axum::Json(registry.get_repository(&permit).await?).into_response())
}

/// `PATCH /api/v1/repository?repository=`.
pub(super) async fn change(registry: &Registry, permit: Permit<Administer>, body: Body<'_>) -> Result<Response> {
    let settings = body.read_object().await?;
    Ok(axum::Json(registry.change_settings(&permit, settings).await?).into_response())
}
