//! `/v2/<name>/blobs/uploads/` (end-4a, end-4b, end-5, end-6, end-13, end-14).

use axum::{
    body::Body,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use http_body::Body as _;
use wreg_oci::{Algorithm, Digest, RepositoryName};

use super::{
    ApiError, Result, body,
    error::UploadElsewhere,
    headers::{DOCKER_CONTENT_DIGEST, DOCKER_UPLOAD_UUID, RequestHeaders, upload_location, upload_range, value},
};
use crate::{
    auth::{Permit, permit::Push},
    domain::{
        self, Registry,
        uploads::{Chunk, Upload},
    },
};

/// end-4a.
pub(super) async fn start(registry: &Registry, permit: Permit<Push>, algorithm: Algorithm) -> Result<Response> {
    let upload = registry.start_upload(&permit, algorithm).await?;
    Ok(standing(StatusCode::ACCEPTED, permit.repository(), &upload))
}

/// end-4b.
pub(super) async fn push(
    registry: &Registry,
    permit: Permit<Push>,
    digest: Digest,
    headers: RequestHeaders<'_>,
    body: Body,
) -> Result<Response> {
    let name = permit.repository().clone();
    registry
        .push_blob(permit, digest.clone(), chunk(headers, body)?)
        .await?;
    Ok(created(&name, &digest))
}

/// end-5.
pub(super) async fn append(
    registry: &Registry,
    permit: Permit<Push>,
    session: String,
    headers: RequestHeaders<'_>,
    body: Body,
) -> Result<Response> {
    let name = permit.repository().clone();
    let upload = registry.append_upload(permit, &session, chunk(headers, body)?).await;
    let upload = upload.map_err(|error| where_it_stands(error, &name, &session))?;
    Ok(standing(StatusCode::ACCEPTED, &name, &upload))
}

/// end-6.
pub(super) async fn complete(
    registry: &Registry,
    permit: Permit<Push>,
    session: String,
    digest: Digest,
    headers: RequestHeaders<'_>,
    body: Body,
) -> Result<Response> {
    let name = permit.repository().clone();
    let completed = registry
        .complete_upload(permit, &session, digest.clone(), chunk(headers, body)?)
        .await;
    completed.map_err(|error| where_it_stands(error, &name, &session))?;
    Ok(created(&name, &digest))
}

/// end-13.
pub(super) async fn status(registry: &Registry, permit: Permit<Push>, session: &str) -> Result<Response> {
    let upload = registry.get_upload(&permit, session).await?;
    Ok(standing(StatusCode::NO_CONTENT, permit.repository(), &upload))
}

/// end-14.
pub(super) async fn cancel(registry: &Registry, permit: Permit<Push>, session: &str) -> Result<Response> {
    registry.cancel_upload(&permit, session).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn chunk(headers: RequestHeaders<'_>, body: Body) -> Result<Chunk> {
    Ok(Chunk {
        range: headers.content_range()?,
        // Without any framing there is no body, which is a length too.
        length: body.size_hint().exact(),
        body: body::stream(body),
    })
}

/// Where to go on, which the client needs also when it was wrong about that.
fn where_it_stands(error: domain::Error, name: &RepositoryName, session: &str) -> ApiError {
    match error {
        domain::Error::UploadOutOfOrder { at } | domain::Error::UploadBusy { at } => {
            let (location, range) = (upload_location(name, session), upload_range(at));
            ApiError::UploadElsewhere(Box::new(UploadElsewhere { error, location, range }))
        }
        error => error.into(),
    }
}

fn standing(status: StatusCode, name: &RepositoryName, upload: &Upload) -> Response {
    let headers = [
        (header::LOCATION, upload_location(name, &upload.session)),
        (header::RANGE, upload_range(upload.received)),
        (DOCKER_UPLOAD_UUID, value(&upload.session)),
    ];
    (status, headers).into_response()
}

/// The answer to everything that has made a blob.
pub(super) fn created(name: &RepositoryName, digest: &Digest) -> Response {
    let headers = [
        (header::LOCATION, value(&format!("/v2/{name}/blobs/{digest}"))),
        (DOCKER_CONTENT_DIGEST, value(digest.as_str())),
    ];
    (StatusCode::CREATED, headers).into_response()
}
