//! One request to a registry: authorised, redirected within the rules, repeated where that is safe.
//!
//! Why these requests are our own and not oci-client's (0.18). Its HTTP client cannot be given a rule for redirects, so it
//! follows any of them, down from TLS to plain http too, and repeats the body of a push at the new place. Beyond that, call by
//! call:
//!
//! - `pull_manifest_raw`, `fetch_manifest_digest` (where a registry states no digest), `list_tags`, `pull_referrers`, and the
//!   error of every call: bodies are read whole, however large. Lists are one page. A head's media type and size are not given.
//! - `push_manifest_raw`: the digest that the registry states is not compared; without a `Location` a push by digest panics.
//! - `push_blob*`: a `Location` at another host gets the content; chunks are 4 MiB and nothing is resumed. `mount_blob` takes the
//!   202 of a registry that cannot mount as an error, and forgets the session that was opened.
//! - `pull_blob_stream_partial`: does not show `Content-Range`, so that a part from somewhere else is appended.
//! - `auth`: gives Basic credentials to any realm.
//!
//! It remains the independent peer in this crate's tests: what one pushes, the other pulls.

pub(crate) mod answer;
mod body;
mod call;
mod fetch;
mod redirect;
mod transport;

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use http::{
    Method, StatusCode,
    header::{AUTHORIZATION, CONTENT_LENGTH},
};
use url::Url;
use wreg_oci::{Endpoint, Host};

use self::answer::{Failure, STALL};
pub(crate) use self::{
    answer::{in_time, read_at_most},
    body::Body,
    call::{Access, Call},
    fetch::Fetched,
    transport::Transport,
};
use crate::{
    Credentials, Error, Retries,
    auth::{Auth, Authorization, Scope},
    error::NetworkKind,
    origin::Origin,
    retry::Attempts,
};

/// How often the progress of what is being sent is looked at.
const TICK: Duration = Duration::from_millis(200);

/// A registry and the way to it.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) host: Host,
    pub(crate) origin: Origin,
    pub(crate) retries: Retries,
    http: Transport,
    auth: Auth,
    /// Whether it ever answered: a registry that never did is not there, one that did may come back.
    has_answered: AtomicBool,
}

impl Connection {
    pub(crate) fn new(host: Host, origin: Origin, credentials: Credentials, http: Transport, retries: Retries) -> Self {
        Self {
            auth: Auth::new(host.clone(), origin.clone(), credentials, http.clone()),
            host,
            origin,
            retries,
            http,
            has_answered: AtomicBool::new(false),
        }
    }

    /// The same registry with other credentials.
    pub(crate) fn with_credentials(&self, credentials: Credentials) -> Self {
        Self {
            host: self.host.clone(),
            origin: self.origin.clone(),
            retries: self.retries.clone(),
            http: self.http.clone(),
            auth: self.auth.with_credentials(credentials),
            has_answered: AtomicBool::new(false),
        }
    }

