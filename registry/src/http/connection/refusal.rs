//! Requests whose head is too long, refused before any handler sees them.

use axum::{
    body::Body,
    http::{
        HeaderName, HeaderValue, Request, Response, StatusCode, Version,
        header::{CONNECTION, CONTENT_TYPE},
    },
};

use serde_json::json;
use wreg_oci::ErrorCode;

use super::ConnectionLimits;

/// What is too long about a head. The connection is closed after the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The request target: 414.
    Target,
    /// The header fields: 431.
    Headers,
}

impl Refusal {
    /// Looks at a head that was read whole.
    pub(super) fn of<B>(request: &Request<B>, limits: &ConnectionLimits) -> Option<Self> {
        let uri = request.uri();
        let target = uri.scheme_str().map_or(0, |scheme| scheme.len() + "://".len())
            + uri.authority().map_or(0, |authority| authority.as_str().len())
            + uri.path_and_query().map_or(0, |path| path.as_str().len());
        if target > limits.target {
            return Some(Self::Target);
        }
        if request.headers().len() > limits.headers {
            return Some(Self::Headers);
        }
        let field = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + ": \r\n".len();
        (request.headers().iter().map(field).sum::<usize>() > limits.header_bytes).then_some(Self::Headers)
    }

    fn status(self) -> StatusCode {
        match self {
            Self::Target => StatusCode::URI_TOO_LONG,
            Self::Headers => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        }
    }

    /// The specification's error body.
    fn body(self, limits: &ConnectionLimits) -> String {
        let message = match self {
            Self::Target => format!("the request target is longer than {} bytes", limits.target),
            Self::Headers => format!(
                "there are more than {} header fields, or more than {} bytes of them",
                limits.headers, limits.header_bytes
            ),
        };
        json!({ "errors": [{ "code": ErrorCode::Unsupported, "message": message }] }).to_string()
    }

    /// The answer, for hyper to send.
    pub(super) fn to_response(self, limits: &ConnectionLimits, version: Version) -> Response<Body> {
        let mut response = Response::new(self.body(limits).into());
        *response.status_mut() = self.status();
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        // In HTTP/2 the other streams go on, and nothing that follows can be taken for a request.
        if version < Version::HTTP_2 {
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    /// The answer as it goes over the wire, for a head that hyper never got to see whole.
    pub(super) fn to_bytes(self, limits: &ConnectionLimits) -> Vec<u8> {
        let (status, body) = (self.status(), self.body(limits));
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
        .into_bytes()
    }
}
