//! Artifacts in a registry: what they are made of, and whether what is said of them is true.

mod agreement;
mod artifact;
mod copier;
mod fetched;

pub(crate) use agreement::mismatches;
pub(crate) use artifact::{Artifact, Config};
pub(crate) use copier::{Copier, Place};
pub(crate) use fetched::Fetched;
