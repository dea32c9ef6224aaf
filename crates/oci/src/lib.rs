//! The vocabulary of OCI registries, for both ends: values that are valid by construction, and one grammar of URLs. No I/O.
//!
//! - [`digest`] · [`name`] · [`tag`] · [`media_type`]: the values. Text becomes one through `FromStr` and no other way.
//! - [`tag_or_digest`]: what a URL selects a manifest by. [`mod@reference`]: the whole string that a person types.
//! - [`descriptor`] · [`manifest`]: what a manifest says, read without ambiguity.
//! - [`wasm`]: the CNCF Wasm artifact, written so that the same input gives the same bytes. [`layout`]: the layouts in which Wasm comes.
//! - [`attached`]: what stands beside a manifest.
//! - [`version`]: tags that are semantic versions.
//! - [`endpoint`]: the specification's table end-1 … end-14; parsed by the server, displayed by clients.
//! - [`range`] · [`page`]: parts of blobs and of lists. [`error`]: the specification's codes and error body.

pub mod attached;
pub mod descriptor;
pub mod digest;
pub mod endpoint;
pub mod error;
mod json;
pub mod layout;
pub mod manifest;
pub mod media_type;
pub mod name;
pub mod page;
pub mod range;
pub mod reference;
pub mod tag;
pub mod tag_or_digest;
pub mod version;
pub mod wasm;

pub use attached::Attachment;
pub use descriptor::{Annotations, Descriptor};
pub use digest::{Algorithm, Digest, Hasher};
pub use endpoint::{Endpoint, InvalidEndpoint};
pub use error::{ErrorBody, ErrorCode, ErrorEntry};
pub use layout::{Layout, WasmLayer};
pub use manifest::Manifest;
pub use media_type::MediaType;
pub use name::RepositoryName;
pub use page::Page;
pub use reference::{Host, Reference};
pub use tag::Tag;
pub use tag_or_digest::TagOrDigest;
