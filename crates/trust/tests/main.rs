//! What can be checked, against others' implementations of the same.

mod log;
mod signature;
