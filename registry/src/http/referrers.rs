//! `/v2/<name>/referrers/<digest>` (end-12).

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;
use wreg_oci::{Descriptor, Digest, Endpoint, MediaType};

use super::{
    Result,
    headers::{next_page, value},
};
use crate::{
    auth::{Permit, permit::Pull},
    domain::Registry,
};

const OCI_FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index<'a> {
    schema_version: u8,
    media_type: MediaType,
    manifests: &'a [Descriptor],
}

/// end-12. Always an index, an empty one for what is unknown. Clients compare the Content-Type to the letter.
pub(super) async fn list(
    registry: &Registry,
    permit: Permit<Pull>,
    subject: Digest,
    artifact_type: Option<MediaType>,
    after: Option<Digest>,
) -> Result<Response> {
    let referrers = registry
        .list_referrers(&permit, &subject, artifact_type.as_ref(), after.as_ref())
        .await?;
    let index = Index {
        schema_version: 2,
        media_type: MediaType::IMAGE_INDEX,
        manifests: &referrers.entries,
    };
    let body = serde_json::to_vec(&index).unwrap_or_default();
    let mut response = (
        [(header::CONTENT_TYPE, value(MediaType::IMAGE_INDEX.as_str()))],
        Body::from(body),
    )
        .into_response();
    let filtered = artifact_type.is_some();
    if let Some(last) = referrers.entries.last().filter(|_| referrers.more) {
        let name = permit.repository().clone();
        let next = Endpoint::ListReferrers(name, subject, artifact_type, Some(last.digest.clone()));
        let (name, link) = next_page(&next.to_string());
        response.headers_mut().insert(name, link);
    }
    if filtered {
        response
            .headers_mut()
            .insert(OCI_FILTERS_APPLIED, HeaderValue::from_static("artifactType"));
    }
    Ok(response)
}
