//! Where a witness is, and the key that it signs with.

use std::net::IpAddr;

use reqwest::Url;
use wreg_trust::log::{Verifier, note::Kind};

/// A witness as it is configured.
#[derive(Debug, Clone)]
pub(crate) struct WitnessSettings {
    /// Where it is asked, without a slash at the end.
    pub(super) url: String,
    /// Who checks its signatures.
    pub(super) key: Verifier,
    is_plain: bool,
    is_loopback: bool,
}

/// Why a witness cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidWitness {
    /// The address is none.
    #[error("write https://witness.example for the url of a witness, without a query and without a password")]
    Url,
    /// The key is none.
    #[error("the key of a witness is name+hash+base64: the line that it gives to everybody")]
    Key,
    /// The key is one of a log.
    #[error("that is the key of a log, and not one that witnesses sign with")]
    Kind,
}

impl WitnessSettings {
    /// From the two texts that a witness gives to everybody.
    pub(crate) fn new(url: &str, key: &str) -> Result<Self, InvalidWitness> {
        let parsed: Url = url.parse().map_err(|_| InvalidWitness::Url)?;
        let is_plain = match parsed.scheme() {
            "https" => false,
            "http" => true,
            _ => return Err(InvalidWitness::Url),
        };
        let has_more = parsed.query().is_some() || parsed.fragment().is_some();
        if has_more || !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(InvalidWitness::Url);
        }
        let host = parsed.host_str().ok_or(InvalidWitness::Url)?;
        let address = host.trim_matches(['[', ']']).parse();
        let is_loopback = host == "localhost" || address.is_ok_and(|address: IpAddr| address.is_loopback());
        let key: Verifier = key.parse().map_err(|_| InvalidWitness::Key)?;
        if key.kind() != Kind::Witness {
            return Err(InvalidWitness::Kind);
        }
        Ok(Self {
            url: parsed.as_str().trim_end_matches('/').to_owned(),
            key,
            is_plain,
            is_loopback,
        })
    }

    pub(super) fn is_plain(&self) -> bool {
        self.is_plain
    }

    pub(super) fn is_loopback(&self) -> bool {
        self.is_loopback
    }
}
