//! Who is asking: what an `Authorization` header says, checked.
//!
//! Source: RFC 7617 (Basic), RFC 6750 (Bearer), and the token authentication that OCI clients share. A personal token is the
//! password of Basic with any user name, or a Bearer by itself; a registry token is a Bearer.

use std::{fmt, net::IpAddr, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use wreg_api::Token;

use super::{Auth, secret, token::Claims};
use crate::{
    clock::Millis,
    metadata::{self, tokens::TouchToken},
};

/// How exactly it is known when a token was last used: to the hour, so that using it seldom writes.
const USE_GRAIN: Millis = 60 * 60 * 1000;

/// Who is asking.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Actor {
    /// Somebody without credentials.
    Anonymous,
    /// The holder of the personal token with this id.
    Token(String),
}

impl Actor {
    /// As the subject of registry tokens: empty for anonymous.
    pub(super) fn subject(&self) -> &str {
        match self {
            Self::Anonymous => "",
            Self::Token(id) => id,
        }
    }

    pub(super) fn from_subject(subject: &str) -> Self {
        if subject.is_empty() {
            Self::Anonymous
        } else {
            Self::Token(subject.to_owned())
        }
    }
}

/// As events, logs and upload sessions name them.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("anonymous"),
            Self::Token(id) => write!(f, "token:{id}"),
        }
    }
}

/// Who is asking, and by what: a registry token can do no more than it was made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub(super) actor: Actor,
    pub(super) via: Via,
    /// The personal token that all rights come from, as it is now; none for anonymous.
    pub(super) token: Option<Arc<Token>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Via {
    /// No credentials came.
    Nothing,
    /// A personal token, by Basic or Bearer.
    Personal,
    /// A registry token for this access.
    Registry(Arc<Claims>),
}

impl Identity {
    /// Nobody.
    pub const ANONYMOUS: Self = Self {
        actor: Actor::Anonymous,
        via: Via::Nothing,
        token: None,
    };

    /// Who is asking.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Whether a registry token says so. Such a token cannot be exchanged for another one.
    pub fn is_registry_token(&self) -> bool {
        matches!(self.via, Via::Registry(_))
    }
}

/// Credentials that cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum InvalidCredentials {
    /// There are several `Authorization` headers, or one that is no text.
    #[error("send one Authorization header")]
    Malformed,
    /// They are wrong, unknown, expired or revoked: which of these is told to nobody.
    #[error("the credentials are not valid")]
    Wrong,
    /// They are wrong, as others were that came from there before.
    #[error("too many wrong credentials came from there: try again in {seconds} seconds")]
    TooMany {
        /// Until when, in seconds.
        seconds: u64,
    },
    /// They could not be checked.
    #[error("the credentials could not be checked")]
    Unchecked(#[from] metadata::Error),
}

impl Auth {
    /// Reads the values of all `Authorization` headers of a request. None at all is anonymous, and so is, where everything is open,
    /// Basic with an empty user name and password, which some clients send for it.
    pub async fn identify(&self, headers: &[&[u8]], from: Option<IpAddr>) -> Result<Identity, InvalidCredentials> {
        let header = match headers {
            [] => return Ok(Identity::ANONYMOUS),
            [header] => str::from_utf8(header).map_err(|_| InvalidCredentials::Malformed)?,
            _ => return Err(InvalidCredentials::Malformed),
        };
        let (scheme, value) = header.split_once(' ').ok_or(InvalidCredentials::Wrong)?;
        if scheme.eq_ignore_ascii_case("bearer") {
            return self.identify_bearer(value.trim(), from).await;
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return Err(InvalidCredentials::Wrong);
        }
        let decoded = BASE64.decode(value.trim()).map_err(|_| InvalidCredentials::Wrong)?;
        let decoded = String::from_utf8(decoded).map_err(|_| InvalidCredentials::Wrong)?;
        let (user, password) = decoded.split_once(':').ok_or(InvalidCredentials::Wrong)?;
        if self.open && user.is_empty() && password.is_empty() {
            return Ok(Identity::ANONYMOUS);
        }
        self.identify_personal(password, user, from).await
    }

    async fn identify_bearer(&self, token: &str, from: Option<IpAddr>) -> Result<Identity, InvalidCredentials> {
        if secret::looks_like_one(token) {
            return self.identify_personal(token, "", from).await;
        }
        let claims = self.keys.verify(token).await?.ok_or(InvalidCredentials::Wrong)?;
        let (actor, via) = (Actor::from_subject(&claims.sub), Via::Registry(claims));
        let token = match &actor {
            Actor::Anonymous => None,
            // Its rights are those of the personal token as it is now: one that has ended takes the registry token with it.
            Actor::Token(id) => {
                let token = self.metadata.find_token_by_id(id, self.clock.now()).await?;
                Some(token.ok_or(InvalidCredentials::Wrong)?)
            }
        };
        Ok(Identity { actor, via, token })
    }

    /// Whose personal token this is, as `account` sends it from an address.
    pub(super) async fn identify_personal(
        &self,
        token: &str,
        account: &str,
        from: Option<IpAddr>,
    ) -> Result<Identity, InvalidCredentials> {
        match self.check_personal(token).await {
            Err(InvalidCredentials::Wrong) => {
                let heard = self.failures.note(from, account);
                Err(heard.map_or_else(
                    |seconds| InvalidCredentials::TooMany { seconds },
                    |()| InvalidCredentials::Wrong,
                ))
            }
            other => other,
        }
    }

    async fn check_personal(&self, token: &str) -> Result<Identity, InvalidCredentials> {
        // A mistyped token is told by its checksum; the database sees only what could be one.
        let hash = secret::hash(token).ok_or(InvalidCredentials::Wrong)?;
        let token = self.metadata.find_token(&hash, self.clock.now()).await?;
        let token = token.ok_or(InvalidCredentials::Wrong)?;
        self.note_use(&token);
        Ok(Identity {
            actor: Actor::Token(token.id.clone()),
            via: Via::Personal,
            token: Some(token),
        })
    }

    /// Writes down that a token is being used. Nobody waits for it, and a database that takes no writes keeps nobody out.
    fn note_use(&self, token: &Token) {
        let now = self.clock.now();
        let at = now - now.rem_euclid(USE_GRAIN);
        if token.last_used_at.is_some_and(|noted| noted >= at) {
            return;
        }
        let (metadata, touch) = (
            self.metadata.clone(),
            TouchToken {
                id: token.id.clone(),
                at,
            },
        );
        tokio::spawn(async move {
            if let Err(error) = metadata.write(touch).await {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "when a token was used could not be noted"
                );
            }
        });
    }
}
