//! Digests: `algorithm:encoded`, and the hashers that make them.
//!
//! Source: OCI image specification, "descriptor", section "Digests"; the algorithms are those that it registers as required
//! (sha256) and optional (sha512).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{
    Digest as _, Sha256, Sha512,
    digest::common::hazmat::{DeserializeStateError, SerializableState},
};

/// A hash algorithm that wreg computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// `sha256`: 64 lower-case hexadecimal characters. What every client and registry uses.
    Sha256,
    /// `sha512`: 128 lower-case hexadecimal characters. Optional in the specification.
    Sha512,
}

impl Algorithm {
    /// The name before the colon.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// The length of the encoded part, in characters.
    fn encoded_len(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        match text {
            "sha256" => Ok(Self::Sha256),
            "sha512" => Ok(Self::Sha512),
            _ => Err(InvalidDigest::Algorithm),
        }
    }
}

/// The digest of some bytes, in the one spelling that the specification allows: `sha256:` or `sha512:` and lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(extend("pattern" = r"^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$"))
)]
#[serde(try_from = "String", into = "String")]
pub struct Digest {
    algorithm: Algorithm,
    text: Box<str>,
}

impl Digest {
    /// The sha256 digest of `bytes`, all of them in memory. For streams use [`Hasher`].
    pub fn sha256(bytes: impl AsRef<[u8]>) -> Self {
        Self::of(Algorithm::Sha256, bytes)
    }

    /// The digest of `bytes` by `algorithm`.
    pub fn of(algorithm: Algorithm, bytes: impl AsRef<[u8]>) -> Self {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes.as_ref());
        hasher.finish()
    }

    /// The algorithm before the colon.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The lower-case hexadecimal after the colon: 64 or 128 ASCII characters.
    pub fn encoded(&self) -> &str {
        &self.text[self.algorithm.as_str().len() + 1..]
    }

    /// The whole digest, `algorithm:encoded`.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let (algorithm, encoded) = text.split_once(':').ok_or(InvalidDigest::Format)?;
        let algorithm: Algorithm = algorithm.parse()?;
        let lower_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if encoded.len() != algorithm.encoded_len() || !encoded.bytes().all(lower_hex) {
            return Err(InvalidDigest::Encoded(algorithm));
        }
        Ok(Self {
            algorithm,
            text: text.into(),
        })
    }
}

impl TryFrom<String> for Digest {
    type Error = InvalidDigest;

    fn try_from(text: String) -> Result<Self, InvalidDigest> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.text.into()
    }
}

/// Why a text is not a digest. The text itself is left out: it came from a stranger and may be long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDigest {
    /// There is no colon between algorithm and value.
    #[error("a digest is written algorithm:encoded, for example sha256:<64 hexadecimal characters>")]
    Format,
    /// The algorithm is not one that wreg computes.
    #[error("the digest algorithm must be sha256 or sha512")]
    Algorithm,
    /// The encoded part has the wrong length or characters.
    #[error("a {0} digest has exactly {len} lower-case hexadecimal characters after the colon", len = .0.encoded_len())]
    Encoded(Algorithm),
}

/// Computes a digest piece by piece. Its state can be stored between pieces and taken up again, on another machine too.
#[derive(Debug, Clone)]
pub struct Hasher(State);