    /// A request to an endpoint of the distribution API.
    pub(crate) fn call<'a>(&self, endpoint: &Endpoint, what: &'a str, scope: Scope) -> Call<'a> {
        // The table's methods are all tokens.
        let method = Method::from_bytes(endpoint.method().as_bytes()).unwrap_or_default();
        Call::new(
            method,
            self.origin.at(&endpoint.to_string()),
            what,
            Access::Scope(scope),
        )
    }

    /// Sends until an answer comes whose status is among `expected`; transient trouble is waited out. Only for requests that
    /// may be repeated.
    pub(crate) async fn ask(&self, call: &Call<'_>, expected: &[StatusCode]) -> Result<reqwest::Response, Error> {
        let mut attempts = Attempts::new(&self.retries);
        loop {
            match self.ask_once(call, expected, &|_| ()).await {
                Err(error) if self.is_transient(&error) => attempts.pause_or(error).await?,
                other => return other,
            }
        }
    }

    /// Sends once; an error for every status that is not among `expected`. `on_sent` is told how many more bytes of the body
    /// went out.
    pub(crate) async fn ask_once(
        &self,
        call: &Call<'_>,
        expected: &[StatusCode],
        on_sent: &(dyn Fn(u64) + Sync),
    ) -> Result<reqwest::Response, Error> {
        let response = self.send(call, on_sent).await?;
        if expected.contains(&response.status()) {
            Ok(response)
        } else {
            Err(answer::refusal(response, &self.host, call.what).await)
        }
    }

    /// Whether the same request may go well a little later.
    pub(crate) fn is_transient(&self, error: &Error) -> bool {
        match error {
            Error::Registry { status, .. } => matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504),
            Error::Network { kind, .. } => match kind {
                NetworkKind::Broken => true,
                NetworkKind::Connect => self.has_answered.load(Ordering::Relaxed),
                NetworkKind::Certificate | NetworkKind::NotTls => false,
            },
            _ => false,
        }
    }

    /// Sends with what is at hand, and once more with what a 401 asks for. Any other status is an answer.
    pub(crate) async fn send(
        &self,
        call: &Call<'_>,
        on_sent: &(dyn Fn(u64) + Sync),
    ) -> Result<reqwest::Response, Error> {
        let scope = match &call.access {
            Access::Scope(scope) => scope,
            Access::Personal(repository) => {
                let authorization = self.auth.personal(repository.as_ref()).await?;
                let response = self.redirected(call, authorization.as_ref(), on_sent).await?;
                if !self.is_challenge(&response) {
                    return Ok(response);
                }
                let message = answer::words(response).await.message;
                let registry = self.host.clone();
                return Err(match authorization {
                    Some(_) => Error::CredentialsRefused { registry, message },
                    None => self.auth.wants_credentials(call.what, None),
                });
            }
        };
        let sent = self.auth.at_hand(scope).await?;
        let response = self.redirected(call, sent.as_ref(), on_sent).await?;
        if !self.is_challenge(&response) {
            return Ok(response);
        }
        let authorization = self
            .auth
            .answer(scope, call.what, response.headers(), sent.as_ref())
            .await?;
        let response = self.redirected(call, Some(&authorization), on_sent).await?;
        if !self.is_challenge(&response) {
            return Ok(response);
        }
        let words = answer::words(response).await;
        Err(self.auth.refused(call.what, &authorization, words).await)
    }

    /// Whether the registry itself asks for credentials: a 401 from where a redirect led is no reason to show any.
    fn is_challenge(&self, response: &reqwest::Response) -> bool {
        response.status() == StatusCode::UNAUTHORIZED && self.origin.owns(response.url())
    }

    /// Sends, and follows redirects of reading requests. Credentials go along only while every hop was the registry's own.
    async fn redirected(
        &self,
        call: &Call<'_>,
        authorization: Option<&Authorization>,
        on_sent: &(dyn Fn(u64) + Sync),
    ) -> Result<reqwest::Response, Error> {
        let reads = call.method == Method::GET || call.method == Method::HEAD;
        let (mut url, mut is_home) = (call.url.clone(), self.origin.owns(&call.url));
        for _ in 0..=redirect::MAX_HOPS {
            let response = self
                .dispatch(call, url.clone(), authorization.filter(|_| is_home), on_sent)
                .await?;
            if !reads {
                return Ok(response);
            }
            match redirect::next(&self.origin, &url, response.status(), response.headers())? {
                None => return Ok(response),
                Some(next) => url = next,
            }
            is_home = is_home && self.origin.owns(&url);
        }
        Err(Error::Protocol {
            registry: self.host.clone(),
            what: call.what.to_owned(),
            problem: format!("more than {} redirects", redirect::MAX_HOPS),
        })
    }

    async fn dispatch(
        &self,
        call: &Call<'_>,
        url: Url,
        authorization: Option<&Authorization>,
        on_sent: &(dyn Fn(u64) + Sync),
    ) -> Result<reqwest::Response, Error> {
        let mut request = self
            .http
            .request(call.method.clone(), url)?
            .headers(call.headers.clone());
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization.header.clone());
        }
        let sent = Arc::new(AtomicU64::new(0));
        if call.method != Method::GET && call.method != Method::HEAD {
            request = request
                .header(CONTENT_LENGTH, call.body.length())
                .body(call.body.stream(Arc::clone(&sent)));
        }
        let result = watched(request.send(), &sent, on_sent).await;
        self.has_answered.fetch_or(result.is_ok(), Ordering::Relaxed);
        result.map_err(|failure| failure.at(&self.host, call.what))
    }
}

/// `sending`, unless neither a byte of the body moves nor the answer comes for [`STALL`].
async fn watched<T>(
    sending: impl Future<Output = Result<T, reqwest::Error>>,
    sent: &AtomicU64,
    on_sent: &(dyn Fn(u64) + Sync),
) -> Result<T, Failure> {
    let mut sending = pin!(sending);
    let (mut told, mut idle) = (0, Duration::ZERO);
    loop {
        let result = tokio::time::timeout(TICK, &mut sending).await;
        let now = sent.load(Ordering::Relaxed);
        if now > told {
            on_sent(now - told);
            (told, idle) = (now, Duration::ZERO);
        } else {
            idle += TICK;
        }
        match result {
            Ok(result) => return Ok(result?),
            Err(_) if idle >= STALL => return Err(Failure::Stalled),
            Err(_) => {}
        }
    }
}
