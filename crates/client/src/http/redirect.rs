//! Where a redirect may lead.

use http::{HeaderMap, StatusCode, header::LOCATION};
use url::Url;
use wreg_oci::Host;

use crate::{
    Error,
    origin::{Origin, has_user},
};

/// The most redirects that are followed for one request.
pub(crate) const MAX_HOPS: usize = 5;

/// Where the answer to a reading request leads, if it is a redirect. From TLS it must not lead to plain http; whether the
/// registry's credentials may go along is [`Origin::owns`].
pub(crate) fn next(
    origin: &Origin,
    current: &Url,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<Option<Url>, Error> {
    let location = match status.as_u16() {
        301 | 302 | 303 | 307 | 308 => headers.get(LOCATION).and_then(|location| location.to_str().ok()),
        _ => return Ok(None),
    };
    let Some(mut url) = location.and_then(|location| current.join(location).ok()) else {
        return Ok(None);
    };
    url.set_fragment(None);
    let is_allowed = match url.scheme() {
        "https" => true,
        // Plain http stays on this machine, or with the registry that was chosen to be spoken to so.
        "http" => current.scheme() == "http" && (origin.owns(&url) || (origin.is_plain() && is_loopback(&url))),
        _ => false,
    };
    if is_allowed && !has_user(&url) {
        Ok(Some(url))
    } else {
        Err(origin.refuse(&url, "the target of a redirect"))
    }
}

fn is_loopback(url: &Url) -> bool {
    url.host_str()
        .and_then(|host| host.parse().ok())
        .is_some_and(|host: Host| host.is_loopback())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn follow(registry: &str, plain: bool, current: &str, location: &'static str) -> Result<Option<Url>, Error> {
        let origin = Origin::new(&registry.parse().expect("a host"), plain).expect("an origin");
        let headers = [(LOCATION, HeaderValue::from_static(location))].into_iter().collect();
        let current = Url::parse(current).expect("a URL");
        next(&origin, &current, StatusCode::TEMPORARY_REDIRECT, &headers)
    }

    /// **K07** A redirect from https to http, of the same host or another → refused, with both origins named.
    #[test]
    fn a_redirect_never_leads_from_tls_to_plain_http() {
        let start = "https://reg.example/v2/a/blobs/x";
        for location in [
            "http://reg.example/x",
            "http://reg.example:443/x",
            "http://localhost/x",
            "http://cdn.example/x",
        ] {
            let error = follow("reg.example", false, start, location).expect_err(location);
            assert!(
                error.to_string().contains("https://reg.example names http://"),
                "{error}"
            );
        }
        // Once a redirect has led to TLS, there is no way back to plain http even for a registry that speaks it.
        assert!(
            follow(
                "localhost:5000",
                true,
                "https://cdn.example/x",
                "http://localhost:5000/x"
            )
            .is_err()
        );
    }

    /// **K01** A redirect to a file, to another plain http host, or with a user in the URL → refused.
    #[test]
    fn a_redirect_leads_to_no_other_scheme_and_no_user() {
        let start = "http://localhost:5000/v2/a/blobs/x";
        for location in [
            "file:///etc/passwd",
            "ftp://localhost/x",
            "http://evil.test/x",
            "https://user:pw@cdn.example/",
        ] {
            assert!(follow("localhost:5000", true, start, location).is_err(), "{location}");
        }
    }

    #[test]
    fn a_redirect_may_lead_elsewhere_by_tls() {
        let start = "https://reg.example/v2/a/blobs/x";
        let to = |location| {
            follow("reg.example", false, start, location)
                .expect("allowed")
                .map(String::from)
        };
        assert_eq!(
            to("https://cdn.example/x?sig=1#f").as_deref(),
            Some("https://cdn.example/x?sig=1")
        );
        assert_eq!(to("/y").as_deref(), Some("https://reg.example/y"));
    }
}
