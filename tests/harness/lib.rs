//! What the tests of both programs share. It depends on neither, so that a test sees only what a user would.
//!
//! - [`RegistryProcess`]: the server as a process of its own, on a free port and a temporary data folder.
//! - [`Log`]: what such a server tells of trouble.
//! - [`certificates`]: a certificate authority and what it signs.
//! - [`fixtures`]: real components from language toolchains, and small ones made from text in the process.
//! - [`private_memory`]: what a process has to itself.
//! - [`raw::Connection`]: HTTP/1.1 by hand, for what no client would send.
//! - [`database`] and [`object_storage`]: the PostgreSQL and the S3 server that the task runner brought up, if it did.
//! - [`sqlite`]: what an operator can do to a database. [`liar`]: a registry that lies. [`s3_proxy`]: an S3 server that fails on request. [`balancer`]: what stands in front of several servers.
//!
//! Everything here is for tests: what cannot go on panics and says why.

pub mod balancer;
pub mod certificates;
pub mod fixtures;
pub mod liar;
mod log;
mod memory;
mod not_run;
mod object_storage;
mod output;
pub mod raw;
mod registry;
pub mod s3_proxy;
pub mod sqlite;

pub use self::log::Log;
pub use self::memory::{peak_private_memory, private_memory};
pub use self::not_run::note as note_not_run;
pub use self::object_storage::{ObjectStorage, object_storage, object_storage_for_units};
pub use self::registry::{Builder, RefusedToStart, RegistryProcess, program, without_settings};

/// The `postgres://` URL to run the tests on, if this run is the one on PostgreSQL.
#[expect(
    clippy::disallowed_methods,
    reason = "the task runner speaks to tests through the environment"
)]
pub fn database() -> Option<String> {
    std::env::var("WREG_TEST_DATABASE").ok().filter(|url| !url.is_empty())
}
