//! `/v2/<name>/manifests/<tag or digest>` (end-3, end-7a, end-7b, end-9).

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde_json::json;
use wreg_oci::{Tag, TagOrDigest, manifest};

use super::{
    Result, body, components,
    error::ApiError,
    headers::{DOCKER_CONTENT_DIGEST, RequestHeaders, entity_tag, value},
};
use crate::{
    auth::{
        Permit,
        permit::{CatalogPermit, Delete, Pull, Push},
    },
    domain::{self, Registry, gate::Pulled, manifests::NewManifest},
};

const OCI_SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
const OCI_TAG: HeaderName = HeaderName::from_static("oci-tag");

/// end-3. The bytes and the type are those of the push, to the letter.
pub(super) async fn get(
    registry: &Registry,
    permit: Permit<Pull>,
    selector: TagOrDigest,
    request: RequestHeaders<'_>,
) -> Result<Response> {
    let pulled = registry.pull_manifest(&permit, &selector).await;
    let Pulled { manifest, unsigned } = pulled.map_err(|error| match (error, permit.unidentified()) {
        (domain::Error::NotSigned(unsigned), Some(scope)) => ApiError::UnsignedForNobody { unsigned, scope },
        (error, _) => error.into(),
    })?;
    let common = [
        (header::ETAG, value(&entity_tag(&manifest.digest))),
        (header::CONTENT_TYPE, value(manifest.media_type.as_str())),
        (DOCKER_CONTENT_DIGEST, value(manifest.digest.as_str())),
    ];
    if request.has_current(&manifest.digest) {
        return Ok((StatusCode::NOT_MODIFIED, common).into_response());
    }
    let mut response = (common, Body::from(manifest.content.clone())).into_response();
    let advisories = registry.advisories_about(&manifest).await;
    if !manifest.marks.is_empty() || !advisories.is_empty() || unsigned.is_some() {
        let (marks, unsigned) = (manifest.marks.warnings(), unsigned.map(|unsigned| unsigned.to_string()));
        let warnings = unsigned.iter().chain(&marks).chain(&*advisories).map(String::as_str);
        components::warn(response.headers_mut(), warnings);
    }
    Ok(response)
}

/// end-7a, end-7b. The body may come without a length; it is cut off where it becomes too long.
pub(super) async fn put(
    registry: &Registry,
    permit: Permit<Push>,
    sees: CatalogPermit,
    selector: TagOrDigest,
    tags: Vec<Tag>,
    request: RequestHeaders<'_>,
    body: Body,
) -> Result<Response> {
    let too_large = domain::Error::ManifestTooLarge {
        limit: manifest::MAX_LEN,
    };
    let (media_type, precondition) = (request.content_type()?, request.precondition()?);
    let content = body::collect(body, request.content_length(), manifest::MAX_LEN, too_large.into()).await?;
    let new = NewManifest {
        media_type,
        content: content.into(),
        precondition,
    };
    let stored = registry
        .put_manifest(&permit, &sees, selector, tags.clone(), new)
        .await?;
    let is_kept = |tag: &Tag| stored.kept.iter().any(|(kept, _)| kept == tag);
    let accepted: Vec<_> = tags.iter().filter(|tag| !is_kept(tag)).map(Tag::as_str).collect();
    let location = format!("/v2/{}/manifests/{}", permit.repository(), stored.digest);
    let headers = [
        (header::LOCATION, value(&location)),
        (DOCKER_CONTENT_DIGEST, value(stored.digest.as_str())),
    ];
    let mut response = (StatusCode::CREATED, headers).into_response();
    if let Some(subject) = stored.subject {
        response.headers_mut().insert(OCI_SUBJECT, value(subject.as_str()));
    }
    if !accepted.is_empty() {
        response.headers_mut().insert(OCI_TAG, value(&accepted.join(", ")));
    }
    let kept = stored.kept.iter().map(|(tag, digest)| {
        format!("the tag {tag} stays with {digest}, which holds the same WebAssembly: a version is written once")
    });
    let kept: Vec<_> = kept.collect();
    let messages = components::messages(&stored.findings);
    components::warn(response.headers_mut(), kept.iter().map(String::as_str).chain(messages));
    if !stored.findings.is_empty() {
        *response.body_mut() = axum::Json(json!({ "findings": stored.findings }))
            .into_response()
            .into_body();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    Ok(response)
}

/// end-9.
pub(super) async fn delete(registry: &Registry, permit: Permit<Delete>, selector: TagOrDigest) -> Result<Response> {
    registry.delete_manifest(&permit, selector).await?;
    Ok(StatusCode::ACCEPTED.into_response())
}
