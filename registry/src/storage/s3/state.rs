//! What of an upload is in the bucket: the state that callers keep for it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    super::{Error, ErrorKind, Operation, Position, UploadId},
    PART,
};

/// Two servers that go on from one position without knowing of each other should not overwrite each other's parts: each takes one of
/// so many numbers for the next part. When they do meet, the upload is gone, and no byte is wrong.
pub(super) const SPREAD: u16 = 5;
/// S3 knows parts 1 to 10,000.
pub(super) const MAX_PARTS: usize = 10_000 / SPREAD as usize;

/// Whole parts of a multipart upload, and what is beyond them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    /// The multipart upload, from the first whole part on.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub(super) multipart: Option<Multipart>,
    /// What is beyond the whole parts.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub(super) tail: Option<Tail>,
    /// The tail of the position before. It is not needed any more once an append goes on from this position.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub(super) old_tail: Option<String>,
}

/// A multipart upload and its parts, each of [`PART`] bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Multipart {
    pub(super) id: String,
    #[serde(rename = "p")]
    pub(super) parts: Vec<Part>,
}

/// A part that is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    #[serde(rename = "n")]
    pub(super) number: u16,
    #[serde(rename = "e")]
    pub(super) etag: String,
}

/// An object with the last bytes of an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tail {
    /// Its name.
    #[serde(rename = "n")]
    pub(super) name: String,
    /// Its length in bytes.
    #[serde(rename = "l")]
    pub(super) size: u64,
}

impl State {
    /// Reads what the caller kept.
    pub(super) fn of(upload: UploadId, at: &Position) -> Result<Self, Error> {
        let state = match &*at.state {
            "" => Ok(Self::default()),
            text => serde_json::from_str(text),
        };
        state.map_err(|why| {
            let name = format!("the state of {}", upload.object());
            Error::of_kind(Operation::Inspect, name, ErrorKind::Broken, why)
        })
    }

    /// The bytes that it stands for.
    pub(super) fn size(&self) -> u64 {
        self.parts_size() + self.tail.as_ref().map_or(0, |tail| tail.size)
    }

    /// The bytes of the whole parts.
    pub(super) fn parts_size(&self) -> u64 {
        (self.parts().len() * PART) as u64
    }

    /// The whole parts.
    pub(super) fn parts(&self) -> &[Part] {
        self.multipart.as_ref().map_or(&[], |multipart| &multipart.parts)
    }

    /// The position that a caller keeps.
    pub(super) fn position(&self) -> Position {
        if *self == Self::default() {
            return Position::START;
        }
        Position {
            offset: self.size(),
            state: serde_json::to_string(self).unwrap_or_default(),
            durable: true,
        }
    }
}

impl Multipart {
    /// A number for the next part, above those that are there.
    pub(super) fn next_number(&self) -> u16 {
        let last = self.parts.last().map_or(0, |part| part.number);
        let (random, _) = Uuid::new_v4().as_u64_pair();
        last + 1 + u16::try_from(random % u64::from(SPREAD)).unwrap_or_default()
    }
}
