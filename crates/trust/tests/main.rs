//! What can be checked, against others' implementations of the same.

mod keyless;
mod log;
mod signature;
mod witness;
