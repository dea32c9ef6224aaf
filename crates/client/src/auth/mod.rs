//! Authorisation at one registry: which header a request carries.
//!
//! Requests go out as they can: with a token that is at hand, or bare. A registry that wants more says so with 401; then its
//! realm, which must be of the registry's own origin, is asked for a token with the credentials kept for the registry.

mod challenge;
mod exchange;
mod scope;
mod token;

use std::{collections::HashMap, time::Instant};

use http::{HeaderMap, HeaderValue};
use tokio::sync::Mutex;
use wreg_oci::{Host, RepositoryName};

pub(crate) use self::{
    challenge::Challenge,
    scope::Scope,
    token::{Bearer, Token, sensitive},
};
use crate::{
    Credentials, Error, Secret,
    http::{Transport, answer::Words},
    origin::Origin,
};

/// What is known of how to be authorised at one registry.
#[derive(Debug)]
pub(crate) struct Auth {
    host: Host,
    origin: Origin,
    credentials: Credentials,
    http: Transport,
    /// Held while a token is fetched, so that many requests at once ask for it once.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    realm: Option<Realm>,
    tokens: HashMap<Scope, Token>,
    basic: Option<HeaderValue>,
}

/// Where tokens come from: checked to be the registry's own origin.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Realm {
    url: url::Url,
    service: Option<String>,
}

/// An `Authorization` header, and whose rights it carries.
#[derive(Debug, Clone)]
pub(crate) struct Authorization {
    pub(crate) header: HeaderValue,
    pub(crate) bearer: Bearer,
}

impl From<&Token> for Authorization {
    fn from(token: &Token) -> Self {
        Self {
            header: token.authorization.clone(),
            bearer: token.bearer.clone(),
        }
    }
}

impl Auth {
    pub(crate) fn new(host: Host, origin: Origin, credentials: Credentials, http: Transport) -> Self {
        Self {
            host,
            origin,
            credentials,
            http,
            state: Mutex::default(),
        }
    }

    /// The same registry with other credentials, and with nothing known yet.
    pub(crate) fn with_credentials(&self, credentials: Credentials) -> Self {
        Self::new(self.host.clone(), self.origin.clone(), credentials, self.http.clone())
    }

    /// What to send unasked: a token, once the registry has shown that it wants tokens; nothing before.
    pub(crate) async fn at_hand(&self, scope: &Scope) -> Result<Option<Authorization>, Error> {
        let mut state = self.state.lock().await;
        if let Some(header) = state.basic.clone() {
            return Ok(Some(Authorization {
                header,
                bearer: Bearer::Known,
            }));
        }
        let Some(realm) = state.realm.clone() else {
            return Ok(None);
        };
        self.token(&mut state, &realm, scope).await.map(Some)
    }

    /// What to send after a 401 with these headers to a request that carried `sent`.
    pub(crate) async fn answer(
        &self,
        scope: &Scope,
        what: &str,
        headers: &HeaderMap,
        sent: Option<&Authorization>,
    ) -> Result<Authorization, Error> {
        let mut state = self.state.lock().await;
        match Challenge::of(headers) {
            Some(Challenge::Bearer { realm, service }) => {
                let url = self.origin.at("/").join(&realm).map_err(|error| Error::Protocol {
                    registry: self.host.clone(),
                    what: what.to_owned(),
                    problem: format!("its token realm is no URL: {error}"),
                })?;
                let url = self.origin.admit(url, "its token realm")?;
                let realm = Realm { url, service };
                state.basic = None;
                state.realm = Some(realm.clone());
                // Another request may have fetched a newer one while this one waited.
                if state.tokens.get(scope).map(|token| &token.authorization) == sent.map(|sent| &sent.header) {
                    state.tokens.remove(scope);
                }
                self.token(&mut state, &realm, scope).await
            }
            Some(Challenge::Basic) => match self.credentials.for_host(&self.host, scope.repository.as_ref()).await? {
                Some(secret) => {
                    let header = self.basic(&secret)?;
                    state.basic = Some(header.clone());
                    let bearer = Bearer::Known;
                    Ok(Authorization { header, bearer })
                }
                None => Err(self.wants_credentials(what, None)),
            },
            None => Err(self.wants_credentials(what, None)),
        }
    }

    /// The error for a 401 to a request that was authorised.
    pub(crate) async fn refused(&self, what: &str, sent: &Authorization, words: Words) -> Error {
        let Words { message, needs, .. } = words;
        let was_basic = {
            let mut state = self.state.lock().await;
            state.basic.take().is_some()
        };
        let registry = self.host.clone();
        match &sent.bearer {
            Bearer::Known if was_basic => Error::CredentialsRefused { registry, message },
            Bearer::Known => Error::Denied {
                registry,
                what: what.to_owned(),
                message,
                needs,
            },
            Bearer::Anonymous(problem) => self.wants_credentials(what, problem.clone()),
            Bearer::Refused(words) => Error::CredentialsRefused {
                registry,
                message: words.clone(),
            },
        }
    }

    /// A personal token as `Bearer`, as wreg's own API takes it; nothing if there is none.
    pub(crate) async fn personal(&self, repository: Option<&RepositoryName>) -> Result<Option<Authorization>, Error> {
        let Some(secret) = self.credentials.for_host(&self.host, repository).await? else {
            return Ok(None);
        };
        let header = sensitive(&format!("Bearer {}", secret.password)).ok_or_else(|| self.unusable())?;
        let bearer = Bearer::Known;
        Ok(Some(Authorization { header, bearer }))
    }

    /// The error where nothing is at hand that could be sent.
    pub(crate) fn wants_credentials(&self, what: &str, problem: Option<String>) -> Error {
        Error::Unauthorized {
            registry: self.host.clone(),
            what: what.to_owned(),
            problem,
        }
    }

    async fn token(&self, state: &mut State, realm: &Realm, scope: &Scope) -> Result<Authorization, Error> {
        let now = Instant::now();
        if let Some(token) = state.tokens.get(scope).filter(|token| token.is_good(now)) {
            return Ok(token.into());
        }
        let token = self.exchange(realm, scope).await?;
        let authorization = Authorization::from(&token);
        state.tokens.retain(|_, token| token.is_good(now));
        state.tokens.insert(scope.clone(), token);
        Ok(authorization)
    }

    fn basic(&self, secret: &Secret) -> Result<HeaderValue, Error> {
        secret.basic().ok_or_else(|| self.unusable())
    }

    fn unusable(&self) -> Error {
        Error::Credentials {
            place: format!("the credentials for {}", self.host),
            problem: "they hold characters that cannot be sent".to_owned(),
            hint: Some(format!("log in again with `wreg login {}`", self.host)),
        }
    }
}
