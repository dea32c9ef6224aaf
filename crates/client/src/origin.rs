//! Scheme, host and port: the border that no credential and no uploaded byte crosses.
//!
//! A registry tells its clients where to go next, three times: with the realm of its tokens, the `Location` of an upload, and
//! redirects. Followed blindly, each of them sends secrets to whoever the registry, or somebody who speaks for it, names.

use std::fmt;

use url::Url;
use wreg_oci::Host;

use crate::Error;

/// The scheme, host and port of a registry (RFC 6454).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin(Url);

impl Origin {
    /// `host` by TLS, or by plain http if `plain`.
    pub(crate) fn new(host: &Host, plain: bool) -> Result<Self, Error> {
        let scheme = if plain { "http" } else { "https" };
        let url = Url::parse(&format!("{scheme}://{host}/"));
        url.map(Self)
            .map_err(|error| Error::Options(format!("{host} is no address of a registry: {error}")))
    }

    /// Whether it is spoken to without TLS.
    pub(crate) fn is_plain(&self) -> bool {
        self.0.scheme() == "http"
    }

    /// A path, with its query, at this origin.
    pub(crate) fn at(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        let (path, query) = path
            .split_once('?')
            .map_or((path, None), |(path, query)| (path, Some(query)));
        url.set_path(path);
        url.set_query(query);
        url
    }

    /// Whether `url` has this scheme, host and port.
    pub(crate) fn owns(&self, url: &Url) -> bool {
        self.0.origin() == url.origin()
    }

    /// `url` if it is this origin's and names no user; otherwise an error that names both origins. `role` says what the
    /// registry named it as.
    pub(crate) fn admit(&self, url: Url, role: &'static str) -> Result<Url, Error> {
        if self.owns(&url) && !has_user(&url) {
            Ok(url)
        } else {
            Err(self.refuse(&url, role))
        }
    }

    /// The error for a `url` elsewhere.
    pub(crate) fn refuse(&self, url: &Url, role: &'static str) -> Error {
        Error::ForeignOrigin {
            origin: self.to_string(),
            foreign: url.origin().ascii_serialization(),
            role,
        }
    }
}

/// Whether the URL names a user or a password, which the HTTP client would send as credentials.
pub(crate) fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.origin().ascii_serialization())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(host: &str, plain: bool) -> Origin {
        Origin::new(&host.parse().expect("a host"), plain).expect("an origin")
    }

    #[test]
    fn paths_keep_their_query() {
        let url = origin("reg.example:8443", false).at("/v2/a/b/blobs/uploads/?mount=sha256:ab&from=c/d");
        assert_eq!(
            url.as_str(),
            "https://reg.example:8443/v2/a/b/blobs/uploads/?mount=sha256:ab&from=c/d"
        );
        assert_eq!(origin("[::1]:5000", true).at("/v2/").as_str(), "http://[::1]:5000/v2/");
    }

    /// **K01** Another scheme, host or port, a look-alike host, or a user name in the URL → not the registry's own.
    #[test]
    fn only_the_same_scheme_host_and_port_are_the_same_origin() {
        let origin = origin("reg.example", false);
        for own in ["https://reg.example/token", "https://REG.example:443/x"] {
            assert!(origin.admit(Url::parse(own).expect("a URL"), "a test").is_ok(), "{own}");
        }
        for foreign in [
            "http://reg.example/token",
            "https://reg.example:8443/token",
            "https://reg.example.evil.test/token",
            "https://evil.test/reg.example",
            "https://reg.example@evil.test/",
            "https://user:password@reg.example/",
            "file:///etc/passwd",
            "data:text/plain,x",
        ] {
            let error = origin
                .admit(Url::parse(foreign).expect("a URL"), "a test")
                .expect_err(foreign);
            assert!(error.to_string().starts_with("https://reg.example names "), "{error}");
            assert!(!error.to_string().contains("password@"), "{error}");
        }
    }
}
