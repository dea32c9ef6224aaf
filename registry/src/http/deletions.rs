//! `/api/v1/deleted`: what was deleted, and bringing it back.

use axum::response::{IntoResponse as _, Response};
use wreg_oci::TagOrDigest;

use super::Result;
use crate::{
    auth::{Permit, permit::Delete},
    domain::Registry,
};

/// `GET ?repository=`.
pub(super) async fn list(registry: &Registry, permit: Permit<Delete>, last: Option<String>) -> Result<Response> {
    Ok(axum::Json(registry.list_deleted(&permit, last.as_deref()).await?).into_response())
}

/// `POST ?repository=&reference=`.
pub(super) async fn undelete(registry: &Registry, permit: Permit<Delete>, selector: TagOrDigest) -> Result<Response> {
    Ok(axum::Json(registry.undelete(&permit, selector).await?).into_response())
}
