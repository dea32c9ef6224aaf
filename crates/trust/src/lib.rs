//! What can be checked of an artifact without believing whoever serves it: signatures, statements and a transparency log, as bytes. No I/O.
//!
//! - [`signature`]: keys of ECDSA over P-256, the statements that they sign, and the two forms in which sigstore's tools find them.
//! - [`log`]: a Merkle tree of entries, the tiles that it is served in, checkpoints that are signed, and proofs.

pub mod log;
pub mod signature;
