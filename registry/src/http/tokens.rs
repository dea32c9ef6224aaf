//! `/api/v1/tokens`: personal tokens.

use axum::{
    http::{StatusCode, header},
    response::{AppendHeaders, IntoResponse as _, Response},
};
use wreg_api::TokenList;
use wreg_oci::{Endpoint, Page};

use super::{Result, api::Body, headers::next_page};
use crate::{auth::permit::ServerPermit, domain::Registry};

/// `GET`: by name, 1000 a page at most.
pub(super) async fn list(registry: &Registry, permit: ServerPermit, page: Page) -> Result<Response> {
    let tokens = registry.list_tokens(&permit, &page).await?;
    let next = tokens.entries.last().filter(|_| tokens.more).map(|last| {
        let next = Endpoint::ListRepositories(Page {
            n: page.n,
            last: Some(last.name.to_string()),
        });
        next_page(&next.to_string().replacen("/v2/_catalog", wreg_api::TOKENS, 1))
    });
    let tokens = tokens.entries;
    Ok((AppendHeaders(next), axum::Json(TokenList { tokens })).into_response())
}

/// `POST`: the one answer with the secret, which no cache may keep.
pub(super) async fn create(registry: &Registry, permit: ServerPermit, body: Body<'_>) -> Result<Response> {
    let created = registry.create_token(&permit, body.read_object().await?).await?;
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    Ok((StatusCode::CREATED, no_store, axum::Json(created)).into_response())
}

/// `DELETE ?id=`.
pub(super) async fn revoke(registry: &Registry, permit: ServerPermit, id: Option<String>) -> Result<Response> {
    let tokens = registry.revoke_token(&permit, &id.unwrap_or_default()).await?;
    Ok(axum::Json(TokenList { tokens }).into_response())
}
