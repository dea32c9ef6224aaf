//! Registry tokens: how they are given out, and how long they are good for.
//!
//! Source: the token authentication of Docker's registry API, "Token response fields".

use std::{
    fmt,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::HeaderValue;
use serde::Deserialize;
use serde_json::Value;

/// How long a token is good for where nothing says so.
const DEFAULT_LIFETIME: Duration = Duration::from_mins(1);

/// A token is not used in its last moments: the request has to arrive while it is good.
const MARGIN: Duration = Duration::from_secs(10);

/// On whose behalf a token was given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bearer {
    /// On that of the credentials for the registry.
    Known,
    /// On nobody's; with the reason why the credentials that are configured could not be read, if there are any.
    Anonymous(Option<String>),
    /// On nobody's, because the registry refused the credentials, in these words.
    Refused(Option<String>),
}

/// A registry token, ready to be sent. `Debug` leaves it out.
#[derive(Clone)]
pub(crate) struct Token {
    /// The `Authorization` header.
    pub(crate) authorization: HeaderValue,
    /// Whose it is.
    pub(crate) bearer: Bearer,
    good_until: Instant,
}

impl Token {
    /// Reads what the token endpoint answered to a request made at `asked_at`; the error says what is wrong with it.
    pub(crate) fn read(body: &[u8], bearer: Bearer, asked_at: Instant) -> Result<Self, &'static str> {
        let answer: Answer = serde_json::from_slice(body).map_err(|_| "it is not the JSON of a token")?;
        let token = answer.token.or(answer.access_token).filter(|token| !token.is_empty());
        let token = token.ok_or("it has no token")?;
        let lifetime = claims(&token).and_then(|claims| claims.lifetime());
        let lifetime = lifetime.or(answer.expires_in.as_u64().map(Duration::from_secs));
        let lifetime = lifetime.unwrap_or(DEFAULT_LIFETIME);
        let authorization =
            sensitive(&format!("Bearer {token}")).ok_or("its token has characters that no header can hold")?;
        Ok(Self {
            authorization,
            bearer,
            good_until: asked_at + lifetime.saturating_sub(MARGIN).min(Duration::from_hours(24)),
        })
    }

    /// Whether it can be sent at `now`.
    pub(crate) fn is_good(&self, now: Instant) -> bool {
        now < self.good_until
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("bearer", &self.bearer)
            .finish_non_exhaustive()
    }
}

/// A header that is left out of every `Debug`; `None` if the text has characters that a header cannot hold.
pub(crate) fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
    /// A number of seconds; some registries write it as a text or a fraction, which is not worth a failure.
    #[serde(default)]
    expires_in: Value,
}

#[derive(Deserialize)]
struct Claims {
    exp: Option<u64>,
    nbf: Option<u64>,
    iat: Option<u64>,
}

impl Claims {
    /// From being made until `exp`, by the clock of who made it: this machine's clock may be wrong.
    fn lifetime(&self) -> Option<Duration> {
        Some(Duration::from_secs(self.exp?.saturating_sub(self.iat.or(self.nbf)?)))
    }
}

/// The claims of a JWT. They are not verified and need not be: only the registry relies on them.
fn claims(token: &str) -> Option<Claims> {
    let mut parts = token.split('.');
    let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(claims: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    fn lifetime(body: &str) -> Option<u64> {
        let now = Instant::now();
        let token = Token::read(body.as_bytes(), Bearer::Known, now).ok()?;
        Some((token.good_until - now + MARGIN).as_secs())
    }

    #[test]
    fn a_token_is_used_until_shortly_before_it_expires() {
        let token = jwt(r#"{"iat":1000,"nbf":940,"exp":1300}"#);
        assert_eq!(
            lifetime(&format!(r#"{{"token":"{token}","expires_in":60}}"#)),
            Some(300)
        );
        assert_eq!(lifetime(r#"{"access_token":"opaque","expires_in":120}"#), Some(120));
        assert_eq!(lifetime(r#"{"access_token":"opaque"}"#), Some(60));
        let token = Token::read(br#"{"token":"x","expires_in":5}"#, Bearer::Known, Instant::now()).expect("a token");
        assert!(!token.is_good(Instant::now()));
    }

    #[test]
    fn an_absurd_lifetime_is_cut() {
        assert_eq!(
            lifetime(r#"{"token":"x","expires_in":18446744073709551615}"#),
            Some(24 * 3600 + 10)
        );
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for body in [
            "",
            "[]",
            "{}",
            r#"{"token":""}"#,
            r#"{"token":"a\nb"}"#,
            r#"{"expires_in":1}"#,
        ] {
            assert!(
                Token::read(body.as_bytes(), Bearer::Known, Instant::now()).is_err(),
                "{body}"
            );
        }
    }

    #[test]
    fn a_token_does_not_show_itself() {
        let token = Token::read(br#"{"token":"hunter2"}"#, Bearer::Known, Instant::now()).expect("a token");
        assert!(!format!("{token:?} {:?}", token.authorization).contains("hunter2"));
    }
}
