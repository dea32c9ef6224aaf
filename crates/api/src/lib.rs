//! wreg's own API, `/api/v1/…`: its paths and JSON models, for the server and for clients. No I/O.
//!
//! What the OCI distribution specification covers is in `wreg-oci`; here is what it does not know. Repositories are a query
//! parameter (`?repository=acme/hello`), since names hold slashes.

pub mod repository;
pub mod scope;
pub mod token;

pub use repository::{ImmutableTags, MissingReferences, Repository, RepositoryList, RepositorySettings, Visibility};
pub use scope::{Action, Actions, RepositoryPattern, TokenScope, TokenScopes};
pub use token::{CreatedToken, NewToken, Token, TokenList, TokenName};

/// `GET [?n=&last=]` → [`RepositoryList`], what the caller may see, ordered by name, at most 1000 a page and a `Link` to the next.
pub const REPOSITORIES: &str = "/api/v1/repositories";

/// `GET ?repository=` → [`Repository`]; `PATCH ?repository=` with [`RepositorySettings`] → [`Repository`] (made if it is not there).
pub const REPOSITORY: &str = "/api/v1/repository";

/// `GET` → [`TokenList`]; `POST` with [`NewToken`] → 201 [`CreatedToken`]; `DELETE ?id=` → [`TokenList`], what ended by it. For those
/// who administer the server.
pub const TOKENS: &str = "/api/v1/tokens";
