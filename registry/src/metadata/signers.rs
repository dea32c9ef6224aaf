//! Whose signatures a namespace asks for when something is pulled from it.

use std::{fmt, str::FromStr};

use sqlx::FromRow;
use wreg_api::Policy;
use wreg_oci::name;
use wreg_trust::signature::{PublicKey, key::InvalidKey};

use super::{Error, Metadata, Result, on_db, parse};

/// The word for the registry itself.
const REGISTRY: &str = "registry";

/// One whose signatures count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signer {
    /// The registry: every key of its own that signs, or did.
    Registry,
    /// Whoever has the private half of this key.
    Key(PublicKey),
}

impl Signer {
    /// What events name it by.
    pub fn hint(&self) -> String {
        match self {
            Self::Registry => REGISTRY.to_owned(),
            Self::Key(key) => key.hint(),
        }
    }
}

/// As the API has it: the word, or a key in PEM.
impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry => f.write_str(REGISTRY),
            Self::Key(key) => key.fmt(f),
        }
    }
}

impl FromStr for Signer {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        match text.trim() {
            REGISTRY => Ok(Self::Registry),
            pem => pem.parse().map(Self::Key),
        }
    }
}

/// What a namespace asks of what is pulled from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRule {
    /// What happens to what none of the signers has signed.
    pub policy: Policy,
    /// Whose signatures count.
    pub signers: Vec<Signer>,
}

impl PullRule {
    /// That of a namespace for which nothing has been set.
    pub const DEFAULT: Self = Self {
        policy: Policy::Off,
        signers: Vec::new(),
    };

    /// Whether signatures are asked for, and nobody's count.
    pub(super) fn is_of_nobody(&self) -> bool {
        self.policy != Policy::Off && self.signers.is_empty()
    }

    /// The signers as they are stored.
    pub(super) fn signers_as_json(&self) -> String {
        let texts: Vec<_> = self.signers.iter().map(ToString::to_string).collect();
        // A list of texts has nothing that could fail.
        serde_json::to_string(&texts).unwrap_or_default()
    }
}

/// As events tell it: keys by what bundles name them by.
impl fmt::Display for PullRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hints: Vec<_> = self.signers.iter().map(Signer::hint).collect();
        write!(f, "pull={} signers={}", self.policy, hints.join(","))
    }
}

#[derive(FromRow)]
pub(super) struct PullRuleRow {
    pull: String,
    signers: String,
}

impl TryFrom<PullRuleRow> for PullRule {
    type Error = Error;

    fn try_from(row: PullRuleRow) -> Result<Self> {
        let corrupt = || Error::Corrupt {
            table: "namespaces",
            column: "signers",
        };
        let texts: Vec<String> = serde_json::from_str(&row.signers).map_err(|_| corrupt())?;
        let signers = texts.iter().map(|text| text.parse().map_err(|_| corrupt()));
        Ok(Self {
            policy: parse(&row.pull, "namespaces", "pull")?,
            signers: signers.collect::<Result<_>>()?,
        })
    }
}

impl Metadata {
    /// What a namespace, which need not be there, asks of what is pulled from it.
    pub async fn find_pull_rule(&self, name: &name::Namespace) -> Result<PullRule> {
        let row: Option<PullRuleRow> = on_db!(&*self.db, db => sqlx::query_as("SELECT pull, signers FROM namespaces WHERE name = $1")
            .bind(name.as_str())
            .fetch_optional(db)
            .await)?;
        row.map_or(Ok(PullRule::DEFAULT), PullRule::try_from)
    }
}
