//! `/api/v1/versions`, `/api/v1/resolve` and `/api/v1/marks`.

use axum::response::{IntoResponse as _, Response};
use semver::VersionReq;
use wreg_oci::TagOrDigest;

use super::{Result, api::Body, components};
use crate::{
    auth::{
        Permit,
        permit::{Pull, Push},
    },
    domain::Registry,
};

/// `GET /api/v1/versions?repository=`.
pub(super) async fn list(registry: &Registry, permit: Permit<Pull>) -> Result<Response> {
    Ok(axum::Json(registry.list_versions(&permit).await?).into_response())
}

/// `GET /api/v1/resolve?repository=&req=`.
pub(super) async fn resolve(registry: &Registry, permit: Permit<Pull>, requirement: VersionReq) -> Result<Response> {
    let resolved = registry.resolve(&permit, &requirement).await?;
    let warnings = resolved.version.marks.warnings();
    let mut response = axum::Json(resolved).into_response();
    components::warn(response.headers_mut(), warnings.iter().map(String::as_str));
    Ok(response)
}

/// `POST /api/v1/marks?repository=&reference=`.
pub(super) async fn mark(
    registry: &Registry,
    permit: Permit<Push>,
    selector: TagOrDigest,
    body: Body<'_>,
) -> Result<Response> {
    let change = body.read_object().await?;
    Ok(axum::Json(registry.mark(&permit, &selector, change).await?).into_response())
}
