//! Errors over HTTP: the one table from what is wrong to a status and a code, and the body that tells it.
//!
//! Codes on the wire are the specification's, because clients know a closed list; wreg's own, finer code is `detail.wreg_code`. An
//! answer of 5xx tells the client an id and nothing else; the reason is in the log under that id.

mod rows;

use std::fmt::Write as _;

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};
use wreg_api::ComponentFinding;
use wreg_oci::{ErrorBody, ErrorEntry, InvalidEndpoint, range::InvalidContentRange};

use self::rows::Row;
pub use self::rows::errors_reference;
use super::{headers::value, origin::Origin};
use crate::{
    auth::{InvalidCredentials, Refusal, SERVICE, permit::Needs, scope::Access},
    domain::{self, gate::Unsigned},
};

/// Whatever a request can come to instead of its answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    #[error(transparent)]
    Domain(#[from] domain::Error),
    /// An upload stands elsewhere than the client thought: with the error goes where to go on.
    #[error("{}", .0.error)]
    UploadElsewhere(Box<UploadElsewhere>),
    /// Not signed, for somebody who is not known yet and who could be one that may read it all the same.
    #[error("{unsigned}: sign in as somebody who may push, to read it all the same")]
    UnsignedForNobody { unsigned: Box<Unsigned>, scope: Access },
    #[error(transparent)]
    Endpoint(#[from] InvalidEndpoint),
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Credentials(#[from] InvalidCredentials),
    #[error("there is nothing at this path")]
    NotFound,
    #[error("this method is not allowed here: {0} are")]
    MethodNotAllowed(&'static str),
    #[error("the body must come without a content coding: digests are over the bytes as they are stored")]
    ContentEncoding,
    #[error(transparent)]
    ContentRange(InvalidContentRange),
    #[error("a manifest needs a Content-Type, and it must be a media type")]
    ContentType,
    #[error("If-Match must be a digest in quotes, as the ETag gives it")]
    IfMatch,
    #[error("the range lies outside of the blob, which has {size} bytes")]
    RangeNotSatisfiable { size: u64 },
    #[error("the body can have {limit} bytes at most")]
    BodyTooLarge { limit: usize },
    #[error("the body is not what is expected here: {0}")]
    Json(String),
    #[error("the parameter {0} is not what is expected here")]
    Parameter(&'static str),
    #[error("grant_type must be password or refresh_token")]
    GrantType,
    #[error("a handler panicked")]
    Panicked,
}

/// An upload that does not stand where the client thought, and where it does.
#[derive(Debug)]
pub(super) struct UploadElsewhere {
    pub(super) error: domain::Error,
    pub(super) location: HeaderValue,
    pub(super) range: HeaderValue,
}

impl ApiError {
    /// The answer. What is the server's own fault is logged here, once.
    pub(super) fn respond(self, origin: &Origin) -> Response {
        let row = self.row();
        let status = row.status;
        let entries = if status.is_server_error() {
            tracing::error!(
                error = &self as &dyn std::error::Error,
                wreg_code = row.wreg_code,
                "the request failed"
            );
            vec![row.entry(
                "the registry cannot do this at the moment; its log has the reason under the id of this request",
                Value::Null,
            )]
        } else {
            tracing::debug!(
                error = &self as &dyn std::error::Error,
                wreg_code = row.wreg_code,
                "the request was refused"
            );
            self.entries(row)
        };
        let mut response = (status, axum::Json(ErrorBody { errors: entries })).into_response();
        self.add_headers(response.headers_mut(), origin, row);
        response
    }

    /// One entry, except for missing content, one for each digest, and for components that are refused, one for each finding.
    fn entries(&self, row: &Row) -> Vec<ErrorEntry> {
        if let Self::Domain(domain::Error::ManifestBlobUnknown(digests)) = self {
            let entry = |digest| row.entry(&self.to_string(), json!({ "digest": digest }));
            return digests.iter().map(entry).collect();
        }
        if let Self::Domain(domain::Error::ComponentRefused(findings)) = self {
            let entry = |finding: &ComponentFinding| {
                row.entry(
                    &finding.message,
                    json!({ "finding": finding.code, "offset": finding.offset }),
                )
            };
            return findings.iter().map(entry).collect();
        }
        if let Self::Domain(domain::Error::TagImmutable { tag, digest, deleted }) = self {
            let detail = json!({ "tag": tag, "digest": digest, "deleted": deleted });
            return vec![row.entry(&self.to_string(), detail)];
        }
        if let Self::Domain(domain::Error::NoVersion { highest, yanked, .. }) = self {
            return vec![row.entry(&self.to_string(), json!({ "highest": highest, "yanked": yanked }))];
        }
        if let Self::Domain(domain::Error::NotSigned(unsigned)) | Self::UnsignedForNobody { unsigned, .. } = self {
            return vec![row.entry(&self.to_string(), json!({ "digest": unsigned.digest }))];
        }
        let needs = self.needs().map(|needs| json!({ "needs": needs.to_string() }));
        vec![row.entry(&self.to_string(), needs.unwrap_or(Value::Null))]
    }

    /// What a personal token would have to give, where that is what is missing.
    fn needs(&self) -> Option<&Needs> {
        match self {
            Self::Refused(Refusal::Denied { needs }) | Self::Domain(domain::Error::TagDenied { needs, .. }) => {
                Some(needs)
            }
            Self::Refused(Refusal::Insufficient { needs, .. }) => needs.as_ref(),
            _ => None,
        }
    }

    fn add_headers(self, headers: &mut HeaderMap, origin: &Origin, row: &Row) {
        match self {
            Self::Refused(Refusal::Challenge { scope }) => {
                headers.insert(header::WWW_AUTHENTICATE, challenge(origin, scope.as_ref(), None));
            }
            Self::UnsignedForNobody { scope, .. } => {
                headers.insert(header::WWW_AUTHENTICATE, challenge(origin, Some(&scope), None));
            }
            Self::Refused(Refusal::Insufficient { scope, .. }) => {
                let error = Some("insufficient_scope");
                headers.insert(header::WWW_AUTHENTICATE, challenge(origin, Some(&scope), error));
            }
            Self::Credentials(InvalidCredentials::Wrong) => {
                headers.insert(header::WWW_AUTHENTICATE, challenge(origin, None, Some("invalid_token")));
            }
            Self::Endpoint(InvalidEndpoint::Method(allowed)) | Self::MethodNotAllowed(allowed) => {
                headers.insert(header::ALLOW, HeaderValue::from_static(allowed));
            }
            Self::UploadElsewhere(elsewhere) => {
                headers.insert(header::LOCATION, elsewhere.location);
                headers.insert(header::RANGE, elsewhere.range);
            }
            Self::RangeNotSatisfiable { size } => {
                headers.insert(header::CONTENT_RANGE, value(&format!("bytes */{size}")));
            }
            Self::Domain(domain::Error::DeletionDisabled) => {
                headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, PUT"));
            }
            Self::Credentials(InvalidCredentials::TooMany { seconds }) => {
                headers.insert(header::RETRY_AFTER, seconds.into());
            }
            Self::Domain(domain::Error::TooManyUploads { .. }) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
            }
            _ if row.status == StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            }
            _ => {}
        }
    }
}

/// `WWW-Authenticate` (RFC 6750, section 3), with the realm on the origin that the client used.
fn challenge(origin: &Origin, scope: Option<&Access>, error: Option<&str>) -> HeaderValue {
    let origin = origin.to_text();
    let mut text = format!("Bearer realm=\"{origin}/token\",service=\"{SERVICE}\"");
    if let Some(scope) = scope {
        let _ = write!(
            text,
            ",scope=\"{}:{}:{}\"",
            scope.kind,
            scope.name,
            scope.actions.join(",")
        );
    }
    if let Some(error) = error {
        let _ = write!(text, ",error=\"{error}\"");
    }
    value(&text)
}
