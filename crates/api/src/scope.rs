//! What a token may do: repository patterns and actions, in the one grammar that server and command speak.
//!
//! ```text
//! scope   = pattern ":" action *( "," action )
//! pattern = "*"              every repository
//!         | name "/*"        every repository below the name, at any depth
//!         | name             this one
//! action  = "pull" | "push" | "tag:create" | "tag:update" | "delete" | "repo:admin" | "server:admin"
//! ```
//!
//! `acme/*:pull,push` · `acme/hello:pull` · `*:pull`. A token has one scope or several, and may do what any of them says. There is
//! no way to take away what another scope gives, so reading one line never misleads.

mod actions;
mod pattern;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use wreg_oci::RepositoryName;

pub use self::{
    actions::{Action, Actions, InvalidActions},
    pattern::{InvalidPattern, RepositoryPattern},
};

/// The most scopes that one token can have.
pub const MAX_SCOPES: usize = 32;

/// Some actions on some repositories: `acme/*:pull,push`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(extend(
        "pattern" = r"^(?=\*:|[^:*]{1,255}(/\*)?:)(\*:(pull|push|tag:create|tag:update|delete|repo:admin|server:admin)(,(pull|push|tag:create|tag:update|delete|repo:admin|server:admin))*|[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*(/\*)?:(pull|push|tag:create|tag:update|delete|repo:admin)(,(pull|push|tag:create|tag:update|delete|repo:admin))*)$"
    ))
)]
#[serde(try_from = "String", into = "String")]
pub struct TokenScope {
    pattern: RepositoryPattern,
    actions: Actions,
}

impl TokenScope {
    /// `actions` on what `pattern` matches. `server:admin` is about no repository, so it goes with the pattern `*` alone.
    pub fn new(pattern: RepositoryPattern, actions: Actions) -> Result<Self, InvalidScope> {
        if actions.contains(Action::AdministerServer) && pattern != RepositoryPattern::All {
            return Err(InvalidScope::ServerOfRepository);
        }
        Ok(Self { pattern, actions })
    }

    /// Which repositories.
    pub fn pattern(&self) -> &RepositoryPattern {
        &self.pattern
    }

    /// What may be done.
    pub fn actions(&self) -> Actions {
        self.actions
    }
}

impl fmt::Display for TokenScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.pattern, self.actions)
    }
}

impl FromStr for TokenScope {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        let (pattern, actions) = text.split_once(':').ok_or(InvalidScope::NoActions)?;
        Self::new(pattern.parse()?, actions.parse()?)
    }
}

impl TryFrom<String> for TokenScope {
    type Error = InvalidScope;

    fn try_from(text: String) -> Result<Self, InvalidScope> {
        text.parse()
    }
}

impl From<TokenScope> for String {
    fn from(scope: TokenScope) -> Self {
        scope.to_string()
    }
}

/// All that a token may do: from one to [`MAX_SCOPES`] scopes. In JSON a list of texts; as text they are separated by spaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(extend("minItems" = 1, "maxItems" = MAX_SCOPES))
)]
#[serde(try_from = "Vec<TokenScope>", into = "Vec<TokenScope>")]
pub struct TokenScopes(Vec<TokenScope>);

impl TokenScopes {
    /// Everything there is: what the administrator's own token may do.
    pub fn everything() -> Self {
        Self(vec![TokenScope {
            pattern: RepositoryPattern::All,
            actions: Actions::ALL,
        }])
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &TokenScope> {
        self.0.iter()
    }

    /// Whether `action` on `repository` is among what they give.
    pub fn allow(&self, action: Action, repository: &RepositoryName) -> bool {
        let gives = |scope: &TokenScope| scope.actions.contains(action) && scope.pattern.matches(repository);
        self.0.iter().any(gives)
    }

    /// Whether administering the server is among what they give.
    pub fn allow_server(&self) -> bool {
        self.0
            .iter()
            .any(|scope| scope.actions.contains(Action::AdministerServer))
    }

    /// The repositories that they give `action` on.
    pub fn patterns(&self, action: Action) -> impl Iterator<Item = &RepositoryPattern> {
        let with = self.0.iter().filter(move |scope| scope.actions.contains(action));
        with.map(|scope| &scope.pattern)
    }

    /// Whether everything that `others` give is given by these too.
    pub fn cover(&self, others: &Self) -> bool {
        others.0.iter().all(|other| {
            let mut actions = other.actions.iter();
            actions.all(|action| self.patterns(action).any(|pattern| pattern.covers(&other.pattern)))
        })
    }
}

impl fmt::Display for TokenScopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, scope) in self.0.iter().enumerate() {
            write!(f, "{}{scope}", if i == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

impl FromStr for TokenScopes {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        let scopes = text.split_ascii_whitespace().map(str::parse);
        scopes.collect::<Result<Vec<_>, _>>()?.try_into()
    }
}

impl TryFrom<Vec<TokenScope>> for TokenScopes {
    type Error = InvalidScope;

    fn try_from(scopes: Vec<TokenScope>) -> Result<Self, InvalidScope> {
        if (1..=MAX_SCOPES).contains(&scopes.len()) {
            Ok(Self(scopes))
        } else {
            Err(InvalidScope::Count)
        }
    }
}

impl From<TokenScopes> for Vec<TokenScope> {
    fn from(scopes: TokenScopes) -> Self {
        scopes.0
    }
}

/// A text that is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidScope {
    /// There is no `:`.
    #[error("a scope is written REPOSITORIES:ACTIONS, such as acme/*:pull,push")]
    NoActions,
    /// What stands before the first `:` is no pattern.
    #[error(transparent)]
    Pattern(#[from] InvalidPattern),
    /// What stands after it are no actions.
    #[error(transparent)]
    Actions(#[from] InvalidActions),
    /// `server:admin` on some repositories only.
    #[error("server:admin is about no repository: write *:server:admin")]
    ServerOfRepository,
    /// None, or more than [`MAX_SCOPES`].
    #[error("a token has from 1 to {MAX_SCOPES} scopes")]
    Count,
}

#[cfg(test)]
mod tests;
