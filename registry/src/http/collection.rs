//! `/api/v1/admin/gc`: collecting now, or seeing what would be collected.

use axum::response::{IntoResponse as _, Response};

use super::Result;
use crate::{
    auth::permit::ServerPermit,
    domain::{Registry, collection::Cursor},
};

/// `POST [?dry_run=true][&cursor=]`: a bounded part of it.
pub(super) async fn collect(
    registry: &Registry,
    permit: ServerPermit,
    dry_run: bool,
    cursor: Option<Cursor>,
) -> Result<Response> {
    let part = if dry_run {
        registry.preview_collection(&permit, cursor).await?
    } else {
        registry.collect(&permit, cursor).await?
    };
    Ok(axum::Json(part).into_response())
}
