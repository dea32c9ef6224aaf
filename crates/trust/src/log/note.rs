//! Signed notes: a text with lines that say who has signed it.
//!
//! Source: C2SP signed-note; tlog-cosignature for the signatures of witnesses, which name a time.

use std::{fmt, str::FromStr};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use p256::elliptic_curve::Generate;
use sha2::{Digest as _, Sha256};

/// The most bytes of a note.
pub const MAX_NOTE: usize = 1 << 20;
/// The most signatures of one.
pub const MAX_SIGNATURES: usize = 100;

const PRIVATE: &str = "PRIVATE+KEY+";

/// How a signature is made, by the byte that stands for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Ed25519 over the text.
    Plain,
    /// Ed25519 over the text and a time: the cosignature of a witness.
    Witness,
}

impl Kind {
    fn byte(self) -> u8 {
        match self {
            Self::Plain => 1,
            Self::Witness => 4,
        }
    }

    fn of(byte: u8) -> Option<Self> {
        [Self::Plain, Self::Witness]
            .into_iter()
            .find(|kind| kind.byte() == byte)
    }
}

/// A text that is no key, or no note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It is no name of a key: empty, or with a space or a plus sign.
    #[error("it is no name of a key: empty, or with a space or a plus sign")]
    Name,
    /// It is no key that can be used here.
    #[error("it is no key for notes, or of a kind that is not known here")]
    Key,
    /// It is no note.
    #[error("it is no signed note")]
    Note,
}

/// Who checks the signatures of one key. As text `name+<hash>+<key>`, which is what others are given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    kind: Kind,
    key: VerifyingKey,
}

impl Verifier {
    /// The name of the key: for a log its origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How its signatures are made.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether a signature says that it is of this key; it may not be right.
    pub fn is_named(&self, signature: &NoteSignature) -> bool {
        signature.name == self.name && signature.id == self.id()
    }

    /// The four bytes that a signature names the key by, beside the name.
    pub fn id(&self) -> [u8; 4] {
        let mut hasher = Sha256::new();
        hasher.update(self.name.as_bytes());
        hasher.update([b'\n', self.kind.byte()]);
        hasher.update(self.key.as_bytes());
        let hash: [u8; 32] = hasher.finalize().into();
        let [a, b, c, d, ..] = hash;
        [a, b, c, d]
    }

    /// The time that the note was signed at with this key, in seconds since 1970, which is 0 where signatures have none. None if there is
    /// no signature of this key that is right.
    pub fn verify(&self, note: &SignedNote) -> Option<u64> {
        let mut own = note.signatures.iter().filter(|signature| self.is_named(signature));
        own.find_map(|signature| {
            let (time, bytes, text) = match self.kind {
                Kind::Plain => (0, &*signature.bytes, note.text.clone()),
                Kind::Witness => {
                    let (time, bytes) = signature.bytes.split_first_chunk::<8>()?;
                    let time = u64::from_be_bytes(*time);
                    (time, bytes, cosigned(time, &note.text))
                }
            };
            let signature = Signature::from_slice(bytes).ok()?;
            self.key.verify_strict(text.as_bytes(), &signature).ok().map(|()| time)
        })
    }
}

/// What a witness signs.
fn cosigned(time: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[self.kind.byte()], &self.key.as_bytes()[..]].concat();
        let id = u32::from_be_bytes(self.id());
        write!(f, "{}+{id:08x}+{}", self.name, BASE64_STANDARD.encode(key))
    }
}

impl FromStr for Verifier {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let mut parts = text.trim_end().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Malformed::Key);
        };
        let key = BASE64_STANDARD.decode(key).map_err(|_| Malformed::Key)?;
        let (kind, key) = key.split_first().ok_or(Malformed::Key)?;
        let kind = Kind::of(*kind).ok_or(Malformed::Key)?;
        let key: &[u8; 32] = key.try_into().map_err(|_| Malformed::Key)?;
        let verifier = Self {
            name: checked_name(name)?,
            kind,
            key: VerifyingKey::from_bytes(key).map_err(|_| Malformed::Key)?,
        };
        let is_its_own = format!("{:08x}", u32::from_be_bytes(verifier.id())) == id;
        is_its_own.then_some(verifier).ok_or(Malformed::Key)
    }
}

fn checked_name(name: &str) -> Result<String, Malformed> {
    let is_name = !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c == '+');
    is_name.then(|| name.to_owned()).ok_or(Malformed::Name)
}

/// A key that signs notes: Ed25519, by the 32 bytes that it is made from.
pub struct NoteKey {
    verifier: Verifier,
    key: SigningKey,
}

impl NoteKey {
    /// The key of these 32 bytes, which are to be random and secret.
    pub fn new(name: &str, kind: Kind, seed: &[u8; 32]) -> Result<Self, Malformed> {
        let key = SigningKey::from_bytes(seed);
        let verifier = Verifier {
            name: checked_name(name)?,
            kind,
            key: key.verifying_key(),
        };
        Ok(Self { verifier, key })
    }

