//! Merkle trees over a list that only grows.
//!
//! Source: RFC 6962, section 2.1; RFC 9162, sections 2.1.3 and 2.1.4 for the checks.

use std::{fmt, ops::Range, str::FromStr};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha2::{Digest as _, Sha256};

/// A hash of an entry or of a tree: SHA-256. As text it is base64.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// Of a tree without entries.
    pub fn empty() -> Self {
        Self(Sha256::digest(b"").into())
    }

    /// Of an entry: a leaf.
    pub fn leaf(entry: &[u8]) -> Self {
        let mut hasher = Sha256::new_with_prefix([0]);
        hasher.update(entry);
        Self(hasher.finalize().into())
    }

    /// Of two trees side by side.
    pub fn node(left: Self, right: Self) -> Self {
        let mut hasher = Sha256::new_with_prefix([1]);
        hasher.update(left.0);
        hasher.update(right.0);
        Self(hasher.finalize().into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64_STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// A text that is no hash: not the base64 of 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not the base64 of a SHA-256 hash")]
pub struct NoHash;

impl FromStr for Hash {
    type Err = NoHash;

    fn from_str(text: &str) -> Result<Self, NoHash> {
        let bytes = BASE64_STANDARD.decode(text).map_err(|_| NoHash)?;
        bytes.try_into().map(Self).map_err(|_| NoHash)
    }
}

/// A subtree that is full: the `index`-th of those that have 2^`level` entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node {
    /// The height: 0 for an entry, at most 63.
    pub level: u8,
    /// Which one, from 0.
    pub index: u64,
}

/// The full subtrees that a run of entries consists of, the largest first. The run begins where a tree of its size can: at 0, or at a
/// multiple of the smallest power of two that is not smaller than its length.
pub fn nodes(entries: Range<u64>) -> Vec<Node> {
    let (mut start, mut rest) = (entries.start, entries.end.saturating_sub(entries.start));
    let mut nodes = Vec::new();
    while rest > 0 {
        let level = u8::try_from(rest.ilog2()).unwrap_or(63);
        nodes.push(Node {
            level,
            index: start >> level,
        });
        let size = 1 << level;
        start += size;
        rest -= size;
    }
    nodes
}

/// The hash of the tree that consists of full subtrees, the largest first; of nothing, that of the empty tree.
pub fn root(hashes: impl DoubleEndedIterator<Item = Hash>) -> Hash {
    let smallest_first = hashes.rev();
    smallest_first
        .reduce(|right, left| Hash::node(left, right))
        .unwrap_or_else(Hash::empty)
}

/// How an entry is proved to be in a tree: the runs of entries whose hashes make up the proof, in its order.
///
/// None if `index` is not below `size`.
pub fn inclusion(index: u64, size: u64) -> Option<Vec<Range<u64>>> {
    (index < size).then(|| {
        let mut path = Vec::new();
        let mut tree = 0..size;
        while tree.end - tree.start > 1 {
            let middle = tree.start + split(tree.end - tree.start);
            if index < middle {
                path.push(middle..tree.end);
                tree.end = middle;
            } else {
                path.push(tree.start..middle);
                tree.start = middle;
            }
        }
        path.reverse();
        path
    })
}

/// How a tree is proved to be the beginning of a larger one, in the same way.
///
/// None if `old` is 0 or larger than `new`: nothing proves that, and nothing needs to.
pub fn consistency(old: u64, new: u64) -> Option<Vec<Range<u64>>> {
    (0 < old && old <= new).then(|| {
        let mut path = Vec::new();
        let mut tree = 0..new;
        // Whether the old tree is all of the left side so far, whose hash the verifier has.
        let mut is_known = true;
        while old < tree.end {
            let middle = tree.start + split(tree.end - tree.start);
            if old <= middle {
                path.push(middle..tree.end);
                tree.end = middle;
            } else {
                path.push(tree.start..middle);
                tree.start = middle;
                is_known = false;
            }
        }
        if !is_known {
            path.push(tree);
        }
        path.reverse();
        path
    })
}

/// The largest power of two below `size`, which is 2 at least.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// The root that follows if an entry is in a tree. None if the proof has not the length that it must have.
pub fn root_of_inclusion(index: u64, size: u64, leaf: Hash, proof: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = leaf;
    let mut proof = proof.iter();
    while last > 0 {
        if node % 2 == 1 {
            hash = Hash::node(*proof.next()?, hash);
        } else if node < last {
            hash = Hash::node(hash, *proof.next()?);
        }
        node >>= 1;
        last >>= 1;
    }
    proof.next().is_none().then_some(hash)
}

/// Whether `proof` shows that the tree with the root `old_root` is the beginning of the one with `new_root`.
///
/// Of two trees of one size it is so if they are equal; the empty tree is the beginning of all. Neither has a proof.
pub fn is_consistent(old: u64, old_root: Hash, new: u64, new_root: Hash, proof: &[Hash]) -> bool {
    if old > new {
        return false;
    }
    if old == 0 {
        return proof.is_empty() && old_root == Hash::empty();
    }
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    roots_of_consistency(old, old_root, new, proof) == Some((old_root, new_root))
}

/// The roots that follow for both trees.
fn roots_of_consistency(old: u64, old_root: Hash, new: u64, proof: &[Hash]) -> Option<(Hash, Hash)> {
    let mut proof = proof.iter().copied();
    let (mut node, mut last) = (old - 1, new - 1);
    while node % 2 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let start = if node > 0 { proof.next()? } else { old_root };
    let (mut old_hash, mut new_hash) = (start, start);
    while last > 0 {
        if node % 2 == 1 {
            let left = proof.next()?;
            old_hash = Hash::node(left, old_hash);
            new_hash = Hash::node(left, new_hash);
        } else if node < last {
            new_hash = Hash::node(new_hash, proof.next()?);
        }
        node >>= 1;
        last >>= 1;
    }
    proof.next().is_none().then_some((old_hash, new_hash))
}

/// The right edge of a tree: enough to append to it. At most 64 hashes, whatever the size.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    /// Those of [`nodes`] of the whole.
    hashes: Vec<Hash>,
}

impl Frontier {
    /// Of a tree of `size` entries, from the hashes of its [`nodes`], in their order. None if there are more or fewer of them.
    pub fn new(size: u64, hashes: Vec<Hash>) -> Option<Self> {
        (hashes.len() == nodes(0..size).len()).then_some(Self { size, hashes })
    }

    /// How many entries there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The hashes that it consists of, those of [`nodes`].
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// The hash of the tree.
    pub fn root(&self) -> Hash {
        root(self.hashes.iter().copied())
    }

    /// Appends an entry by its leaf. Tells `full` the hash of each subtree that is full with it, from the leaf on upwards.
    pub fn append(&mut self, leaf: Hash, mut full: impl FnMut(Node, Hash)) {
        let mut node = Node {
            level: 0,
            index: self.size,
        };
        let mut hash = leaf;
        full(node, hash);
        while node.index % 2 == 1 {
            let Some(left) = self.hashes.pop() else { break };
            hash = Hash::node(left, hash);
            node = Node {
                level: node.level + 1,
                index: node.index / 2,
            };
            full(node, hash);
        }
        self.hashes.push(hash);
        self.size += 1;
    }
}
