//! Where a pass goes on: a phase, and the last key that it has dealt with.

use std::{fmt, str::FromStr};

/// The phases of a pass, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Manifests follow their deleted subject.
    Followers,
    /// What was deleted long ago goes for good.
    Purge,
    /// Repositories let go of blobs that nothing there is made of.
    Links,
    /// Blobs that nobody holds are given up.
    Blobs,
    /// The bytes of blobs that were given up go.
    Bytes,
}

const PHASES: [(Phase, &str); 5] = [
    (Phase::Followers, "followers"),
    (Phase::Purge, "purge"),
    (Phase::Links, "links"),
    (Phase::Blobs, "blobs"),
    (Phase::Bytes, "bytes"),
];

/// Where a pass goes on. Its text is for the same server version to read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    pub(super) phase: Phase,
    pub(super) after: [String; 3],
}

impl Default for Cursor {
    /// The beginning.
    fn default() -> Self {
        Self::at(Phase::Followers)
    }
}

impl Cursor {
    /// The beginning of a phase.
    pub(super) fn at(phase: Phase) -> Self {
        Self {
            phase,
            after: Default::default(),
        }
    }

    /// The same phase after the row with this key.
    pub(super) fn after(&self, key: [String; 3]) -> Self {
        Self {
            phase: self.phase,
            after: key,
        }
    }

    /// The beginning of the next phase, if there is one.
    pub(super) fn next_phase(&self) -> Option<Self> {
        let at = PHASES.iter().position(|(phase, _)| *phase == self.phase)?;
        PHASES.get(at + 1).map(|(phase, _)| Self::at(*phase))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = PHASES
            .iter()
            .find_map(|(phase, name)| (*phase == self.phase).then_some(*name));
        let [first, second, third] = &self.after;
        write!(f, "{}|{first}|{second}|{third}", name.unwrap_or_default())
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let mut parts = text.split('|');
        let name = parts.next().unwrap_or_default();
        let phase = PHASES.iter().find(|(_, known)| *known == name).ok_or(InvalidCursor)?.0;
        let mut key = || parts.next().map(str::to_owned).ok_or(InvalidCursor);
        let after = [key()?, key()?, key()?];
        match parts.next() {
            // PostgreSQL takes no NUL, and no key has one.
            None if !text.contains('\0') => Ok(Self { phase, after }),
            _ => Err(InvalidCursor),
        }
    }
}

/// A text that says nowhere to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor: leave it out to begin, and then give what `next` said")]
pub struct InvalidCursor;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let mut cursor = Some(Cursor::default());
        let mut phases = 0;
        while let Some(at) = cursor {
            let at = at.after(["acme/hello".to_owned(), "sha256:00".to_owned(), String::new()]);
            assert_eq!(at.to_string().parse(), Ok(at.clone()));
            phases += 1;
            cursor = at.next_phase();
        }
        assert_eq!(phases, PHASES.len());
        for wrong in ["", "blobs", "blobs|||x|", "x|||", "blobs|\0||"] {
            assert_eq!(wrong.parse::<Cursor>(), Err(InvalidCursor), "{wrong}");
        }
    }
}
