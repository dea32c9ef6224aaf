//! `/api/v1/keys`: the keys that sign registry tokens.

use axum::response::{IntoResponse as _, Response};
use wreg_api::KeyList;

use super::Result;
use crate::{
    auth::{Auth, Refusal, keys::KeysError, permit::ServerPermit},
    domain,
};

/// `GET`: newest first.
pub(super) async fn list(auth: &Auth, permit: ServerPermit) -> Result<Response> {
    let keys = auth.list_keys(&permit).await.map_err(Refusal::Unchecked)?;
    Ok(axum::Json(KeyList { keys }).into_response())
}

/// `POST`: retires the keys of all servers; the list after it.
pub(super) async fn rotate(auth: &Auth, permit: ServerPermit) -> Result<Response> {
    auth.rotate_keys(&permit).await.map_err(unavailable)?;
    list(auth, permit).await
}

/// No key can be made or looked up, for now.
pub(super) fn unavailable(error: KeysError) -> domain::Error {
    domain::Error::Unavailable(Box::new(error))
}
