//! The results of `wreg admin keys`.

use std::fmt;

use serde::Serialize;
use wreg_api::Key;

use super::text::time;

/// The result of `wreg admin keys list` and `rotate`.
#[derive(Debug, Serialize)]
pub(crate) struct Keys {
    pub(crate) registry: String,
    pub(crate) keys: Vec<KeyShown>,
}

/// One key. Times are RFC 3339.
#[derive(Debug, Serialize)]
pub(crate) struct KeyShown {
    pub(crate) id: String,
    pub(crate) state: &'static str,
    /// Whether the server that answered signs with it.
    pub(crate) signing: bool,
    pub(crate) created: String,
    pub(crate) retired: Option<String>,
    pub(crate) accepted_until: String,
}

impl KeyShown {
    pub(crate) fn new(key: &Key) -> Self {
        Self {
            id: key.id.clone(),
            state: key.state.as_str(),
            signing: key.signing,
            created: time(key.created_at),
            retired: key.retired_at.map(time),
            accepted_until: time(key.accepted_until),
        }
    }
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for key in &self.keys {
            let signing = if key.signing { "  signing" } else { "" };
            let minute = |time: &str| time.get(..16).unwrap_or_default().to_owned();
            let (made, until) = (minute(&key.created), minute(&key.accepted_until));
            writeln!(
                f,
                "{}  {:7}  made {made}  accepted until {until}{signing}",
                key.id, key.state
            )?;
        }
        Ok(())
    }
}
