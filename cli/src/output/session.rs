//! The results of `wreg login`, `logout` and `version`.

use std::fmt;

use serde::Serialize;

/// The result of `wreg login`.
#[derive(Debug, Serialize)]
pub(crate) struct LoggedIn {
    pub(crate) registry: String,
    /// The file or the helper that keeps the token.
    pub(crate) stored_in: String,
}

impl fmt::Display for LoggedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "logged in to {}", self.registry)
    }
}

/// The result of `wreg logout`.
#[derive(Debug, Serialize)]
pub(crate) struct LoggedOut {
    pub(crate) registry: String,
    /// The files and helpers that kept a token; empty if there was none.
    pub(crate) erased_from: Vec<String>,
}

impl fmt::Display for LoggedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.erased_from.is_empty() {
            writeln!(f, "was not logged in to {}", self.registry)
        } else {
            writeln!(f, "logged out of {}", self.registry)
        }
    }
}

/// The result of `wreg version`.
#[derive(Debug, Serialize)]
pub(crate) struct Version {
    pub(crate) version: &'static str,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "wreg {}", self.version)
    }
}
