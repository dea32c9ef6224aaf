//! end-4 to end-6, end-13, end-14: sending a blob, in one request or in chunks, and going on where a connection broke.
//!
//! The registry decides where to go on: after trouble it is asked how much it has, and that is believed, not what was sent.

use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{CONTENT_RANGE, CONTENT_TYPE, LOCATION, RANGE},
};
use url::Url;
use wreg_oci::{Descriptor, Endpoint, RepositoryName, range::ContentRange};

use super::{push::exists, source::BlobSource};
use crate::{
    Error, Progress,
    auth::Scope,
    http::{Access, Call, Connection, answer},
    retry::Attempts,
};

/// The length of a chunk, in bytes. What fits into one is sent in one request.
const CHUNK: u64 = 16 * 1024 * 1024;

/// The longest chunk that a registry can ask for, in bytes. Chunks are streamed: it costs no memory, only what a broken
/// connection loses.
const MAX_CHUNK: u64 = 1024 * 1024 * 1024;

/// An upload session at the registry.
#[derive(Debug, Clone)]
pub(super) struct Session {
    /// Where to go on: of the registry's own origin.
    url: Url,
    /// How many bytes the registry has.
    offset: u64,
    chunk: u64,
}

impl Session {
    /// The session that an answer of 202 opens.
    pub(super) fn opened(connection: &Connection, what: &str, response: &reqwest::Response) -> Result<Self, Error> {
        let url = location(connection, response.url(), response.headers())?;
        let least = response.headers().get("oci-chunk-min-length");
        let least = least.and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0);
        Ok(Self {
            url: url.ok_or_else(|| connection.misunderstood(what, "it opened an upload and does not say where"))?,
            offset: 0,
            chunk: CHUNK.max(least).min(MAX_CHUNK),
        })
    }

    /// Takes up what an answer says of place and offset; whether it named an offset. `0-0` is how both nothing and one byte are
    /// written: `least` is which of the two is meant, the number of bytes.
    fn follow(&mut self, connection: &Connection, headers: &HeaderMap, least: u64) -> Result<bool, Error> {
        if let Some(url) = location(connection, &self.url, headers)? {
            self.url = url;
        }
        let range = headers.get(RANGE).and_then(|range| range.to_str().ok());
        // Some registries write a unit before it.
        let range = range.and_then(|range| range.trim_start_matches("bytes=").parse().ok());
        let Some(ContentRange { last, .. }) = range else {
            return Ok(false);
        };
        self.offset = if last == 0 { least } else { last.saturating_add(1) };
        Ok(true)
    }

    /// end-14: tells the registry that nothing more comes. It would find out by itself, later.
    pub(super) async fn cancel(&self, connection: &Connection, repository: &RepositoryName, what: &str) {
        let access = Access::Scope(Scope::push(repository));
        let call = Call::new(Method::DELETE, self.url.clone(), what, access);
        let _ = connection.ask_once(&call, &[StatusCode::NO_CONTENT], &|_| ()).await;
    }
}

/// An answer's `Location`. Elsewhere is refused: content that may be private does not go to strangers.
fn location(connection: &Connection, base: &Url, headers: &HeaderMap) -> Result<Option<Url>, Error> {
    let location = headers.get(LOCATION).and_then(|location| location.to_str().ok());
    let Some(url) = location.and_then(|location| base.join(location).ok()) else {
        return Ok(None);
    };
    connection.origin.admit(url, "the location of an upload").map(Some)
}

/// What a request of an upload came to.
enum Step {
    /// The registry has the blob.
    Done,
    /// It has more of it than before.
    Moved,
    /// It has not, and says that something else should have been sent.
    Stuck(Error),
}

/// A blob on its way to a repository.
pub(super) struct Upload<'a> {
    connection: &'a Connection,
    repository: &'a RepositoryName,
    descriptor: &'a Descriptor,
    source: &'a BlobSource<'a>,
    progress: &'a dyn Progress,
    what: String,
}

impl<'a> Upload<'a> {
    pub(super) fn new(
        connection: &'a Connection,
        repository: &'a RepositoryName,
        descriptor: &'a Descriptor,
        source: &'a BlobSource<'a>,
        progress: &'a dyn Progress,
    ) -> Self {
        Self {
            connection,
            repository,
            descriptor,
            source,
            progress,
            what: format!("upload of blob {} to {repository}", descriptor.digest),
        }
    }

    /// Sends it, in `session` if one is open already.
    pub(super) async fn run(&self, session: Option<Session>) -> Result<(), Error> {
        let mut session = match session {
            Some(session) => session,
            None => self.start().await?,
        };
        let mut attempts = Attempts::new(&self.connection.retries);
        // Only what was never reached before is progress: otherwise a registry that forgets could keep a client for ever.
        let mut furthest = 0;
        loop {
            let is_last = self.is_last(&session);
            let trouble = match self.step(&mut session).await {
                Ok(Step::Done) => return Ok(()),
                Ok(Step::Moved) => None,
                Ok(Step::Stuck(trouble)) => Some(trouble),
                Err(trouble) if self.connection.is_transient(&trouble) => Some(trouble),
                Err(error) => {
                    session.cancel(self.connection, self.repository, &self.what).await;
                    return Err(error);
                }
            };
            if let Some(trouble) = trouble {
                // A file that became shorter breaks off a request as a broken connection does.
                self.source.check_length(self.descriptor).await?;
                attempts.pause_or(trouble).await?;
                // The answer may have been lost, and not the blob.
                if is_last && exists(self.connection, self.repository, self.descriptor).await? {
                    return Ok(());
                }
                self.recover(&mut session).await?;
            }
            if session.offset > furthest {
                furthest = session.offset;
                attempts.progressed();
            }
        }
    }

