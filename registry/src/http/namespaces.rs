//! `/api/v1/namespaces` and `/api/v1/namespace`: which there are, and their settings.

use axum::response::{AppendHeaders, IntoResponse as _, Response};
use wreg_api::NamespaceList;
use wreg_oci::{Page, name::Namespace};

use super::{Result, api::Body, headers::next_page};
use crate::{auth::permit::ServerPermit, domain::Registry};

/// `GET /api/v1/namespaces`.
pub(super) async fn list(registry: &Registry, permit: ServerPermit, page: Page) -> Result<Response> {
    let found = registry.list_namespaces(&permit, &page).await?;
    let next = found.entries.last().filter(|_| found.more).map(|last| {
        let n = page.n.map(|n| format!("&n={n}")).unwrap_or_default();
        next_page(&format!("{}?last={}{n}", wreg_api::NAMESPACES, last.name))
    });
    let body = axum::Json(NamespaceList {
        namespaces: found.entries,
    });
    Ok((AppendHeaders(next), body).into_response())
}

/// `GET /api/v1/namespace?namespace=`.
pub(super) async fn show(registry: &Registry, permit: ServerPermit, name: Namespace) -> Result<Response> {
    Ok(axum::Json(registry.get_namespace(&permit, &name).await?).into_response())
}

/// `PATCH /api/v1/namespace?namespace=`.
pub(super) async fn change(
    registry: &Registry,
    permit: ServerPermit,
    name: Namespace,
    body: Body<'_>,
) -> Result<Response> {
    let settings = body.read_object().await?;
    Ok(axum::Json(registry.change_namespace(&permit, name, settings).await?).into_response())
}
