//! Personal tokens: made, listed and ended by those who administer the server.
//!
//! A token gives no more, and lives no longer, than the one that it was made with, and ends with it. What a token may do can
//! therefore be read from its own row, at every request.

use uuid::Uuid;
use wreg_api::{
    CreatedToken, NewToken, Token,
    token::{DEFAULT_LIFETIME, MAX_LIFETIME},
};
use wreg_oci::{Page, page};

use super::{Error, Registry, Result, tags::Listed};
use crate::{
    auth::{permit::ServerPermit, secret},
    metadata::tokens::{ADMINISTRATOR, CreateToken, Created, RevokeToken},
};

impl Registry {
    /// Makes a token. Its secret is in the answer and nowhere else.
    pub async fn create_token(&self, permit: &ServerPermit, new: NewToken) -> Result<CreatedToken> {
        let maker = permit.token();
        if !maker.scopes.cover(&new.scopes) {
            return Err(Error::TokenExceedsMaker {
                what: format!("{} is not within its scopes, {}", new.scopes, maker.scopes),
            });
        }
        let now = self.clock.now();
        let token = Token {
            id: Uuid::new_v4().to_string(),
            name: new.name,
            scopes: new.scopes,
            owner: Some(maker.id.clone()),
            created_at: now,
            expires_at: Some(expiry(now, new.expires_in, maker)?),
            last_used_at: None,
        };
        let no_random = |error: std::io::Error| Error::Unavailable(error.into());
        let secret = secret::generate().map_err(no_random)?;
        let operation = CreateToken {
            token: token.clone(),
            hash: secret::hash(&secret).unwrap_or_default(),
            actor: permit.actor().to_string(),
        };
        match self.metadata.write(operation).await? {
            Created::Done => Ok(CreatedToken { token, secret }),
            Created::NameTaken => Err(Error::TokenExists(token.name)),
            Created::OwnerGone => Err(Error::TokenExceedsMaker {
                what: "it has just ended".to_owned(),
            }),
        }
    }

    /// Tokens in the order of their names, without their secrets, which nobody knows.
    pub async fn list_tokens(&self, _permit: &ServerPermit, page: &Page) -> Result<Listed<Token>> {
        let limit = page.n.unwrap_or(page::MAX_ENTRIES);
        let after = page.last.as_deref().unwrap_or_default();
        Ok(Listed::cut(self.metadata.list_tokens(after, limit + 1).await?, limit))
    }

    /// Ends a token and those that were made with it, from the next request on: all that ended, by name.
    pub async fn revoke_token(&self, permit: &ServerPermit, id: &str) -> Result<Vec<Token>> {
        // It is kept in a file, and would come back at the next start.
        if id == ADMINISTRATOR {
            return Err(Error::AdministratorsToken);
        }
        let operation = RevokeToken {
            id: id.to_owned(),
            actor: permit.actor().to_string(),
            now: self.clock.now(),
        };
        let ended = self.metadata.write(operation).await?;
        if ended.is_empty() {
            return Err(Error::TokenUnknown);
        }
        Ok(ended)
    }
}

/// When a token expires that is made at `now` with `maker`.
fn expiry(now: i64, wanted: Option<u64>, maker: &Token) -> Result<i64> {
    if wanted.is_some_and(|seconds| !(1..=MAX_LIFETIME).contains(&seconds)) {
        return Err(Error::TokenLifetime { limit: MAX_LIFETIME });
    }
    let seconds = i64::try_from(wanted.unwrap_or(DEFAULT_LIFETIME)).unwrap_or(i64::MAX);
    let end = now.saturating_add(seconds.saturating_mul(1000));
    match maker.expires_at {
        Some(limit) if end > limit && wanted.is_some() => Err(Error::TokenExceedsMaker {
            what: format!("it has {} seconds left", (limit - now) / 1000),
        }),
        Some(limit) => Ok(end.min(limit)),
        None => Ok(end),
    }
}
