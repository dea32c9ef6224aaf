//! The tiles of the log: written when they are full, and read from wherever they are.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use wreg_trust::log::{
    Frontier, Hash, Tile,
    tile::{self, HEIGHT, Row, WIDTH},
};

use super::{
    super::{Registry, Result},
    lost,
};
use crate::{
    metadata::log::{Batch, LogEntry},
    storage::LogKey,
};

/// How many tiles are written at a time.
const TOGETHER: usize = 8;

/// New hashes of a level, from the place of the first one.
type Grown = BTreeMap<u8, (u64, Vec<Hash>)>;

impl Registry {
    /// Makes everything durable that a checkpoint over this batch promises. Gives the tree that it is over.
    pub(super) async fn store_tiles(&self, batch: &Batch) -> Result<Frontier> {
        let mut frontier = batch.frontier.clone();
        let old_size = frontier.size();
        let mut grown = Grown::new();
        for LogEntry { entry, .. } in &batch.entries {
            frontier.append(Hash::leaf(entry.as_bytes()), |node, hash| {
                if node.level.is_multiple_of(HEIGHT) {
                    let (_, hashes) = grown
                        .entry(node.level / HEIGHT)
                        .or_insert_with(|| (node.index, Vec::new()));
                    hashes.push(hash);
                }
            });
        }
        let size = frontier.size();
        let mut files = Vec::new();
        if size / WIDTH > old_size / WIDTH {
            files.extend(self.full_entries(batch, size).await?);
        }
        for (level, (first, hashes)) in grown {
            // Those of the tile that the first one is in.
            let start = first / WIDTH * WIDTH;
            let mut all = self.hashes_before(level, first, old_size).await?;
            all.extend(hashes);
            for (index, hashes) in (start / WIDTH..).zip(all.chunks(256)) {
                let row = Row::Hashes(level);
                let width = hashes.len() as u64;
                if level == 0 && width < WIDTH {
                    self.log.put_edge(size, hashes.to_vec());
                    continue;
                }
                files.push((Tile { row, index, width }, to_bytes(hashes)));
            }
            if level == 0 && size.is_multiple_of(WIDTH) {
                self.log.put_edge(size, Vec::new());
            }
        }
        let written = stream::iter(files)
            .map(|(tile, bytes)| async move { self.storage.put_log(&LogKey::tile(tile), bytes).await });
        written.buffer_unordered(TOGETHER).try_collect::<()>().await?;
        Ok(frontier)
    }

    /// The bundles of entries that are full with this batch.
    async fn full_entries(&self, batch: &Batch, size: u64) -> Result<Vec<(Tile, Bytes)>> {
        let old_size = batch.frontier.size();
        let mut files = Vec::new();
        let start = old_size / WIDTH * WIDTH;
        let before = self.metadata.list_log_entries(start, old_size).await?;
        let all: Vec<&LogEntry> = before.iter().chain(&batch.entries).collect();
        for (index, entries) in (start / WIDTH..size / WIDTH).zip(all.chunks_exact(256)) {
            let tile = Tile {
                row: Row::Entries,
                index,
                width: WIDTH,
            };
            files.push((tile, bundle(entries.iter().copied())));
        }
        Ok(files)
    }

    /// The hashes of a level that stand before `first` in its tile.
    async fn hashes_before(&self, level: u8, first: u64, size: u64) -> Result<Vec<Hash>> {
        let width = first % WIDTH;
        if width == 0 {
            return Ok(Vec::new());
        }
        let tile = Tile {
            row: Row::Hashes(level),
            index: first / WIDTH,
            width,
        };
        let bytes = self.read_tile(tile, size).await?;
        tile::hashes(tile, &bytes).ok_or_else(lost)
    }

    /// The bytes of a tile as it is in a log of `size` entries.
    pub(super) async fn read_tile(&self, tile: Tile, size: u64) -> Result<Bytes> {
        if !tile.is_full() && matches!(tile.row, Row::Entries | Row::Hashes(0)) {
            return self.read_edge(tile, size).await;
        }
        if let Some(bytes) = self.log.tiles.get(&tile) {
            return Ok(bytes);
        }
        let bytes = self.storage.read_log(&LogKey::tile(tile)).await?.ok_or_else(lost)?;
        // Bundles of entries are larger, and not what proofs are made of.
        if tile.is_full() && tile.row != Row::Entries {
            self.log.tiles.insert(tile, bytes.clone());
        }
        Ok(bytes)
    }

    /// What is not full yet is told from the rows of its entries.
    async fn read_edge(&self, tile: Tile, size: u64) -> Result<Bytes> {
        if let Row::Hashes(_) = tile.row
            && let Some(hashes) = self.log.edge(size)
            && hashes.len() as u64 == tile.width
        {
            return Ok(to_bytes(&hashes));
        }
        let start = tile.index * WIDTH;
        let entries = self.metadata.list_log_entries(start, start + tile.width).await?;
        if entries.len() as u64 != tile.width {
            return Err(lost());
        }
        if tile.row == Row::Entries {
            return Ok(bundle(&entries));
        }
        let hashes: Vec<_> = entries.iter().map(|entry| Hash::leaf(entry.entry.as_bytes())).collect();
        let bytes = to_bytes(&hashes);
        if start + tile.width == size {
            self.log.put_edge(size, hashes);
        }
        Ok(bytes)
    }
}

fn bundle<'a>(entries: impl IntoIterator<Item = &'a LogEntry>) -> Bytes {
    let mut bytes = Vec::new();
    for LogEntry { entry, .. } in entries {
        // Entries are bounded far below.
        let _ = tile::push_entry(&mut bytes, entry.as_bytes());
    }
    bytes.into()
}

fn to_bytes(hashes: &[Hash]) -> Bytes {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// The first of what a tile holds that is wider. `None` if it is not so wide.
pub(super) fn first(tile: Tile, bytes: &Bytes) -> Option<Bytes> {
    let width = usize::try_from(tile.width).ok()?;
    let end = match tile.row {
        Row::Hashes(_) => width * 32,
        Row::Entries => {
            let mut end = 0;
            for _ in 0..width {
                let length = bytes.get(end..end + 2)?;
                end += 2 + usize::from(u16::from_be_bytes(length.try_into().ok()?));
            }
            end
        }
    };
    (end <= bytes.len()).then(|| bytes.slice(..end))
}
