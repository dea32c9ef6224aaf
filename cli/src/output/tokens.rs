//! The results of `wreg token`.

use std::fmt;

use serde::Serialize;
use wreg_api::{Token, TokenScopes};

use super::text::time;

/// A token, without its secret.
#[derive(Debug, Serialize)]
pub(crate) struct TokenShown {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) scopes: TokenScopes,
    /// The id of the token that it was made with.
    pub(crate) owner: Option<String>,
    /// RFC 3339, as are the others.
    pub(crate) created: String,
    pub(crate) expires: Option<String>,
    /// To the hour.
    pub(crate) last_used: Option<String>,
}

impl TokenShown {
    pub(crate) fn new(token: &Token) -> Self {
        Self {
            name: token.name.to_string(),
            id: token.id.clone(),
            scopes: token.scopes.clone(),
            owner: token.owner.clone(),
            created: time(token.created_at),
            expires: token.expires_at.map(time),
            last_used: token.last_used_at.map(time),
        }
    }
}

/// The result of `wreg token create`.
#[derive(Serialize)]
pub(crate) struct TokenCreated {
    pub(crate) registry: String,
    #[serde(flatten)]
    pub(crate) token: TokenShown,
    pub(crate) secret: String,
}

/// The secret alone, for `$(…)`.
impl fmt::Display for TokenCreated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.secret)
    }
}

/// The result of `wreg token list`.
#[derive(Debug, Serialize)]
pub(crate) struct Tokens {
    pub(crate) registry: String,
    pub(crate) tokens: Vec<TokenShown>,
}

impl fmt::Display for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self
            .tokens
            .iter()
            .map(|token| token.name.len())
            .max()
            .unwrap_or_default();
        for token in &self.tokens {
            let date = |time: &Option<String>| {
                time.as_ref()
                    .and_then(|time| time.get(..10))
                    .unwrap_or("never")
                    .to_owned()
            };
            let (end, used) = (date(&token.expires), date(&token.last_used));
            writeln!(
                f,
                "{:width$}  ends {end:10}  used {used:10}  {}",
                token.name, token.scopes
            )?;
        }
        Ok(())
    }
}

/// The result of `wreg token revoke`.
#[derive(Debug, Serialize)]
pub(crate) struct TokensRevoked {
    pub(crate) registry: String,
    pub(crate) revoked: Vec<TokenShown>,
}

impl fmt::Display for TokensRevoked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.revoked.iter().try_for_each(|token| writeln!(f, "{}", token.name))
    }
}