    /// A new one, of the system's randomness.
    pub fn generate(name: &str, kind: Kind) -> Result<Self, Malformed> {
        Self::new(name, kind, &Generate::generate())
    }

    /// Who checks its signatures.
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// The secret itself as text, `PRIVATE+KEY+name+<hash>+<seed>`: as Go's `golang.org/x/mod/sumdb/note` writes it.
    pub fn to_text(&self) -> String {
        let seed = [&[self.verifier.kind.byte()], &self.key.to_bytes()[..]].concat();
        let id = u32::from_be_bytes(self.verifier.id());
        format!(
            "{PRIVATE}{}+{id:08x}+{}",
            self.verifier.name,
            BASE64_STANDARD.encode(seed)
        )
    }

    /// Reads that text.
    pub fn from_text(text: &str) -> Result<Self, Malformed> {
        let rest = text.trim_end().strip_prefix(PRIVATE).ok_or(Malformed::Key)?;
        let mut parts = rest.splitn(3, '+');
        let (Some(name), Some(id), Some(seed)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Malformed::Key);
        };
        let seed = BASE64_STANDARD.decode(seed).map_err(|_| Malformed::Key)?;
        let (kind, seed) = seed.split_first().ok_or(Malformed::Key)?;
        let kind = Kind::of(*kind).ok_or(Malformed::Key)?;
        let key = Self::new(name, kind, seed.try_into().map_err(|_| Malformed::Key)?)?;
        let is_its_own = format!("{:08x}", u32::from_be_bytes(key.verifier.id())) == id;
        is_its_own.then_some(key).ok_or(Malformed::Key)
    }

    /// Its signature of a text, at a time in seconds since 1970, which a plain one does not name.
    pub fn sign(&self, text: &str, time: u64) -> NoteSignature {
        let bytes = match self.verifier.kind {
            Kind::Plain => self.key.sign(text.as_bytes()).to_bytes().to_vec(),
            Kind::Witness => {
                let signature = self.key.sign(cosigned(time, text).as_bytes());
                [&time.to_be_bytes()[..], &signature.to_bytes()].concat()
            }
        };
        NoteSignature {
            name: self.verifier.name.clone(),
            id: self.verifier.id(),
            bytes,
        }
    }
}

impl fmt::Debug for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoteKey({})", self.verifier)
    }
}

/// One signature of a note. As text its line, without the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// Of the key.
    pub name: String,
    /// Of the key too.
    pub id: [u8; 4],
    /// What it is made of depends on the key.
    pub bytes: Vec<u8>,
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.id[..], &self.bytes].concat();
        write!(f, "— {} {}", self.name, BASE64_STANDARD.encode(bytes))
    }
}

impl FromStr for NoteSignature {
    type Err = Malformed;

    fn from_str(line: &str) -> Result<Self, Malformed> {
        let rest = line.strip_prefix("— ").ok_or(Malformed::Note)?;
        let (name, bytes) = rest.split_once(' ').ok_or(Malformed::Note)?;
        let bytes = BASE64_STANDARD.decode(bytes).map_err(|_| Malformed::Note)?;
        let (id, bytes) = bytes.split_first_chunk::<4>().ok_or(Malformed::Note)?;
        Ok(Self {
            name: checked_name(name).map_err(|_| Malformed::Note)?,
            id: *id,
            bytes: bytes.to_vec(),
        })
    }
}

/// A text and its signatures. Those of keys that nobody knows are kept, and say nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl SignedNote {
    /// A text, which ends with a line end, with a first signature.
    pub fn new(text: String, signature: NoteSignature) -> Self {
        Self {
            text,
            signatures: vec![signature],
        }
    }

    /// What is signed, with the line end at its end.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// By whom, in their order.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds a signature, in the place of one that the same key has made before.
    pub fn add(&mut self, signature: NoteSignature) {
        self.signatures
            .retain(|old| (&old.name, old.id) != (&signature.name, signature.id));
        self.signatures.push(signature);
    }
}

impl fmt::Display for SignedNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures
            .iter()
            .try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

impl FromStr for SignedNote {
    type Err = Malformed;

    fn from_str(note: &str) -> Result<Self, Malformed> {
        let is_plain = !note.chars().any(|c| c.is_ascii_control() && c != '\n');
        if note.len() > MAX_NOTE || !is_plain {
            return Err(Malformed::Note);
        }
        // The last empty line, since the text may have some.
        let (text, lines) = note.rsplit_once("\n\n").ok_or(Malformed::Note)?;
        let lines = lines.strip_suffix('\n').ok_or(Malformed::Note)?;
        let signatures: Vec<NoteSignature> = lines.split('\n').map(str::parse).collect::<Result<_, _>>()?;
        if signatures.len() > MAX_SIGNATURES {
            return Err(Malformed::Note);
        }
        Ok(Self {
            text: format!("{text}\n"),
            signatures,
        })
    }
}