    /// Whether the next request ends the upload: nothing is left, or nothing was sent and everything fits into one chunk.
    fn is_last(&self, session: &Session) -> bool {
        session.offset == self.descriptor.size || (session.offset == 0 && self.descriptor.size <= session.chunk)
    }

    /// end-4a, end-4c: opens a session.
    async fn start(&self) -> Result<Session, Error> {
        let algorithm = self.descriptor.digest.algorithm();
        let announced = (algorithm != wreg_oci::Algorithm::Sha256).then_some(algorithm);
        let endpoint = Endpoint::StartUpload(self.repository.clone(), announced);
        let call = self
            .connection
            .call(&endpoint, &self.what, Scope::push(self.repository));
        let response = self.connection.ask(&call, &[StatusCode::ACCEPTED]).await?;
        Session::opened(self.connection, &self.what, &response)
    }

    /// Sends what comes next.
    async fn step(&self, session: &mut Session) -> Result<Step, Error> {
        let size = self.descriptor.size;
        let before = session.offset;
        let (call, end) = if self.is_last(session) {
            let mut url = session.url.clone();
            url.query_pairs_mut()
                .append_pair("digest", self.descriptor.digest.as_str());
            (self.call(Method::PUT, url).body(self.source.body(before..size)), size)
        } else {
            let end = size.min(before.saturating_add(session.chunk));
            let range = ContentRange {
                first: before,
                last: end - 1,
            };
            let call = self
                .call(Method::PATCH, session.url.clone())
                .body(self.source.body(before..end));
            (with_header(call, CONTENT_RANGE, &range.to_string()), end)
        };
        let is_put = call.method == Method::PUT;
        let call = call.header(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        let on_sent = |bytes| self.progress.advance(&self.descriptor.digest, bytes);
        let response = self.connection.send(&call, &on_sent).await?;
        match response.status() {
            StatusCode::CREATED if is_put => {
                self.connection
                    .check_stated(&self.what, response.headers(), &self.descriptor.digest)?;
                Ok(Step::Done)
            }
            StatusCode::ACCEPTED if !is_put => {
                if !session.follow(self.connection, response.headers(), 1)? {
                    session.offset = end;
                }
                self.moved(session, before, || {
                    self.connection.misunderstood(&self.what, "it took nothing of a chunk")
                })
            }
            StatusCode::RANGE_NOT_SATISFIABLE => {
                let least = u64::from(before == 0);
                session.follow(self.connection, response.headers(), least)?;
                let refusal = answer::refusal(response, &self.connection.host, &self.what).await;
                self.moved(session, before, || refusal)
            }
            StatusCode::NOT_FOUND => Ok(Step::Stuck(
                answer::refusal(response, &self.connection.host, &self.what).await,
            )),
            _ => Err(answer::refusal(response, &self.connection.host, &self.what).await),
        }
    }

    fn moved(&self, session: &Session, before: u64, trouble: impl FnOnce() -> Error) -> Result<Step, Error> {
        if session.offset > self.descriptor.size {
            return Err(self
                .connection
                .misunderstood(&self.what, "it says that it has more bytes than there are"));
        }
        Ok(if session.offset > before {
            Step::Moved
        } else {
            Step::Stuck(trouble())
        })
    }

    /// end-13: asks how far the registry is. A session that is gone is begun anew.
    async fn recover(&self, session: &mut Session) -> Result<(), Error> {
        let call = self.call(Method::GET, session.url.clone());
        match self
            .connection
            .ask_once(&call, &[StatusCode::NO_CONTENT, StatusCode::OK], &|_| ())
            .await
        {
            Ok(response) => {
                session.follow(self.connection, response.headers(), 0)?;
                if session.offset > self.descriptor.size {
                    *session = self.start().await?;
                }
                Ok(())
            }
            Err(Error::NotFound { .. }) => {
                *session = self.start().await?;
                Ok(())
            }
            // The next step meets the same trouble, and it is counted there.
            Err(error) if self.connection.is_transient(&error) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn call(&self, method: Method, url: Url) -> Call<'_> {
        Call::new(method, url, &self.what, Access::Scope(Scope::push(self.repository)))
    }
}

fn with_header<'a>(call: Call<'a>, name: http::HeaderName, value: &str) -> Call<'a> {
    match HeaderValue::from_str(value) {
        Ok(value) => call.header(name, value),
        // Digits always fit into a header.
        Err(_) => call,
    }
}
