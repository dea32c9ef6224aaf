//! `/api/v1/component` and `/api/v1/wit`: what a Wasm artifact is. And what is told to whoever pushes one.

use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use wreg_api::ComponentFinding;
use wreg_oci::TagOrDigest;

use super::Result;
use crate::{
    auth::{
        Permit,
        permit::{CatalogPermit, Pull},
    },
    domain::Registry,
};

/// The most bytes of all warnings of an answer. Source: OCI distribution specification, "Warnings".
const MAX_WARNINGS: usize = 4096;

/// `GET /api/v1/component?repository=&reference=`.
pub(super) async fn show(
    registry: &Registry,
    permit: Permit<Pull>,
    sees: CatalogPermit,
    selector: TagOrDigest,
) -> Result<Response> {
    Ok(axum::Json(registry.get_component(&permit, &sees, &selector).await?).into_response())
}

/// `GET /api/v1/wit?repository=&reference=`.
pub(super) async fn wit(registry: &Registry, permit: Permit<Pull>, selector: TagOrDigest) -> Result<Response> {
    let text = registry.get_wit(&permit, &selector).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        // It is what somebody pushed, and no page of this origin.
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"),
    ];
    Ok((headers, text).into_response())
}

/// Tells each of these as `Warning: 299 - "…"` (RFC 7234, section 5.5), as far as there is room for them.
pub(super) fn warn<'a>(headers: &mut HeaderMap, texts: impl Iterator<Item = &'a str>) {
    let mut room = MAX_WARNINGS;
    for text in texts {
        let quoted = quoted(text);
        let Some(left) = room.checked_sub(quoted.len()) else {
            return;
        };
        room = left;
        if let Ok(value) = HeaderValue::from_str(&quoted) {
            headers.append(header::WARNING, value);
        }
    }
}

/// The warnings of findings.
pub(super) fn messages(findings: &[ComponentFinding]) -> impl Iterator<Item = &str> {
    findings.iter().map(|finding| finding.message.as_str())
}

/// A warning with a text, at most 1 KiB of it; what a header cannot hold is replaced.
fn quoted(text: &str) -> String {
    const MAX_TEXT: usize = 1024;
    let mut quoted = String::from("299 - \"");
    for character in text.chars().take(MAX_TEXT) {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            ' '..='~' => quoted.push(character),
            _ => quoted.push('?'),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_one_header_whatever_its_text() {
        let mut headers = HeaderMap::new();
        warn(&mut headers, ["says \"\\no\"\r\nSet-Cookie: a=b ä"].into_iter());
        let values: Vec<_> = headers.get_all(header::WARNING).iter().collect();
        assert_eq!(values, ["299 - \"says \\\"\\\\no\\\"??Set-Cookie: a=b ?\""]);
    }

    #[test]
    fn warnings_have_a_limit() {
        let mut headers = HeaderMap::new();
        let long = "a".repeat(5000);
        warn(&mut headers, std::iter::repeat_n(long.as_str(), 10));
        let bytes: usize = headers.get_all(header::WARNING).iter().map(HeaderValue::len).sum();
        assert!((3000..=MAX_WARNINGS).contains(&bytes), "{bytes}");
    }
}
