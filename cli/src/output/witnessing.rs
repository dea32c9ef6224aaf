//! The result of `wreg witness`, which it gives when it begins.

use std::fmt;

use serde::Serialize;

use crate::witness::WatchedLog;

/// Where a witness is, and how far it is.
#[derive(Debug, Serialize)]
pub(crate) struct Witnessing {
    pub(crate) url: String,
    /// Who checks its signatures.
    pub(crate) key: String,
    pub(crate) logs: Vec<WatchedLog>,
}

impl fmt::Display for Witnessing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "listening on {}", self.url)?;
        writeln!(f, "key  {}", self.key)?;
        for WatchedLog { origin, size } in &self.logs {
            writeln!(f, "log  {origin}, signed over {size} changes")?;
        }
        Ok(())
    }
}
