//! Personal tokens: their models, without secrets but in the one answer that gives it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::scope::TokenScopes;

/// How long a token lives if nothing else is asked for, in seconds: 90 days.
pub const DEFAULT_LIFETIME: u64 = 90 * 24 * 60 * 60;
/// The longest that a token can live, in seconds: 365 days.
pub const MAX_LIFETIME: u64 = 365 * 24 * 60 * 60;

/// A token as the administrator sees it. Times are milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Token {
    /// What events and upload sessions know it by. No secret, and never used again.
    pub id: String,
    /// What people know it by.
    pub name: TokenName,
    /// What it may do.
    pub scopes: TokenScopes,
    /// The id of the token that it was made with, whose end is its end too; none for the administrator's own.
    pub owner: Option<String>,
    /// When it was made.
    pub created_at: i64,
    /// From when on it is refused; none for the administrator's own.
    pub expires_at: Option<i64>,
    /// When it was last used, to the hour; none if never.
    pub last_used_at: Option<i64>,
}

/// Tokens.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TokenList {
    /// Ordered by name.
    pub tokens: Vec<Token>,
}

/// A token to be made. Unknown members are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What people are to know it by. No other token that is still good may have it.
    pub name: TokenName,
    /// What it is to do: no more than the token that makes it.
    pub scopes: TokenScopes,
    /// Seconds until it expires, from 1 to [`MAX_LIFETIME`]; [`DEFAULT_LIFETIME`] if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = MAX_LIFETIME)))]
    pub expires_in: Option<u64>,
}

/// A token that was made, and its secret, which is never told again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CreatedToken {
    /// The token.
    pub token: Token,
    /// What its holder sends.
    pub secret: String,
}

impl fmt::Debug for CreatedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedToken")
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}

/// What people know a token by: from 1 to 64 letters, digits, `.`, `_` and `-`, a letter or digit first.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(extend("pattern" = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"))
)]
#[serde(try_from = "String", into = "String")]
pub struct TokenName(Box<str>);

/// The longest name, in bytes (all of them ASCII).
const MAX_NAME: usize = 64;

impl TokenName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for TokenName {
    type Err = InvalidTokenName;

    fn from_str(text: &str) -> Result<Self, InvalidTokenName> {
        let begins_well = text.starts_with(|first: char| first.is_ascii_alphanumeric());
        let of_the_alphabet = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if begins_well && of_the_alphabet && text.len() <= MAX_NAME {
            Ok(Self(text.into()))
        } else {
            Err(InvalidTokenName)
        }
    }
}

impl TryFrom<String> for TokenName {
    type Error = InvalidTokenName;

    fn try_from(text: String) -> Result<Self, InvalidTokenName> {
        text.parse()
    }
}

impl From<TokenName> for String {
    fn from(name: TokenName) -> Self {
        name.0.into()
    }
}

/// A text that is no name of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the name of a token has letters, digits, ., _ and -, a letter or digit first, and at most {MAX_NAME} characters"
)]
pub struct InvalidTokenName;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        for name in ["ci", "A", "0", "release-bot.v2_x", &"a".repeat(64)] {
            assert!(name.parse::<TokenName>().is_ok(), "{name}");
        }
        for name in ["", "-a", ".a", "a b", "a/b", "\u{e4}", "a\n", &"a".repeat(65)] {
            assert_eq!(name.parse::<TokenName>(), Err(InvalidTokenName), "{name}");
        }
    }

    /// **A14** A member that a new token does not have, such as `is_admin` or `owner` → refused.
    #[test]
    fn a_new_token_has_no_further_members() {
        let good = r#"{"name":"ci","scopes":["a:pull"],"expires_in":60}"#;
        assert!(serde_json::from_str::<NewToken>(good).is_ok());
        for more in [
            r#""is_admin":true"#,
            r#""owner":"admin""#,
            r#""id":"x""#,
            r#""expires_at":1"#,
        ] {
            let json = good.replace("\"expires_in\":60", more);
            assert!(serde_json::from_str::<NewToken>(&json).is_err(), "{json}");
        }
    }

    #[test]
    fn a_secret_is_not_shown_by_accident() {
        let json = r#"{"token":{"id":"1","name":"ci","scopes":["a:pull"],"owner":null,"created_at":0,"expires_at":1,"last_used_at":null},"secret":"planted"}"#;
        let created: CreatedToken = serde_json::from_str(json).expect("a token");
        assert!(!format!("{created:?}").contains("planted"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(text in "[A-Za-z0-9._-]{1,70}") {
            if let Ok(name) = text.parse::<TokenName>() {
                prop_assert_eq!(name.to_string(), text);
            }
        }
    }
}
