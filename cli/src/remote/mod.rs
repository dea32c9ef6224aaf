//! Artifacts in a registry: what they are made of, and whether what is said of them is true.

mod agreement;
mod artifact;
mod copier;
mod fetched;
mod wanted;

pub(crate) use agreement::mismatches;
pub(crate) use artifact::{Artifact, Config};
pub(crate) use copier::{Copier, Place};
pub(crate) use fetched::Fetched;
pub(crate) use wanted::Wanted;
