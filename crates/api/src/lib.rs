//! wreg's own API, `/api/v1/…`: its paths and JSON models, for the server and for clients. No I/O.
//!
//! What the OCI distribution specification covers is in `wreg-oci`; here is what it does not know. Repositories are a query
//! parameter (`?repository=acme/hello`), since names hold slashes.

pub mod repository;

pub use repository::{ImmutableTags, MissingReferences, Repository, RepositoryList, RepositorySettings, Visibility};

/// `GET [?n=&last=]` → [`RepositoryList`], what the caller may see, ordered by name, at most 1000 a page and a `Link` to the next.
pub const REPOSITORIES: &str = "/api/v1/repositories";

/// `GET ?repository=` → [`Repository`]; `PATCH ?repository=` with [`RepositorySettings`] → [`Repository`] (made if it is not there).
pub const REPOSITORY: &str = "/api/v1/repository";
