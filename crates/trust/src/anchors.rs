//! What a registry says of itself to whoever is to trust it: its keys, what it signs, and its log.
//!
//! Who asks for the first time can only believe it, and pins what it says. From then on a key counts if it was pinned, or if one that
//! counts has announced it: a registry changes its key by signing the next one with the one that it has.

use serde::{Deserialize, Serialize};

use crate::signature::{Envelope, PublicKey, Signature, dsse::pae};

/// Where a registry says it.
pub const PATH: &str = "/.well-known/wreg/trust.json";
/// Where a registry has its active key as PEM, for `cosign verify --key`.
pub const KEY_PATH: &str = "/.well-known/wreg/cosign.pub";
/// The most bytes of it that are read.
pub const MAX_LEN: usize = 256 << 10;
/// The most keys of a registry.
pub const MAX_KEYS: usize = 100;
const ANNOUNCEMENT: &str = "application/vnd.wreg.key-announcement.v1+json";

/// What a registry says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchors {
    /// The version of this form: 1.
    pub schema: u32,
    /// What it signs unless a namespace says something else: `off`, `wasm` or `all`.
    pub signing: String,
    /// Its keys, those that are retired too.
    pub keys: Vec<AnchorKey>,
    /// Its log.
    pub log: Option<AnchorLog>,
}

/// A key that signs artifacts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnchorKey {
    /// The key as PEM.
    #[serde(with = "pem")]
    pub key: PublicKey,
    /// What it is used for.
    pub state: KeyState,
    /// When it was made, in milliseconds since 1970.
    pub created_at: i64,
    /// That another key says so; none for the first one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub announcement: Option<Envelope>,
}

/// How far a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyState {
    /// It will sign; published so that everybody knows it by then.
    Next,
    /// It signs.
    Active,
    /// It signs nothing any more; what it signed stays good.
    Retired,
}

/// A log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnchorLog {
    /// The key of its checkpoints, as `name+<hash>+<key>`; the name is the log's origin.
    pub key: String,
    /// Where it is served: a path of the registry.
    pub path: String,
}

impl Anchors {
    /// The keys that count for who trusts `known` already: those, and each that one of these has announced, and so on.
    pub fn extend(&self, known: &[PublicKey]) -> Vec<PublicKey> {
        let mut trusted = known.to_vec();
        loop {
            let announced = self.keys.iter().take(MAX_KEYS).find(|candidate| {
                !trusted.contains(&candidate.key)
                    && candidate
                        .announcement
                        .as_ref()
                        .is_some_and(|envelope| announces(envelope, &candidate.key, &trusted))
            });
            match announced {
                Some(new) => trusted.push(new.key.clone()),
                None => return trusted,
            }
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Announced {
    #[serde(with = "pem")]
    key: PublicKey,
}

/// That `next` is a key of whoever else signs this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    payload: Vec<u8>,
}

impl Announcement {
    /// Of a key.
    pub fn of(next: &PublicKey) -> Self {
        let announced = Announced { key: next.clone() };
        Self {
            // It has text for keys and nothing that could fail.
            payload: serde_json::to_vec(&announced).unwrap_or_default(),
        }
    }

    /// What is signed.
    pub fn message(&self) -> Vec<u8> {
        pae(ANNOUNCEMENT, &self.payload)
    }

    /// With the signature of the [message](Self::message).
    pub fn signed(&self, signature: &Signature) -> Envelope {
        Envelope::signed(ANNOUNCEMENT, &self.payload, signature)
    }
}

fn announces(envelope: &Envelope, key: &PublicKey, trusted: &[PublicKey]) -> bool {
    if envelope.payload_type() != ANNOUNCEMENT {
        return false;
    }
    let Some((payload, _)) = envelope.verify(trusted) else {
        return false;
    };
    serde_json::from_slice::<Announced>(&payload).is_ok_and(|announced| announced.key == *key)
}

/// A key in its text.
mod pem {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use crate::signature::PublicKey;

    pub(super) fn serialize<S: Serializer>(key: &PublicKey, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(key)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PublicKey, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}