#[derive(Debug, Clone)]
enum State {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    /// A hasher that has seen nothing yet.
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
            Algorithm::Sha512 => State::Sha512(Sha512::new()),
        })
    }

    /// The algorithm that it was made with.
    pub fn algorithm(&self) -> Algorithm {
        match self.0 {
            State::Sha256(_) => Algorithm::Sha256,
            State::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(hasher) => hasher.update(bytes),
            State::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// The digest of all bytes taken in.
    pub fn finish(self) -> Digest {
        let algorithm = self.algorithm();
        let hash: &[u8] = match self.0 {
            State::Sha256(hasher) => &hasher.finalize(),
            State::Sha512(hasher) => &hasher.finalize(),
        };
        let mut text = String::with_capacity(algorithm.as_str().len() + 1 + algorithm.encoded_len());
        text.push_str(algorithm.as_str());
        text.push(':');
        for byte in hash {
            for nibble in [byte >> 4, byte & 15] {
                text.push(char::from(b"0123456789abcdef"[usize::from(nibble)]));
            }
        }
        Digest {
            algorithm,
            text: text.into(),
        }
    }

    /// The state, to be taken up by [`Hasher::restore`]: about 105 bytes for sha256, 210 for sha512.
    /// It reveals the last, unfinished block of the input, so it is as secret as the input is.
    pub fn save(&self) -> Vec<u8> {
        match &self.0 {
            State::Sha256(hasher) => hasher.serialize().to_vec(),
            State::Sha512(hasher) => hasher.serialize().to_vec(),
        }
    }

    /// Takes up a state that [`Hasher::save`] gave for the same algorithm.
    pub fn restore(algorithm: Algorithm, state: &[u8]) -> Result<Self, InvalidHasherState> {
        let state = match algorithm {
            Algorithm::Sha256 => State::Sha256(deserialize(state)?),
            Algorithm::Sha512 => State::Sha512(deserialize(state)?),
        };
        Ok(Self(state))
    }
}

fn deserialize<H: SerializableState>(state: &[u8]) -> Result<H, InvalidHasherState> {
    let state = state.try_into().map_err(|_| InvalidHasherState)?;
    H::deserialize(&state).map_err(|DeserializeStateError| InvalidHasherState)
}

/// A stored hasher state that is not one, or one of another algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stored hasher state cannot be read")]
pub struct InvalidHasherState;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn the_digest_of_nothing_is_the_well_known_one() {
        assert_eq!(Digest::sha256([]).to_string(), EMPTY);
        assert_eq!(Digest::sha256([]).encoded(), &EMPTY[7..]);
    }

    #[test]
    fn spellings_outside_the_grammar_are_refused() {
        let hex = &EMPTY[7..];
        for (text, why) in [
            (String::new(), InvalidDigest::Format),
            (hex.to_owned(), InvalidDigest::Format),
            (format!("md5:{hex}"), InvalidDigest::Algorithm),
            (format!("SHA256:{hex}"), InvalidDigest::Algorithm),
            (format!("sha256+b64:{hex}"), InvalidDigest::Algorithm),
            (
                format!("sha256:{}", hex.to_uppercase()),
                InvalidDigest::Encoded(Algorithm::Sha256),
            ),
            (
                format!("sha256:{}", &hex[1..]),
                InvalidDigest::Encoded(Algorithm::Sha256),
            ),
            (format!("sha256:{hex}0"), InvalidDigest::Encoded(Algorithm::Sha256)),
            (format!("sha512:{hex}"), InvalidDigest::Encoded(Algorithm::Sha512)),
            (
                "sha256:../../etc/passwd".to_owned(),
                InvalidDigest::Encoded(Algorithm::Sha256),
            ),
        ] {
            assert_eq!(text.parse::<Digest>(), Err(why), "{text}");
        }
    }

    #[test]
    fn a_state_of_another_algorithm_or_length_is_refused() {
        let state = Hasher::new(Algorithm::Sha256).save();
        assert!(Hasher::restore(Algorithm::Sha512, &state).is_err());
        assert!(Hasher::restore(Algorithm::Sha256, &state[1..]).is_err());
    }

    proptest! {
        #[test]
        fn display_and_parse_are_inverse(bytes: Vec<u8>, long: bool) {
            let algorithm = if long { Algorithm::Sha512 } else { Algorithm::Sha256 };
            let digest = Digest::of(algorithm, bytes);
            prop_assert_eq!(digest.to_string().parse::<Digest>(), Ok(digest));
        }

        #[test]
        fn a_stored_state_goes_on_where_it_was(head: Vec<u8>, tail: Vec<u8>, long: bool) {
            let algorithm = if long { Algorithm::Sha512 } else { Algorithm::Sha256 };
            let mut hasher = Hasher::new(algorithm);
            hasher.update(&head);
            let mut resumed = Hasher::restore(algorithm, &hasher.save()).expect("the state was just saved");
            resumed.update(&tail);
            prop_assert_eq!(resumed.finish(), Digest::of(algorithm, [head, tail].concat()));
        }
    }
}
