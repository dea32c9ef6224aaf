//! wreg's server.
//!
//! ```text
//! main ─► http ──► domain ──► metadata   (sqlx: SQLite, PostgreSQL)
//!           │         ├─────► storage    (files, object storage)
//!           │         ├─────► analyser   (a process that looks into WebAssembly)
//!           │         ├─────► witness    (servers of others that sign the log too)
//!           │         └─────► signer ──► auth::secret, metadata   (the registry's own keys)
//!           └──► auth ──────► metadata
//!         config, app: put together at start          clock: what time it is
//! ```
//!
//! Rows are layers, columns are nouns: to find code, take the noun (`manifests.rs`), then the layer. `http` never names
//! `metadata` or `storage`; `domain` names neither axum nor sqlx; `metadata` and `storage` do not know each other. A test
//! (`tests/api/architecture/`) keeps it so.

mod advisories;
mod analyser;
mod app;
pub mod auth;
mod clock;
pub mod config;
pub mod domain;
mod fsck;
pub mod http;
mod metadata;
mod metrics;
mod signer;
mod start;
mod storage;
mod tls;
mod witness;

pub use self::{
    advisories::AdvisoriesError,
    app::{App, StartError, Surroundings},
    clock::{Clock, Millis},
    start::{Command, run, serve},
    storage::{Faults, Operation},
    tls::{Reload, TlsError},
};
