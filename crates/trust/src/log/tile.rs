//! Tiles: the files in which a log is served, each of which is written once.
//!
//! Source: C2SP tlog-tiles.

use std::{fmt, str::FromStr};

use super::merkle::{Hash, Node};

/// How many levels of the tree a tile has.
pub const HEIGHT: u8 = 8;
/// How many hashes or entries a full one holds.
pub const WIDTH: u64 = 256;
/// The most bytes of an entry.
pub const MAX_ENTRY: usize = u16::MAX as usize;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Row {
    /// Entries.
    Entries,
    /// Hashes of the tree at eight times this level, 0 to 7: higher ones would need more entries than can be counted.
    Hashes(u8),
}

/// One tile. As text its path below the log: `tile/0/x001/234`, `tile/entries/000.p/7`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tile {
    /// What it holds.
    pub row: Row,
    /// Which one, from 0.
    pub index: u64,
    /// How many it holds, from 1 to 256. Below 256 it is a partial one.
    pub width: u64,
}

impl Tile {
    /// Whether it holds as many as fit.
    pub fn is_full(self) -> bool {
        self.width == WIDTH
    }

    /// The same, as it is in a tree of `size` entries; `None` if it is not there.
    pub fn in_tree(row: Row, index: u64, size: u64) -> Option<Self> {
        let there = match row {
            Row::Entries => size,
            Row::Hashes(level) => size.checked_shr(u32::from(level) * u32::from(HEIGHT)).unwrap_or(0),
        };
        let width = there.saturating_sub(index.checked_mul(WIDTH)?).min(WIDTH);
        (width > 0).then_some(Self { row, index, width })
    }
}

/// Where the hash of a subtree is: a tile in a tree of `size` entries, and the places in it of the hashes that it follows from.
pub fn tile_of(node: Node, size: u64) -> Option<(Tile, std::ops::Range<usize>)> {
    let (level, above) = (node.level / HEIGHT, node.level % HEIGHT);
    let first = node.index.checked_shl(u32::from(above))?;
    let start = usize::try_from(first % WIDTH).ok()?;
    let tile = Tile::in_tree(Row::Hashes(level), first / WIDTH, size)?;
    let places = start..start + (1 << above);
    (places.end as u64 <= tile.width).then_some((tile, places))
}

/// The hash of a full subtree from those below it, of which there are a power of two.
pub fn fold(hashes: &[Hash]) -> Option<Hash> {
    match hashes {
        [] => None,
        [one] => Some(*one),
        more => {
            let (left, right) = more.split_at(more.len() / 2);
            Some(Hash::node(fold(left)?, fold(right)?))
        }
    }
}

/// The hashes in the bytes of a tile. None if they are not as many as it holds.
pub fn hashes(tile: Tile, bytes: &[u8]) -> Option<Vec<Hash>> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    (rest.is_empty() && hashes.len() as u64 == tile.width).then(|| hashes.iter().copied().map(Hash).collect())
}

/// The entries in the bytes of a tile. None if they are not as many as it holds.
pub fn entries(tile: Tile, mut bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let (entry, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry);
        bytes = rest;
    }
    (bytes.is_empty() && entries.len() as u64 == tile.width).then_some(entries)
}

/// Appends an entry to the bytes of a tile. False if it has more than [`MAX_ENTRY`] bytes; then nothing is appended.
#[must_use]
pub fn push_entry(bytes: &mut Vec<u8>, entry: &[u8]) -> bool {
    let Ok(length) = u16::try_from(entry.len()) else {
        return false;
    };
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(entry);
    true
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row {
            Row::Entries => f.write_str("tile/entries/")?,
            Row::Hashes(level) => write!(f, "tile/{level}/")?,
        }
        let mut groups = vec![format!("{:03}", self.index % 1000)];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(format!("x{:03}", rest % 1000));
            rest /= 1000;
        }
        groups.reverse();
        f.write_str(&groups.join("/"))?;
        if !self.is_full() {
            write!(f, ".p/{}", self.width)?;
        }
        Ok(())
    }
}

/// A path that is not the one of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not the path of a tile")]
pub struct NoTile;

impl FromStr for Tile {
    type Err = NoTile;

    fn from_str(path: &str) -> Result<Self, NoTile> {
        let rest = path.strip_prefix("tile/").ok_or(NoTile)?;
        let (row, rest) = rest.split_once('/').ok_or(NoTile)?;
        let row = match row {
            "entries" => Row::Entries,
            level => Row::Hashes(level.parse().map_err(|_| NoTile)?),
        };
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, width.parse().map_err(|_| NoTile)?),
            None => (rest, WIDTH),
        };
        let mut number: u64 = 0;
        for group in index.split('/') {
            let digits = group.strip_prefix('x').unwrap_or(group);
            let digits: u64 = digits.parse().map_err(|_| NoTile)?;
            number = number
                .checked_mul(1000)
                .and_then(|number| number.checked_add(digits))
                .ok_or(NoTile)?;
        }
        let tile = Self {
            row,
            index: number,
            width,
        };
        // There is one way to write each, and what is written otherwise is none.
        let is_one = width > 0 && !matches!(row, Row::Hashes(8..)) && tile.to_string() == path;
        is_one.then_some(tile).ok_or(NoTile)
    }
}
