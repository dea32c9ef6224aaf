//! Byte ranges: of a blob that is read, of a chunk that is written.
//!
//! Sources: RFC 9110 section 14 for reading; OCI distribution specification, "Pushing a blob in chunks" (end-5), for writing.

use std::{fmt, ops::Range, str::FromStr};

/// A `Range` header that asks for one run of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteRange {
    /// `bytes=first-last`, both inclusive. `last` may lie before `first`: that is a range of nothing, and unsatisfiable.
    FromTo(u64, u64),
    /// `bytes=first-`.
    From(u64),
    /// `bytes=-length`: the last bytes.
    Last(u64),
}

impl ByteRange {
    /// Reads a `Range` header. `None` means that the header is to be ignored and the whole answered with 200, as RFC 9110
    /// section 14.2 allows for units that are not understood, for several ranges, and for what is not a range at all.
    pub fn parse(header: &str) -> Option<Self> {
        let range = header.trim().strip_prefix("bytes=")?;
        let (first, last) = range.split_once('-')?;
        match (first, last) {
            ("", last) => Some(Self::Last(decimal(last)?)),
            (first, "") => Some(Self::From(decimal(first)?)),
            (first, last) => Some(Self::FromTo(decimal(first)?, decimal(last)?)),
        }
    }

    /// The bytes that it selects of something `size` bytes long, end exclusive; `None` if it selects none (416).
    pub fn of(self, size: u64) -> Option<Range<u64>> {
        let range = match self {
            Self::FromTo(first, last) => first..last.saturating_add(1).min(size),
            Self::From(first) => first..size,
            Self::Last(length) => size.saturating_sub(length)..size,
        };
        (range.start < range.end).then_some(range)
    }
}

impl fmt::Display for ByteRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FromTo(first, last) => write!(f, "bytes={first}-{last}"),
            Self::From(first) => write!(f, "bytes={first}-"),
            Self::Last(length) => write!(f, "bytes=-{length}"),
        }
    }
}

/// The `Content-Range` of a chunk, in the specification's form `first-last`, both inclusive, without a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentRange {
    /// Offset of the first byte.
    pub first: u64,
    /// Offset of the last byte; never before `first`.
    pub last: u64,
}

impl ContentRange {
    /// The number of bytes that it spans: at least 1.
    pub fn length(self) -> u64 {
        (self.last - self.first).saturating_add(1)
    }
}

impl fmt::Display for ContentRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

impl FromStr for ContentRange {
    type Err = InvalidContentRange;

    fn from_str(text: &str) -> Result<Self, InvalidContentRange> {
        let (first, last) = text.split_once('-').ok_or(InvalidContentRange)?;
        let (first, last) = decimal(first).zip(decimal(last)).ok_or(InvalidContentRange)?;
        if first <= last {
            Ok(Self { first, last })
        } else {
            Err(InvalidContentRange)
        }
    }
}

/// Digits alone: `u64::from_str` would also take a leading `+`.
fn decimal(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

/// A `Content-Range` that is not `first-last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the Content-Range of a chunk is written first-last, for example 0-1023")]
pub struct InvalidContentRange;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// **R01** First byte, last bytes, from an offset, the last byte → exactly those bytes.
    #[test]
    fn ranges_select_what_they_name() {
        for (header, size, selected) in [
            ("bytes=0-0", 10, Some(0..1)),
            ("bytes=-1", 10, Some(9..10)),
            ("bytes=5-", 10, Some(5..10)),
            ("bytes=9-9", 10, Some(9..10)),
            ("bytes=5-99", 10, Some(5..10)),
            ("bytes=-99", 10, Some(0..10)),
            ("bytes=0-18446744073709551615", 10, Some(0..10)),
        ] {
            assert_eq!(ByteRange::parse(header).expect(header).of(size), selected, "{header}");
        }
    }

    /// **R02** A start at or beyond the end, anything of an empty blob → unsatisfiable.
    #[test]
    fn ranges_beyond_the_end_select_nothing() {
        for (header, size) in [
            ("bytes=10-", 10),
            ("bytes=10-12", 10),
            ("bytes=0-0", 0),
            ("bytes=-1", 0),
            ("bytes=-0", 10),
        ] {
            assert_eq!(ByteRange::parse(header).expect(header).of(size), None, "{header}");
        }
    }

    /// **R03** Unknown units, junk, numbers beyond 64 bits, several ranges → the header is ignored; `5-2` → unsatisfiable.
    #[test]
    fn what_is_not_one_byte_range_is_ignored() {
        for header in [
            "",
            "bytes",
            "lines=0-1",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=0-1,3-4",
            "bytes=+1-2",
            "bytes=18446744073709551616-",
        ] {
            assert_eq!(ByteRange::parse(header), None, "{header}");
        }
        assert_eq!(ByteRange::parse("bytes=5-2").expect("a range").of(10), None);
    }

    /// **U02** A Content-Range with a unit, reversed, negative or open → refused.
    #[test]
    fn chunk_ranges_outside_the_grammar_are_refused() {
        for text in [
            "",
            "5",
            "-",
            "5-",
            "-5",
            "5-0",
            "bytes 0-5",
            "bytes=0-5",
            "0-5/6",
            "+0-5",
            "0-18446744073709551616",
        ] {
            assert_eq!(text.parse::<ContentRange>(), Err(InvalidContentRange), "{text}");
        }
    }

    proptest! {
        #[test]
        fn display_and_parse_are_inverse(first: u64, length in 0..1000u64) {
            let range = ContentRange { first, last: first.saturating_add(length) };
            prop_assert_eq!(range.to_string().parse(), Ok(range));
        }
    }
}
