//! The results of `wreg trust`, `wreg log`, `wreg key show` and `wreg admin signing-keys`.

use std::fmt;

use serde::Serialize;
use wreg_api::SigningKey;
use wreg_client::trust::Memory;
use wreg_oci::Host;
use wreg_trust::{
    log::{Checkpoint, Entry, SignedNote},
    signature::PublicKey,
};

use super::text::time;

/// The result of `wreg trust init` and `show`.
#[derive(Debug, Serialize)]
pub(crate) struct Trusted {
    pub(crate) registry: String,
    pub(crate) keys: Vec<TrustedKey>,
    /// Who checks the log, as `name+<hash>+<key>`.
    pub(crate) log: Option<String>,
    /// How many entries the log had when it was last seen.
    pub(crate) log_size: Option<u64>,
}

/// A key.
#[derive(Debug, Serialize)]
pub(crate) struct TrustedKey {
    /// What signatures name it by.
    pub(crate) hint: String,
    /// As PEM.
    pub(crate) key: String,
}

impl Trusted {
    pub(crate) fn new(host: &Host, memory: &Memory) -> Option<Self> {
        let pins = memory.pins.as_ref()?;
        let seen = memory
            .checkpoint
            .as_deref()
            .and_then(|text| text.parse::<SignedNote>().ok());
        let seen = seen.and_then(|note| note.text().parse::<Checkpoint>().ok());
        Some(Self {
            registry: host.to_string(),
            keys: pins.public_keys().iter().map(TrustedKey::new).collect(),
            log: pins.log.as_ref().map(|log| log.key.clone()),
            log_size: seen.map(|seen| seen.size),
        })
    }
}

impl TrustedKey {
    fn new(key: &PublicKey) -> Self {
        Self {
            hint: key.hint(),
            key: key.to_string(),
        }
    }
}

impl fmt::Display for Trusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.registry)?;
        for key in &self.keys {
            writeln!(f, "  key  {}", key.hint)?;
        }
        if let Some(log) = &self.log {
            let size = self
                .log_size
                .map_or_else(String::new, |size| format!(", {size} entries seen"));
            writeln!(f, "  log  {log}{size}")?;
        }
        Ok(())
    }
}

/// The result of `wreg trust forget`.
#[derive(Debug, Serialize)]
pub(crate) struct Forgotten {
    pub(crate) registry: String,
}

impl fmt::Display for Forgotten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.registry)
    }
}

/// The result of `wreg key show`: the key that signs now for people, all for programs.
#[derive(Debug, Serialize)]
pub(crate) struct PublishedKeys {
    pub(crate) registry: String,
    pub(crate) keys: Vec<PublishedKey>,
    /// Who checks the log.
    pub(crate) log: Option<String>,
}

/// A key that a registry tells.
#[derive(Debug, Serialize)]
pub(crate) struct PublishedKey {
    pub(crate) hint: String,
    pub(crate) state: &'static str,
    pub(crate) created: String,
    pub(crate) key: String,
}

impl fmt::Display for PublishedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let active = self.keys.iter().filter(|key| key.state == "active");
        active.into_iter().try_for_each(|key| write!(f, "{}", key.key))
    }
}

/// The result of `wreg admin signing-keys`.
#[derive(Debug, Serialize)]
pub(crate) struct SigningKeys {
    pub(crate) registry: String,
    pub(crate) keys: Vec<SigningKeyShown>,
}

/// One of them. Times are RFC 3339.
#[derive(Debug, Serialize)]
pub(crate) struct SigningKeyShown {
    pub(crate) id: String,
    pub(crate) state: String,
    pub(crate) created: String,
    pub(crate) key: String,
}

impl SigningKeyShown {
    pub(crate) fn new(key: &SigningKey) -> Self {
        Self {
            id: key.id.clone(),
            state: key.state.clone(),
            created: time(key.created_at),
            key: key.key.clone(),
        }
    }
}

impl fmt::Display for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.keys.iter().try_for_each(|key| {
            let made = key.created.get(..16).unwrap_or_default();
            writeln!(f, "{}  {:7}  made {made}", key.id, key.state)
        })
    }
}

/// The result of `wreg log show`.
#[derive(Debug, Serialize)]
pub(crate) struct LogShown {
    pub(crate) reference: String,
    /// The log's origin, and how many entries it has now.
    pub(crate) log: String,
    pub(crate) size: u64,
    pub(crate) entries: Vec<LogEntryShown>,
}

/// An entry that is proven to be in the log.
#[derive(Debug, Serialize)]
pub(crate) struct LogEntryShown {
    pub(crate) index: u64,
    pub(crate) entry: Entry,
}

impl fmt::Display for LogShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.reference)?;
        writeln!(f, "  {} has {} entries", self.log, self.size)?;
        for LogEntryShown { index, entry } in &self.entries {
            let tag = entry.tag.as_ref().map_or_else(String::new, |tag| format!(" {tag}"));
            writeln!(f, "  entry {index}: {}{tag} by {}", time(entry.time), entry.actor)?;
        }
        Ok(())
    }
}

/// The result of `wreg log verify`.
#[derive(Debug, Serialize)]
pub(crate) struct LogVerified {
    pub(crate) registry: String,
    pub(crate) log: String,
    /// How many entries it had the last time, and has now.
    pub(crate) before: u64,
    pub(crate) size: u64,
    /// How many of the new ones are about the namespaces that were asked for.
    pub(crate) own: u64,
    /// What nobody can explain, in sentences.
    pub(crate) findings: Vec<String>,
}

impl fmt::Display for LogVerified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: {} entries, {} before; {} of the new ones are of these namespaces",
            self.log, self.size, self.before, self.own
        )?;
        self.findings.iter().try_for_each(|finding| writeln!(f, "  {finding}"))
    }
}
