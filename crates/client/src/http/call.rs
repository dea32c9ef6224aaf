//! A request, before it is sent.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;
use wreg_oci::RepositoryName;

use super::body::Body;
use crate::auth::Scope;

/// Whose rights a request needs.
#[derive(Debug, Clone)]
pub(crate) enum Access {
    /// A registry token's, by the distribution API.
    Scope(Scope),
    /// A person's, by wreg's own API; with the repository that it is about.
    Personal(Option<RepositoryName>),
}

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    /// Of the registry's own origin.
    pub(crate) url: Url,
    /// What is asked for, in the words of [`Error`].
    pub(crate) what: &'a str,
    pub(crate) access: Access,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
}

impl<'a> Call<'a> {
    /// `method` at `url`, without headers and body.
    pub(crate) fn new(method: Method, url: Url, what: &'a str, access: Access) -> Self {
        Self {
            method,
            url,
            what,
            access,
            headers: HeaderMap::new(),
            body: Body::Empty,
        }
    }

    /// The same with a header.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The same with a body.
    pub(crate) fn body(self, body: Body) -> Self {
        Self { body, ..self }
    }
}
