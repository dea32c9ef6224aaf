//! The result of `wreg check`.

use std::fmt;

use serde::Serialize;

use super::{differences::Interface, text::one_line};

/// Whether a file would be a right next version.
#[derive(Debug, Serialize)]
pub(crate) struct Successor {
    pub(crate) file: String,
    /// The version that it is to get, if anybody said one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    /// What it was compared with: `host/repository@digest`.
    pub(crate) after: String,
    /// The version of that.
    pub(crate) old_version: String,
    /// The least version that it may have.
    pub(crate) next_version: String,
    /// Whether its version will do; absent where nobody said one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) enough: Option<bool>,
    #[serde(flatten)]
    pub(crate) interface: Interface,
}

impl fmt::Display for Successor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            after,
            old_version,
            next_version,
            interface,
            ..
        } = self;
        let file = one_line(&self.file);
        let level = interface.level;
        match (self.enough, &self.version) {
            (Some(true), Some(version)) => writeln!(f, "{file} may be {version}: {level} after {old_version}")?,
            (Some(false), Some(version)) => writeln!(
                f,
                "{file} cannot be {version}: {level} after {old_version}, so {next_version} or later"
            )?,
            _ => writeln!(
                f,
                "{file} should be {next_version} or later: {level} after {old_version}"
            )?,
        }
        writeln!(f, "compared with {after}")?;
        interface.fmt(f)
    }
}
