//! Fetch and push by reference: credentials, token exchange, transfer, local store, verification. For the command and for
//! runtimes that embed it.
//!
//! - [`client`]: [`Client`], made once from [`ClientOptions`]. [`registry`]: [`Registry`], the operations at one registry.
//! - [`credentials`]: where secrets are kept, and for which host each is meant.
//! - `origin`: scheme, host and port; the border that no credential crosses. `auth`: challenges, token exchange, token cache.
//! - `http`: one request with authorisation, redirects, repetition and bounded answers; everything else speaks through it, and
//!   it says why the requests are not a library's.
//! - `transfer`: blobs, streamed, verified and resumed in both directions. [`store`]: what was verified once, by digest.
//! - [`trust`]: whether what is fetched may be used, by rules.
//! - [`error`]: what went wrong and where, with a hint. [`progress`]: for bars. [`retry`]: how often to try. `files`: files
//!   that appear whole or not at all.
//!
//! Nothing here reads the environment of its own accord, and nothing prints: warnings are `tracing` events.

mod auth;
pub mod client;
pub mod credentials;
pub mod error;
mod files;
mod http;
mod origin;
pub mod progress;
pub mod registry;
pub mod retry;
pub mod store;
mod transfer;
pub mod trust;

pub use client::{Client, ClientOptions};
pub use credentials::{CredentialSources, Credentials, Secret, StoredIn};
pub use error::Error;
pub use progress::{NoProgress, Progress};
pub use registry::{Check, FetchedManifest, FoundSignature, PackageMetadata, Proven, Registry, Signer, Trusted};
pub use retry::Retries;
pub use store::Store;
pub use transfer::{BlobSource, PulledBlob, PushedBlob};
