//! Answers that fit into memory, whole; and lists that come in pages.

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header::LINK};
use url::Url;
use wreg_oci::{Descriptor, Digest};

use super::{Call, Connection, answer};
use crate::{Error, retry::Attempts};

/// The most pages of one list. With at most a thousand entries on each it is beyond every other limit; it ends a registry that
/// sends a client in circles.
const MAX_PAGES: usize = 1000;

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
}

impl Connection {
    /// Sends until the answer is 200 and its body, of at most `limit` bytes, came whole; transient trouble is waited out.
    pub(crate) async fn fetch(&self, call: &Call<'_>, limit: u64) -> Result<Fetched, Error> {
        let mut attempts = Attempts::new(&self.retries);
        loop {
            match self.fetch_once(call, limit).await {
                Err(error) if self.is_transient(&error) => attempts.pause_or(error).await?,
                other => return other,
            }
        }
    }

    async fn fetch_once(&self, call: &Call<'_>, limit: u64) -> Result<Fetched, Error> {
        let response = self.ask_once(call, &[StatusCode::OK], &|_| ()).await?;
        let headers = response.headers().clone();
        let bytes = answer::read_at_most(response, limit)
            .await
            .map_err(|failure| failure.at(&self.host, call.what))?;
        Ok(Fetched { headers, bytes })
    }

    /// Fetches a list page by page, as the `Link` headers lead (RFC 8288), and gives each page to `take`, which says how many
    /// entries there are now. `limit` is the most bytes of all pages together, `most` the most entries, which are called `unit`.
    pub(crate) async fn fetch_pages(
        &self,
        mut call: Call<'_>,
        (limit, most, unit): (u64, usize, &'static str),
        mut take: impl FnMut(&[u8]) -> Result<usize, String>,
    ) -> Result<(), Error> {
        let mut left = limit;
        for _ in 0..MAX_PAGES {
            let page = self.fetch(&call, left).await.map_err(|error| match error {
                // Of what was left for this page; the caller knows the whole.
                Error::TooLarge { .. } => self.too_large(call.what, limit, "bytes"),
                other => other,
            })?;
            left -= page.bytes.len() as u64;
            let entries = take(&page.bytes).map_err(|problem| self.misunderstood(call.what, problem))?;
            if entries > most {
                return Err(self.too_large(call.what, most as u64, unit));
            }
            match next_page(&page.headers, &call.url) {
                None => return Ok(()),
                Some(url) => call.url = self.origin.admit(url, "the next page of a list")?,
            }
        }
        Err(self.too_large(call.what, MAX_PAGES as u64, "pages"))
    }

    /// The error of an answer that is outside the protocol.
    pub(crate) fn misunderstood(&self, what: &str, problem: impl Into<String>) -> Error {
        Error::Protocol {
            registry: self.host.clone(),
            what: what.to_owned(),
            problem: problem.into(),
        }
    }

    /// The error of an answer beyond a limit.
    pub(crate) fn too_large(&self, what: &str, limit: u64, unit: &'static str) -> Error {
        Error::TooLarge {
            registry: self.host.clone(),
            what: what.to_owned(),
            limit,
            unit,
        }
    }

    /// The error of content whose length is not the descriptor's; with `longer`, `actual` bytes are what was seen of it.
    pub(crate) fn other_size(&self, what: &str, descriptor: &Descriptor, actual: u64, longer: bool) -> Error {
        Error::SizeMismatch {
            registry: self.host.clone(),
            what: what.to_owned(),
            expected: descriptor.size,
            actual,
            longer,
        }
    }

    /// Checks the digest that the registry states, where it states one by the same algorithm.
    pub(crate) fn check_stated(&self, what: &str, headers: &HeaderMap, expected: &Digest) -> Result<(), Error> {
        match self.stated_digest(what, headers)? {
            Some(stated) if stated.algorithm() == expected.algorithm() => self.check_digest(what, expected, stated),
            _ => Ok(()),
        }
    }

    /// `Docker-Content-Digest`.
    pub(crate) fn stated_digest(&self, what: &str, headers: &HeaderMap) -> Result<Option<Digest>, Error> {
        let Some(value) = headers.get("docker-content-digest") else {
            return Ok(None);
        };
        let digest = value.to_str().ok().and_then(|text| text.parse().ok());
        digest
            .map(Some)
            .ok_or_else(|| self.misunderstood(what, "its Docker-Content-Digest is no digest"))
    }

    /// Checks a digest against the one that is expected.
    pub(crate) fn check_digest(&self, what: &str, expected: &Digest, actual: Digest) -> Result<(), Error> {
        if actual == *expected {
            return Ok(());
        }
        Err(Error::DigestMismatch {
            registry: self.host.clone(),
            what: what.to_owned(),
            expected: expected.clone(),
            actual,
        })
    }
}

/// The target of the `Link` with `rel="next"`.
fn next_page(headers: &HeaderMap, current: &Url) -> Option<Url> {
    let links = headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());
    let mut targets = links.flat_map(|links| links.split(',')).filter_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters.split(';').any(|parameter| {
            let rel = parameter.trim().strip_prefix("rel=");
            rel.is_some_and(|rel| {
                rel.trim_matches('"')
                    .split(' ')
                    .any(|rel| rel.eq_ignore_ascii_case("next"))
            })
        });
        is_next.then_some(target)
    });
    current.join(targets.next()?).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_next_page_is_found_among_the_links() {
        let current = Url::parse("https://reg.example/v2/a/tags/list?n=2").expect("a URL");
        for (link, next) in [
            (
                "</v2/a/tags/list?n=2&last=b>; rel=\"next\"",
                Some("https://reg.example/v2/a/tags/list?n=2&last=b"),
            ),
            (
                "</x>; rel=prev, <?last=c>; title=\"t\"; rel=next",
                Some("https://reg.example/v2/a/tags/list?last=c"),
            ),
            ("</x>; rel=\"prev\"", None),
            ("/x; rel=next", None),
        ] {
            let headers = [(LINK, HeaderValue::from_static(link))].into_iter().collect();
            assert_eq!(
                next_page(&headers, &current).map(String::from).as_deref(),
                next,
                "{link}"
            );
        }
    }
}
