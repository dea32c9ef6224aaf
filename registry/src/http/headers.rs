//! Request headers, read into values; and the few response headers that several nouns share.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use wreg_oci::{
    Digest, MediaType, RepositoryName,
    range::{ByteRange, ContentRange},
};

use super::{ApiError, Result};
use crate::domain::manifests::Precondition;

/// The headers of a request.
#[derive(Clone, Copy)]
pub(super) struct RequestHeaders<'a>(&'a HeaderMap);

impl<'a> RequestHeaders<'a> {
    pub(super) fn new(headers: &'a HeaderMap) -> Self {
        Self(headers)
    }

    /// The values of every `Authorization`.
    pub(super) fn authorization(self) -> Vec<&'a [u8]> {
        self.0
            .get_all(header::AUTHORIZATION)
            .iter()
            .map(HeaderValue::as_bytes)
            .collect()
    }

    fn text(self, name: HeaderName) -> Option<&'a str> {
        self.0.get(name)?.to_str().ok()
    }

    /// Whether the answer is to be a stream of server-sent events.
    pub(super) fn accepts_event_stream(self) -> bool {
        let accepted = self.text(header::ACCEPT).unwrap_or_default();
        accepted.split(',').any(|range| {
            range
                .split(';')
                .next()
                .is_some_and(|range| range.trim() == "text/event-stream")
        })
    }

    /// The number of the last event that a client of such a stream has seen.
    pub(super) fn last_event_id(self) -> Option<i64> {
        self.text(HeaderName::from_static("last-event-id"))?.parse().ok()
    }

    /// The declared length of the body, in bytes.
    pub(super) fn content_length(self) -> Option<u64> {
        self.text(header::CONTENT_LENGTH)?.parse().ok()
    }

    /// Nothing is unpacked here: what comes is what is hashed and stored.
    pub(super) fn refuse_content_coding(self) -> Result<()> {
        let mut codings = self.0.get_all(header::CONTENT_ENCODING).iter();
        if codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            Ok(())
        } else {
            Err(ApiError::ContentEncoding)
        }
    }

    /// Where a chunk belongs (end-5, end-6).
    pub(super) fn content_range(self) -> Result<Option<ContentRange>> {
        let mut values = self.0.get_all(header::CONTENT_RANGE).iter();
        let Some(value) = values.next() else { return Ok(None) };
        // A second one, or one that is no text, must not pass for none: the chunk would then go wherever the upload stands.
        let only = value.to_str().ok().filter(|_| values.next().is_none());
        let range = only.unwrap_or_default().parse();
        range.map(Some).map_err(ApiError::ContentRange)
    }

    /// The type of a manifest, without parameters.
    pub(super) fn content_type(self) -> Result<MediaType> {
        let value = self.text(header::CONTENT_TYPE).ok_or(ApiError::ContentType)?;
        let bare = value.split(';').next().unwrap_or_default().trim();
        bare.parse().map_err(|_| ApiError::ContentType)
    }

    /// The part of a blob that is asked for. Ignored unless `If-Range` names this very blob.
    pub(super) fn range(self, digest: &Digest) -> Option<ByteRange> {
        let current = self.text(header::IF_RANGE).is_none_or(|tag| tag == entity_tag(digest));
        let range = self.text(header::RANGE).filter(|_| current)?;
        ByteRange::parse(range)
    }

    /// Whether the client has this content already.
    pub(super) fn has_current(self, digest: &Digest) -> bool {
        let matches = |tag: &str| {
            let tag = tag.trim();
            tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"') == digest.as_str()
        };
        self.text(header::IF_NONE_MATCH)
            .is_some_and(|tags| tags.split(',').any(matches))
    }

    /// What a manifest push expects to be there. `If-Match` with what is no digest matches nothing.
    pub(super) fn precondition(self) -> Result<Precondition> {
        if let Some(tag) = self.text(header::IF_MATCH) {
            let digest = tag.trim().trim_matches('"').parse();
            return digest.map(Precondition::Is).map_err(|_| ApiError::IfMatch);
        }
        let absent = self.text(header::IF_NONE_MATCH).is_some_and(|tag| tag.trim() == "*");
        Ok(if absent {
            Precondition::Absent
        } else {
            Precondition::None
        })
    }
}

/// Which content this is: on every answer that carries or stores some.
pub(super) const DOCKER_CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
/// The session of an upload, for clients that do not read it from the location.
pub(super) const DOCKER_UPLOAD_UUID: HeaderName = HeaderName::from_static("docker-upload-uuid");

/// The strong validator of content: its digest.
pub(super) fn entity_tag(digest: &Digest) -> String {
    format!("\"{digest}\"")
}

/// A header value of text that is known to be ASCII without controls: digests, names, numbers.
pub(super) fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// The header that leads to the next page.
pub(super) fn next_page(path_and_query: &str) -> (HeaderName, HeaderValue) {
    (header::LINK, value(&format!("<{path_and_query}>; rel=\"next\"")))
}

/// `Range` of an upload that has `received` bytes: inclusive and without a unit; an empty one is `0-0`.
pub(super) fn upload_range(received: u64) -> HeaderValue {
    value(&format!("0-{}", received.saturating_sub(1)))
}

/// The path of an upload.
pub(super) fn upload_location(name: &RepositoryName, session: &str) -> HeaderValue {
    value(&format!("/v2/{name}/blobs/uploads/{session}"))
}
