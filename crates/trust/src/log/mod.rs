//! A transparency log: entries in an order, of which a short checkpoint says everything.
//!
//! - [`merkle`]: hashes of trees, and what proves that an entry is in one, or that one is the beginning of another.
//! - [`tile`]: the files in which a log is served. [`path`]: what is read of them.
//! - [`entry`]: what a registry writes into it.
//! - [`note`] · [`checkpoint`]: what is signed. [`proof`]: all that it takes to check an entry offline.
//! - [`witness`]: what others are asked who sign it too.
//!
//! Source: C2SP tlog-tiles, tlog-checkpoint, signed-note, tlog-cosignature, tlog-witness and tlog-proof (c2sp.org); RFC 6962, section 2.1.

pub mod checkpoint;
pub mod entry;
pub mod merkle;
pub mod note;
pub mod path;
pub mod proof;
pub mod tile;
pub mod witness;

pub use checkpoint::Checkpoint;
pub use entry::Entry;
pub use merkle::{Frontier, Hash};
pub use note::{NoteKey, SignedNote, Verifier};
pub use path::{TilePath, Tiles};
pub use proof::Proof;
pub use tile::Tile;
pub use witness::AddCheckpoint;
