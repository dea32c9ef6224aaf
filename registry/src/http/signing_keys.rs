//! `/api/v1/signing-keys`: the keys that sign artifacts.

use axum::response::{IntoResponse as _, Response};
use wreg_api::{SigningKeyAction, SigningKeyList};

use super::Result;
use crate::{auth::permit::ServerPermit, domain::Registry};

/// `GET`: newest first.
pub(super) async fn list(registry: &Registry, permit: ServerPermit) -> Result<Response> {
    let keys = registry.list_signing_keys(&permit).await?;
    Ok(axum::Json(SigningKeyList { keys }).into_response())
}

/// `POST ?action=`: the list after it.
pub(super) async fn change(registry: &Registry, permit: ServerPermit, action: SigningKeyAction) -> Result<Response> {
    registry.change_signing_keys(&permit, action).await?;
    list(registry, permit).await
}
