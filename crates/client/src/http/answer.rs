//! Answers, read within bounds: no length that a registry declares is believed, and no silence is waited for without end.

use std::{future::Future, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header::RETRY_AFTER};
use serde::Deserialize;
use serde_json::Value;
use wreg_api::TokenScope;
use wreg_oci::{ErrorCode, Host};

use crate::{Error, error::NetworkKind};

/// How long nothing may come, or go, before a connection counts as broken.
pub(crate) const STALL: Duration = Duration::from_mins(1);

/// The most bytes of an error's body that are read.
const MAX_ERROR: u64 = 64 * 1024;

/// The most characters of a registry's own words that are repeated.
const MAX_MESSAGE: usize = 500;

/// Why no whole answer came.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The connection could not be made, or broke.
    Network(reqwest::Error),
    /// Nothing came for [`STALL`].
    Stalled,
    /// More than this many bytes came.
    TooLarge(u64),
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        Self::Network(error)
    }
}

impl Failure {
    /// The error of asking `registry` for `what`.
    pub(crate) fn at(self, registry: &Host, what: &str) -> Error {
        let (registry, what) = (registry.clone(), what.to_owned());
        match self {
            Self::TooLarge(limit) => Error::TooLarge {
                registry,
                what,
                limit,
                unit: "bytes",
            },
            Self::Stalled => Error::Network {
                registry,
                what,
                problem: format!("nothing moved for {} seconds", STALL.as_secs()),
                kind: NetworkKind::Broken,
            },
            Self::Network(error) => {
                let is_connect = error.is_connect();
                let problem = chain(error);
                let kind = if problem.contains("invalid peer certificate") {
                    NetworkKind::Certificate
                } else if problem.contains("InvalidContentType") {
                    NetworkKind::NotTls
                } else if is_connect {
                    NetworkKind::Connect
                } else {
                    NetworkKind::Broken
                };
                Error::Network {
                    registry,
                    what,
                    problem,
                    kind,
                }
            }
        }
    }
}

/// The causes of an error, outermost first, without those that only say that there is a cause. The URL is left out: that of a
/// redirect can hold a signature.
fn chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut texts: Vec<String> = Vec::new();
    let mut next: Option<&dyn std::error::Error> = Some(&error);
    while let Some(cause) = next {
        let text = cause.to_string();
        let says_nothing = text == "error sending request" || text.starts_with("client error (");
        // Some layers repeat the text of the layer below.
        let is_repeated = texts.last().is_some_and(|last| last.contains(&text));
        next = cause.source();
        if !(is_repeated || (says_nothing && next.is_some())) {
            texts.push(text);
        }
    }
    texts.join(": ")
}

/// `future`, unless it takes longer than [`STALL`].
pub(crate) async fn in_time<T>(future: impl Future<Output = Result<T, reqwest::Error>>) -> Result<T, Failure> {
    match tokio::time::timeout(STALL, future).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(Failure::Stalled),
    }
}

/// A body of at most `limit` bytes. Memory grows with what has come, never with what was announced.
pub(crate) async fn read_at_most(mut response: reqwest::Response, limit: u64) -> Result<Bytes, Failure> {
    let mut body = BytesMut::new();
    while let Some(piece) = in_time(response.chunk()).await? {
        if (body.len() + piece.len()) as u64 > limit {
            return Err(Failure::TooLarge(limit));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

/// The error that an answer amounts to which is not the one hoped for.
pub(crate) async fn refusal(response: reqwest::Response, registry: &Host, what: &str) -> Error {
    let (status, retry_after) = (response.status(), retry_after(response.headers()));
    let Words { code, message, needs } = words(response).await;
    let (registry, what) = (registry.clone(), what.to_owned());
    match status {
        StatusCode::NOT_FOUND => Error::NotFound { registry, what },
        StatusCode::FORBIDDEN => Error::Denied {
            registry,
            what,
            message,
            needs,
        },
        _ => Error::Registry {
            registry,
            what,
            status: status.as_u16(),
            code,
            message,
            retry_after,
        },
    }
}

/// What the first error of an answer's body says, as far as it says anything.
#[derive(Debug, Default)]
pub(crate) struct Words {
    pub(crate) code: Option<ErrorCode>,
    /// For people: without control characters, which could rewrite a terminal, and cut short.
    pub(crate) message: Option<String>,
    /// What a token would have to give; wreg's own.
    pub(crate) needs: Option<TokenScope>,
}

/// Reads an error's body.
pub(crate) async fn words(response: reqwest::Response) -> Words {
    #[derive(Deserialize)]
    struct Body {
        errors: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        #[serde(default)]
        code: Value,
        #[serde(default)]
        message: Option<String>,
        #[serde(default)]
        detail: Value,
    }
    let body = read_at_most(response, MAX_ERROR).await.unwrap_or_default();
    let Ok(Body { errors }) = serde_json::from_slice(&body) else {
        return Words::default();
    };
    let Some(first) = errors.into_iter().next() else {
        return Words::default();
    };
    // Codes beyond the specification's list are somebody's own, and no reason to lose the words.
    let code = serde_json::from_value(first.code).ok();
    let message = first
        .message
        .as_deref()
        .map(printable)
        .filter(|words| !words.is_empty());
    let needs = first.detail["needs"].as_str().and_then(|needs| needs.parse().ok());
    Words { code, message, needs }
}

/// `text` without control characters and cut to a length that people read.
pub(crate) fn printable(text: &str) -> String {
    let is_safe =
        |c: &char| !c.is_control() && !('\u{202a}'..='\u{202e}').contains(c) && !('\u{2066}'..='\u{2069}').contains(c);
    let words: String = text.chars().filter(is_safe).take(MAX_MESSAGE).collect();
    words.trim().trim_end_matches('.').to_owned()
}

/// `Retry-After` in seconds (RFC 9110 section 10.2.3). The other form, a date, is not read: clocks differ.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registrys_words_cannot_write_to_the_terminal() {
        assert_eq!(printable("no\u{1b}[2Jsuch\r\n thing\u{202e}. "), "no[2Jsuch thing");
        assert_eq!(printable(&"a".repeat(10_000)).len(), MAX_MESSAGE);
    }
}
