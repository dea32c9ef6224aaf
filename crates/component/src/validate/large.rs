//! Large data and custom sections, which are validated without being held.
//!
//! wasmparser wants such a section whole, and its parser cannot be told to skip one. Nothing in a custom section counts but
//! its name, and nothing in a data segment but how it begins. So these are checked here, and the parser is shown empty custom
//! sections of exactly the same length instead: it ends in the same state, at the same offset, with the same limits checked.

use wasmparser::{
    BinaryReader, Chunk, ConstExpr, CustomSectionReader, DataSectionReader, Encoding, Parser, WasmFeatures,
};

use super::gate::Step;
use crate::invalid::Invalid;

/// Sections up to this size, in bytes, go the ordinary way.
const LARGE: usize = 64 << 10;

/// The longest name that wasmparser accepts, and its length prefix, in bytes.
const NAME: usize = 100_000 + MAX_LEB;

/// The most data segments that wasmparser accepts.
const MAX_DATA_SEGMENTS: u32 = 100_000;

/// The longest encoding of a 32-bit number, in bytes.
const MAX_LEB: usize = 5;

const CUSTOM: u8 = 0;
const DATA: u8 = 11;

/// A large section that has begun.
pub(super) struct Large {
    /// How many of the next bytes say nothing.
    skip: u64,
    /// What follows them in a data section.
    segments: Segments,
    features: WasmFeatures,
}

struct Segments {
    count: u32,
    /// How many bytes of the section they have, those to skip not counted.
    left: u64,
}

pub(super) enum Begin {
    No,
    Wants(usize),
    Yes { large: Large, took: usize },
}

impl Large {
    /// Whether a large section begins at the start of `bytes`, where `parser`, which is between sections, stands.
    pub(super) fn begin(parser: &mut Parser, encoding: Encoding, bytes: &[u8]) -> Result<Begin, Invalid> {
        // A header that is cut off or malformed is the parser's to judge.
        let Some((id, (length, digits))) = bytes.split_first().and_then(|(id, rest)| Some((*id, leb(rest)?))) else {
            return Ok(Begin::No);
        };
        let head = 1 + digits;
        let total = head as u64 + u64::from(length);
        let is_data = id == DATA && encoding == Encoding::Module;
        if total <= LARGE as u64 || !(is_data || id == CUSTOM) {
            return Ok(Begin::No);
        }
        // The header alone: the parser checks the order of sections, and that this one fits into what is around it.
        parser.parse(&bytes[..head], false)?;
        if is_data {
            return Self::begin_data(parser, bytes, head, u64::from(length));
        }
        let window = usize::try_from(total).unwrap_or(usize::MAX).min(head + NAME);
        if bytes.len() < window {
            return Ok(Begin::Wants(window));
        }
        CustomSectionReader::new(parser.binary_reader(&bytes[head..window], parser.offset() + head as u64))?;
        pass_over(parser, total)?;
        let segments = Segments { count: 0, left: 0 };
        Ok(Begin::Yes {
            large: Self {
                skip: total,
                segments,
                features: parser.features(),
            },
            took: 0,
        })
    }

    fn begin_data(parser: &mut Parser, bytes: &[u8], head: usize, length: u64) -> Result<Begin, Invalid> {
        if bytes.len() < head + MAX_LEB {
            return Ok(Begin::Wants(head + MAX_LEB));
        }
        let at = parser.offset() + head as u64;
        let Some((count, digits)) = leb(&bytes[head..]) else {
            return Err(Invalid::malformed(at, "the number of data segments is not a number"));
        };
        if count > MAX_DATA_SEGMENTS {
            return Err(Invalid::malformed(
                at,
                &format!("data segments count exceeds limit of {MAX_DATA_SEGMENTS}"),
            ));
        }
        // The same section with nothing behind the count, so that the parser learns the count.
        let mut section = vec![DATA];
        section.extend(padded_leb(digits, head - 1));
        section.extend_from_slice(&bytes[head..head + digits]);
        parser.parse(&section, false)?;
        let left = length - digits as u64;
        pass_over(parser, left)?;
        let large = Self {
            skip: 0,
            segments: Segments { count, left },
            features: parser.features(),
        };
        Ok(Begin::Yes {
            large,
            took: head + digits,
        })
    }

    /// Whether the section ends behind the bytes taken so far.
    pub(super) fn is_inside(&self) -> bool {
        self.skip > 0 || self.segments.left > 0
    }

