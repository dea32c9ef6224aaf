//! What is read of a log's tiles to prove something: which tiles, and the hashes that follow from them.
//!
//! Whoever reads tiles does so in between: first [`TilePath::tiles`], then [`TilePath::hashes`].

use std::{
    collections::{BTreeSet, HashMap},
    ops::Range,
};

use super::{
    merkle::{self, Hash, Node, consistency, inclusion, nodes},
    tile::{Tile, fold, tile_of},
};

/// The tiles of a log, by what they are.
pub type Tiles = HashMap<Tile, Vec<Hash>>;

/// A way through the tiles of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TilePath {
    size: u64,
    runs: Vec<Vec<Node>>,
}

impl TilePath {
    /// To the proof that an entry is in a tree of `size` entries. None if it is not.
    pub fn of_inclusion(index: u64, size: u64) -> Option<Self> {
        Some(Self::of(inclusion(index, size)?, size))
    }

    /// To the proof that a tree of `old` entries is the beginning of one of `new`. None where nothing proves that, and nothing needs to.
    pub fn of_consistency(old: u64, new: u64) -> Option<Self> {
        Some(Self::of(consistency(old, new)?, new))
    }

    /// To the root of a tree of `size` entries, in tiles of one of `there`, which is not smaller.
    pub fn of_root(size: u64, there: u64) -> Self {
        Self {
            size: there,
            runs: vec![nodes(0..size)],
        }
    }

    fn of(runs: Vec<Range<u64>>, size: u64) -> Self {
        Self {
            size,
            runs: runs.into_iter().map(nodes).collect(),
        }
    }

    /// The tiles that it leads through, each once.
    pub fn tiles(&self) -> BTreeSet<Tile> {
        let nodes = self.runs.iter().flatten();
        nodes.filter_map(|node| Some(tile_of(*node, self.size)?.0)).collect()
    }

    /// What the tiles give, one hash for each step. None if one is missing or too short.
    pub fn hashes(&self, tiles: &Tiles) -> Option<Vec<Hash>> {
        let of_node = |node: &Node| {
            let (tile, places) = tile_of(*node, self.size)?;
            fold(tiles.get(&tile)?.get(places)?)
        };
        let of_run = |run: &Vec<Node>| {
            let hashes: Option<Vec<Hash>> = run.iter().map(of_node).collect();
            Some(merkle::root(hashes?.into_iter()))
        };
        self.runs.iter().map(of_run).collect()
    }
}
