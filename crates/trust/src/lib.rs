//! What can be checked of an artifact without believing whoever serves it: signatures, statements and a transparency log, as bytes. No I/O.
//!
//! - [`signature`]: keys of ECDSA over P-256, the statements that they sign, and the two forms in which sigstore's tools find them.
//! - [`log`]: a Merkle tree of entries, the tiles that it is served in, checkpoints that are signed, and proofs.
//! - [`publication`]: what a registry states of what it accepts. [`attachment`]: how all of this stands beside an artifact.
//! - [`anchors`]: what a registry says of itself. [`policy`]: what somebody wants to see. [`logged`]: whether a log holds a tag.

pub mod anchors;
pub mod attachment;
pub mod log;
pub mod logged;
pub mod policy;
pub mod publication;
pub mod signature;
