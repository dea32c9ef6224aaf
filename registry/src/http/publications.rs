//! `/api/v1/publication` and `/api/v1/log-salt`.

use std::time::Duration;

use axum::response::{IntoResponse as _, Response};
use wreg_oci::TagOrDigest;

use super::Result;
use crate::{
    auth::{Permit, permit::Pull},
    domain::Registry,
};

/// `GET ?repository=&reference=&wait=`.
pub(super) async fn show(
    registry: &Registry,
    permit: Permit<Pull>,
    selector: TagOrDigest,
    wait: u64,
) -> Result<Response> {
    let state = registry
        .get_publication(&permit, &selector, Duration::from_secs(wait))
        .await?;
    Ok(axum::Json(state).into_response())
}

/// `GET ?repository=`.
pub(super) async fn salt(registry: &Registry, permit: Permit<Pull>) -> Result<Response> {
    Ok(axum::Json(registry.get_log_salt(&permit).await?).into_response())
}
