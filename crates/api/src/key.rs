//! The keys that sign registry tokens: what is public of them.

use serde::{Deserialize, Serialize};

/// A key. Times are milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Key {
    /// What tokens name it by (`kid`).
    pub id: String,
    /// What it is good for now.
    pub state: KeyState,
    /// Whether the server that answers signs with it.
    pub signing: bool,
    /// When its server made it.
    pub created_at: i64,
    /// From when on nothing is signed with it, if that is known.
    pub retired_at: Option<i64>,
    /// From when on what it signed is refused.
    pub accepted_until: i64,
}

/// What a key is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// Its server signs with it.
    Active,
    /// Nothing is signed with it any more, and what was is still accepted.
    Retired,
    /// What it signed is refused.
    Ended,
}

impl KeyState {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Ended => "ended",
        }
    }
}

/// Keys.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KeyList {
    /// Newest first.
    pub keys: Vec<Key>,
}

/// A key that signs artifacts. Times are milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SigningKey {
    /// What signatures name it by: the base64 of the SHA-256 of its SPKI in DER.
    pub id: String,
    /// `next`, `active` or `retired`.
    pub state: String,
    /// When it was made.
    pub created_at: i64,
    /// The public key: SPKI in PEM.
    pub key: String,
}

/// Keys that sign artifacts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SigningKeyList {
    /// Newest first.
    pub keys: Vec<SigningKey>,
}

crate::words::words! {
    /// How the keys that sign artifacts change.
    SigningKeyAction {
        /// Makes the next key, which the active one announces.
        Announce = "announce",
        /// Has the next key sign from then on, and retires the one before it.
        Activate = "activate",
    }
}