    /// Reads on in `bytes`, which begin at offset `at` of the file; `None` at the end of the section.
    pub(super) fn step(
        &mut self,
        bytes: &[u8],
        at: u64,
        validator: &mut wasmparser::Validator,
    ) -> Result<Option<Step>, Invalid> {
        if self.skip > 0 {
            let count = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
            self.skip -= count as u64;
            return Ok(Some(if count == 0 { Step::Wants(1) } else { Step::Took(count) }));
        }
        let left = usize::try_from(self.segments.left).unwrap_or(usize::MAX);
        match (self.segments.count, left) {
            (0, 0) => return Ok(None),
            (0, _) => return Err(Invalid::malformed(at, "unexpected data at the end of the section")),
            _ => {}
        }
        let seen = &bytes[..bytes.len().min(left)];
        let segment = match Segment::read(BinaryReader::new_features(seen, at, self.features)) {
            Ok(segment) => segment,
            // Whether more bytes would help is not known, so it is tried, with twice as many each time.
            Err(_) if seen.len() < left => return Ok(Some(Step::Wants(left.min((2 * seen.len()).max(32))))),
            Err(error) => return Err(error.into()),
        };
        let size = segment.head as u64 + u64::from(segment.length);
        if size > self.segments.left {
            return Err(Invalid::malformed(at, "the data segment is longer than its section"));
        }
        // A section with this segment alone, and without its bytes.
        let mut section = vec![1];
        section.extend_from_slice(&seen[..segment.before_length]);
        section.push(0);
        let section = DataSectionReader::new(BinaryReader::new_features(
            &section,
            at.saturating_sub(1),
            self.features,
        ))?;
        validator.data_section(&section)?;
        self.segments.count -= 1;
        self.segments.left -= size;
        self.skip = u64::from(segment.length);
        Ok(Some(Step::Took(segment.head)))
    }
}

/// What stands before the bytes of a data segment.
struct Segment {
    /// The size of all of it, in bytes.
    head: usize,
    /// Its size without the length of the segment.
    before_length: usize,
    length: u32,
}

impl Segment {
    /// Source: WebAssembly core specification 3.0, section 5.5.14, "Data Section".
    fn read(mut reader: BinaryReader<'_>) -> Result<Self, wasmparser::Error> {
        let flags = reader.read_var_u32()?;
        if flags == 2 {
            reader.read_var_u32()?;
        }
        // Any other flag is wrong, and the validator says so.
        if matches!(flags, 0 | 2) {
            reader.read::<ConstExpr<'_>>()?;
        }
        let before_length = reader.current_position();
        let length = reader.read_var_u32()?;
        Ok(Self {
            head: reader.current_position(),
            before_length,
            length,
        })
    }
}

/// Moves `parser` past `count` bytes, at least 64 KiB of them, without showing them to it.
fn pass_over(parser: &mut Parser, mut count: u64) -> Result<(), Invalid> {
    /// Identifier, size in full width, an empty name.
    const EMPTY: usize = 1 + MAX_LEB + 1;
    let mut filler = vec![0; LARGE];
    while count > 0 {
        let mut piece = usize::try_from(count).unwrap_or(LARGE).min(LARGE);
        let rest = count - piece as u64;
        if (1..EMPTY as u64).contains(&rest) {
            piece -= EMPTY;
        }
        filler[1..=MAX_LEB].copy_from_slice(&padded_leb(piece - 1 - MAX_LEB, MAX_LEB));
        match parser.parse(&filler[..piece], false)? {
            Chunk::Parsed { consumed, .. } if consumed == piece => count -= piece as u64,
            _ => return Err(Invalid::malformed(parser.offset(), "unexpected end-of-file")),
        }
    }
    Ok(())
}

/// The number at the start of `bytes` and how many of them it takes; `None` if it is cut off or not of 32 bits.
fn leb(bytes: &[u8]) -> Option<(u32, usize)> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(MAX_LEB).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((u32::try_from(value).ok()?, index + 1));
        }
    }
    None
}

/// `value` as a number of exactly `digits` bytes; those that it does not need are padding.
fn padded_leb(value: usize, digits: usize) -> Vec<u8> {
    (0..digits)
        .map(|index| {
            let [byte, ..] = (value >> (7 * index)).to_le_bytes();
            if index + 1 < digits { byte | 0x80 } else { byte & 0x7f }
        })
        .collect()
}
