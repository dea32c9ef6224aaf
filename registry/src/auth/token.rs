//! Registry tokens: short-lived JWTs that say who asked and for what.
//!
//! Sources: RFC 7519, RFC 8037 (`EdDSA`), and CNCF distribution's "Token Authentication Implementation" for the claims. One
//! algorithm, one header: whatever else a header says (`jwk`, `jku`, `x5c`, `crit`, another `alg`) makes a token invalid, and
//! nothing that a token says decides how it is verified, but which of the servers' own keys signed it.

use std::fmt;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use wreg_oci::Digest;

use super::{SERVICE, identity::Actor, scope::Access};
use crate::clock::Millis;

/// How long a registry token lives, in seconds.
pub(super) const LIFETIME: i64 = 300;
/// How far clocks may be apart, in seconds.
pub(super) const LEEWAY: i64 = 60;
/// The longest token that is looked at, in bytes.
const MAX_LEN: usize = 16 * 1024;
/// The characters of a key's id.
const KEY_ID_LEN: usize = 16;

/// A key that signs registry tokens.
pub(super) struct TokenKey {
    public: PublicKey,
    encoding: EncodingKey,
}

/// The public half, which verifies them.
pub(super) struct PublicKey {
    id: String,
    bytes: Vec<u8>,
    decoding: DecodingKey,
}

/// A token that was made, with what its receiver is told.
#[derive(Debug)]
pub struct Grant {
    /// The token.
    pub token: String,
    /// Seconds until it expires.
    pub expires_in: i64,
    /// When it was made.
    pub issued_at: Millis,
    /// What it is for.
    pub access: Vec<Access>,
}

/// What a token says. Times are seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claims {
    iss: String,
    pub(super) sub: String,
    aud: String,
    exp: i64,
    nbf: i64,
    iat: i64,
    jti: String,
    pub(super) access: Vec<Access>,
}

/// All that a header may say.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StrictHeader {
    typ: String,
    alg: String,
    kid: String,
}

impl TokenKey {
    /// Makes a new key; gives its PKCS#8 document.
    pub(super) fn generate() -> Result<Vec<u8>, InvalidKey> {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| InvalidKey)?;
        Ok(document.as_ref().to_vec())
    }

    /// Reads a PKCS#8 document of an Ed25519 key.
    pub(super) fn from_pkcs8(document: &[u8]) -> Result<Self, InvalidKey> {
        let pair = Ed25519KeyPair::from_pkcs8(document).map_err(|_| InvalidKey)?;
        Ok(Self {
            public: PublicKey::new(pair.public_key().as_ref()),
            encoding: EncodingKey::from_ed_der(document),
        })
    }

    /// Its public half.
    pub(super) fn public(&self) -> &PublicKey {
        &self.public
    }

    /// A token for `actor`, made at `now`.
    pub(super) fn sign(&self, actor: &Actor, access: Vec<Access>, now: Millis) -> Grant {
        let seconds = now / 1000;
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(self.public.id.clone());
        let claims = Claims {
            iss: SERVICE.to_owned(),
            sub: actor.subject().to_owned(),
            aud: SERVICE.to_owned(),
            exp: seconds + LIFETIME,
            nbf: seconds - LEEWAY,
            iat: seconds,
            jti: Uuid::new_v4().to_string(),
            access,
        };
        // Signing fails only for a key that `from_pkcs8` would have refused; an empty token then fails to verify.
        let token = jsonwebtoken::encode(&header, &claims, &self.encoding).unwrap_or_default();
        Grant {
            token,
            expires_in: LIFETIME,
            issued_at: now,
            access: claims.access,
        }
    }
}

impl Claims {
    /// Whether they hold at `now`.
    pub(super) fn are_current(&self, now: Millis) -> bool {
        let seconds = now / 1000;
        self.exp + LEEWAY > seconds && self.nbf <= seconds + LEEWAY && self.iat <= seconds + LEEWAY
    }
}

impl PublicKey {
    /// The bytes of an Ed25519 key.
    const LEN: usize = 32;

    fn new(bytes: &[u8]) -> Self {
        Self {
            id: Digest::sha256(bytes).encoded()[..KEY_ID_LEN].to_owned(),
            bytes: bytes.to_vec(),
            decoding: DecodingKey::from_ed_der(bytes),
        }
    }

    /// What tokens name it by: the beginning of its SHA-256.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// As the database keeps it.
    pub(super) fn to_text(&self) -> String {
        BASE64URL.encode(&self.bytes)
    }

    /// Reads what [`Self::to_text`] gives.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        let bytes = BASE64URL.decode(text).ok()?;
        (bytes.len() == Self::LEN).then(|| Self::new(&bytes))
    }

    /// What a token says, if this key made it and it is valid at `now`.
    pub(super) fn verify(&self, token: &str, now: Millis) -> Option<Claims> {
        if key_id(token)? != self.id {
            return None;
        }
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        validation.set_issuer(&[SERVICE]);
        validation.set_audience(&[SERVICE]);
        // Times are compared with the server's own clock.
        validation.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &validation)
            .ok()?
            .claims;
        claims.are_current(now).then_some(claims)
    }
}

/// Which key a token names, if its header is one that this server writes. Nothing else of a token is looked at before its key is known.
pub(super) fn key_id(token: &str) -> Option<String> {
    if token.len() > MAX_LEN {
        return None;
    }
    let header = BASE64URL.decode(token.split('.').next()?).ok()?;
    let StrictHeader { typ, alg, kid } = serde_json::from_slice(&header).ok()?;
    let is_id = kid.len() == KEY_ID_LEN && kid.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (typ == "JWT" && alg == "EdDSA" && is_id).then_some(kid)
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenKey")
            .field("id", &self.public.id)
            .finish_non_exhaustive()
    }
}

/// A document that is not a PKCS#8 Ed25519 key, or a system that gives no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a PKCS#8 Ed25519 private key")]
pub struct InvalidKey;

#[cfg(test)]
mod tests;
