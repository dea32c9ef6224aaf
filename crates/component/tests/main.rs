//! What the crate answers to components that are made here, from WAT and WIT text, and to what is not one.

mod advisories;
mod agreement;
mod analysis;
mod compat;
mod features;
mod hostile;
mod inspect;
mod large;
mod packages;
mod real;
mod samples;
mod sbom;
mod shipped;
mod threads;
mod validate;
mod wit;
