//! A secret: what proves to a registry who is asking.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::HeaderValue;

use crate::auth::sensitive;

/// A user name, and the password or personal token that goes with it. `Debug` leaves the password out.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// The user name. Any will do where the password is a personal token.
    pub user: String,
    /// The password or personal token.
    pub password: String,
}

impl Secret {
    /// User name and password.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            password: password.into(),
        }
    }

    /// A personal token.
    pub fn token(token: impl Into<String>) -> Self {
        Self::new("token", token)
    }

    /// `user:password` in base64, as configuration files and the `Basic` scheme (RFC 7617) have it.
    pub(crate) fn encoded(&self) -> String {
        STANDARD.encode(format!("{}:{}", self.user, self.password))
    }

    /// The `Authorization` header of the `Basic` scheme; `None` if the user name holds a colon, which would end it early.
    pub(crate) fn basic(&self) -> Option<HeaderValue> {
        if self.user.contains(':') {
            return None;
        }
        sensitive(&format!("Basic {}", self.encoded()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_show_itself() {
        let secret = Secret::new("ada", "hunter2");
        assert_eq!(format!("{secret:?}"), "Secret { user: \"ada\", .. }");
        assert!(!format!("{:?}", secret.basic()).contains("aHVudGVyM"));
    }

    #[test]
    fn a_user_name_with_a_colon_cannot_be_sent() {
        assert!(Secret::new("a:b", "c").basic().is_none());
    }
}
