//! The HTTP clients of one registry: one for plain http, and one for TLS, each made when it is first needed. Reading a system's
//! certificate authorities takes longer than pulling a component from a registry nearby.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use reqwest::{Certificate, Method, RequestBuilder, redirect::Policy};
use url::Url;

use crate::Error;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How a registry is reached. Clones share connections.
#[derive(Debug, Clone)]
pub(crate) struct Transport(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    user_agent: String,
    /// To trust besides those of the system.
    certificates: Vec<Certificate>,
    /// Whether it is on this machine.
    is_loopback: bool,
    plain: OnceLock<reqwest::Client>,
    secure: OnceLock<reqwest::Client>,
}

impl Transport {
    pub(crate) fn new(user_agent: String, certificates: Vec<Certificate>, is_loopback: bool) -> Self {
        Self(Arc::new(Inner {
            user_agent,
            certificates,
            is_loopback,
            plain: OnceLock::new(),
            secure: OnceLock::new(),
        }))
    }

    /// A request to `url`.
    pub(crate) fn request(&self, method: Method, url: Url) -> Result<RequestBuilder, Error> {
        Ok(self.client(&url)?.request(method, url))
    }

    /// The client for `url`. [`Error::Options`] where it needs TLS and there is none to be had.
    pub(crate) fn client(&self, url: &Url) -> Result<&reqwest::Client, Error> {
        let is_plain = url.scheme() == "http";
        let place = if is_plain { &self.0.plain } else { &self.0.secure };
        if let Some(made) = place.get() {
            return Ok(made);
        }
        let (builder, certificates) = (self.builder(), self.0.certificates.clone());
        let made = if is_plain {
            builder.tls_certs_only(certificates).build()
        } else {
            builder.tls_certs_merge(certificates).build()
        };
        let made = made.map_err(|error| Error::Options(format!("no TLS client can be made: {error}")))?;
        Ok(place.get_or_init(|| made))
    }

    fn builder(&self) -> reqwest::ClientBuilder {
        let builder = reqwest::Client::builder()
            .user_agent(&self.0.user_agent)
            .connect_timeout(CONNECT_TIMEOUT)
            // Redirects are followed where and how `http` allows it.
            .redirect(Policy::none())
            // Digests are over what was pushed: a coding would be undone before it could be seen.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate();
        // What is meant for this machine must not be shown to a proxy.
        if self.0.is_loopback {
            builder.no_proxy()
        } else {
            builder
        }
    }
}
