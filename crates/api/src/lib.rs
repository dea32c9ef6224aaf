//! wreg's own API, `/api/v1/…`: its paths and JSON models, for the server and for clients. No I/O.
//!
//! What the OCI distribution specification covers is in `wreg-oci`; here is what it does not know. Repositories are a query
//! parameter (`?repository=acme/hello`), since names hold slashes.

pub mod check;
pub mod collection;
pub mod deletion;
pub mod key;
pub mod repository;
pub mod scope;
pub mod token;

pub use check::{CheckLine, Checked, Finding, FindingKind};
pub use collection::{Collected, Counts, LooseBlob};
pub use deletion::{Deleted, DeletedKind, DeletedList, Undeleted};
pub use key::{Key, KeyList, KeyState};
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

/// `POST [?dry_run=true][&cursor=]` → [`Collected`], a bounded part of a collection; `cursor` is the `next` of the part before.
pub const COLLECTION: &str = "/api/v1/admin/gc";

/// `GET ?repository=[&last=]` → [`DeletedList`], what can be brought back; `POST ?repository=&reference=<tag or digest>` → [`Undeleted`].
pub const DELETED: &str = "/api/v1/deleted";

/// `GET` → [`KeyList`]; `POST` → [`KeyList`], after the keys of all servers were retired. For those who administer the server.
pub const KEYS: &str = "/api/v1/keys";

/// `POST [?deep=true][&repair=true]` → lines of [`CheckLine`], the last of them [`CheckLine::Checked`]; empty lines say that it goes on.
pub const CHECK: &str = "/api/v1/admin/fsck";
