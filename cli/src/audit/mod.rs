//! What is compared with a database of advisories, and how the database is read.
//!
//! ```text
//! lock.rs       the packages of a Cargo.lock       database.rs   the advisories in a folder, one by one
//! ```

mod database;
mod lock;

pub(crate) use database::{Compared, Database, Finding};
pub(crate) use lock::read as read_lock;
