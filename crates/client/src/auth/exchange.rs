//! Credentials for a token: one `GET` of the realm.
//!
//! Source: the token authentication of Docker's registry API, "Requesting a Token". Our own and not a library's, since the
//! password goes to a URL that the registry names: only [`super::Realm`], which has been checked, is ever asked.

use std::time::Instant;

use http::{Method, StatusCode, header::AUTHORIZATION};

use super::{Auth, Bearer, Realm, Scope, Token};
use crate::{
    Error, Secret,
    http::answer::{self, read_at_most},
};

/// The largest answer of a token endpoint, in bytes. Registry tokens have at most 16 KiB.
const MAX_ANSWER: u64 = 128 * 1024;

const WHAT: &str = "a registry token";

impl Auth {
    /// A token for `scope`. Where the credentials are refused, and reading is all that is wanted, it is one without rights
    /// beyond everybody's: credentials that have expired do not stand in the way of what is public.
    pub(super) async fn exchange(&self, realm: &Realm, scope: &Scope) -> Result<Token, Error> {
        let (secret, problem) = match self.credentials.for_host(&self.host, scope.repository.as_ref()).await {
            Ok(secret) => (secret, None),
            Err(error) if scope.reads_only => (None, Some(error.to_string())),
            Err(error) => return Err(error),
        };
        let Some(secret) = secret else {
            return self.ask(realm, scope, None, Bearer::Anonymous(problem)).await;
        };
        match self.ask(realm, scope, Some(&secret), Bearer::Known).await {
            Err(Error::CredentialsRefused { message, .. }) if scope.reads_only => {
                tracing::warn!(
                    registry = %self.host,
                    "the credentials kept for {} are refused: asking without them",
                    self.host
                );
                self.ask(realm, scope, None, Bearer::Refused(message)).await
            }
            other => other,
        }
    }

    async fn ask(&self, realm: &Realm, scope: &Scope, secret: Option<&Secret>, bearer: Bearer) -> Result<Token, Error> {
        let asked_at = Instant::now();
        let mut url = realm.url.clone();
        if let Some(service) = &realm.service {
            url.query_pairs_mut().append_pair("service", service);
        }
        for parameter in &scope.parameters {
            url.query_pairs_mut().append_pair("scope", parameter);
        }
        let mut request = self.http.request(Method::GET, url)?;
        if let Some(secret) = secret {
            request = request.header(AUTHORIZATION, self.basic(secret)?);
        }
        let response = answer::in_time(request.send()).await;
        let response = response.map_err(|failure| failure.at(&self.host, WHAT))?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let message = answer::words(response).await.message;
                return Err(match (secret, bearer) {
                    (None, Bearer::Refused(words)) => self.credentials_refused(words),
                    (None, Bearer::Anonymous(problem)) => self.wants_credentials(WHAT, problem),
                    _ => self.credentials_refused(message),
                });
            }
            _ => return Err(answer::refusal(response, &self.host, WHAT).await),
        }
        let body = read_at_most(response, MAX_ANSWER).await;
        let body = body.map_err(|failure| failure.at(&self.host, WHAT))?;
        Token::read(&body, bearer, asked_at).map_err(|problem| Error::Protocol {
            registry: self.host.clone(),
            what: WHAT.to_owned(),
            problem: problem.to_owned(),
        })
    }

    fn credentials_refused(&self, message: Option<String>) -> Error {
        Error::CredentialsRefused {
            registry: self.host.clone(),
            message,
        }
    }
}
