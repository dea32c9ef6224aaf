//! wreg's own API, `/api/v1/…`: its paths and JSON models, for the server and for clients. No I/O.
//!
//! What the OCI distribution specification covers is in `wreg-oci`; here is what it does not know. Repositories are a query
//! parameter (`?repository=acme/hello`), since names hold slashes.

pub mod check;
pub mod collection;
pub mod component;
pub mod deletion;
pub mod event;
pub mod key;
pub mod namespace;
#[cfg(feature = "schema")]
mod openapi;
#[cfg(feature = "schema")]
pub mod operations;
pub mod publication;
mod repository;
pub mod scope;
pub mod search;
pub mod token;
pub mod version;
mod words;

pub use check::{CheckLine, Checked, Finding, FindingKind};
pub use collection::{Collected, Counts, LooseBlob};
pub use component::{Component, ComponentFinding, ComponentFindingCode, ComponentState};
pub use deletion::{Deleted, DeletedKind, DeletedList, Undeleted};
pub use event::{Event, EventList, TagChange, TagHistory};
pub use key::{Key, KeyList, KeyState, SigningKey, SigningKeyAction, SigningKeyList};
pub use namespace::{Namespace, NamespaceList, NamespaceSettings, NamespaceSigning, Policy, Signing, Versions};
#[cfg(feature = "schema")]
pub use openapi::openapi;
pub use publication::{LogSalt, Publication};
pub use repository::{
    ComponentPolicy, ImmutableTags, MissingReferences, Repository, RepositoryList, RepositorySettings, Visibility,
};
pub use scope::{Action, Actions, RepositoryPattern, TokenScope, TokenScopes};
pub use search::{Found, FoundList};
pub use token::{CreatedToken, NewToken, Token, TokenList, TokenName};
pub use version::{Advisory, Deprecated, MarkChange, Marks, Resolved, Version, VersionList, Yanked};
pub use words::UnknownWord;

/// `GET` → the description of this API, as an OpenAPI document.
pub const OPENAPI: &str = "/api/v1/openapi.json";

/// `GET [?n=&last=]` → [`RepositoryList`], what the caller may see, ordered by name, at most 1000 a page and a `Link` to the next.
pub const REPOSITORIES: &str = "/api/v1/repositories";

/// `GET ?repository=` → [`Repository`]; `PATCH ?repository=` with [`RepositorySettings`] → [`Repository`] (made if it is not there).
pub const REPOSITORY: &str = "/api/v1/repository";

/// `GET [?n=&last=]` → [`NamespaceList`], those of the repositories that the caller may see, and for those who administer the server all
/// that have settings; at most 1000 a page and a `Link` to the next.
pub const NAMESPACES: &str = "/api/v1/namespaces";

/// `GET ?namespace=` → [`Namespace`]; `PATCH ?namespace=` with [`NamespaceSettings`] → [`Namespace`], for those who administer the server.
pub const NAMESPACE: &str = "/api/v1/namespace";

/// `GET ?repository=&reference=<tag or digest>` → [`Component`]; 404 if it is no Wasm artifact.
pub const COMPONENT: &str = "/api/v1/component";

/// `GET ?repository=&reference=<tag or digest>` → the WIT of a Wasm artifact, as text.
pub const WIT: &str = "/api/v1/wit";

/// `GET ?repository=` → [`VersionList`]: the tags that are semantic versions.
pub const VERSIONS: &str = "/api/v1/versions";

/// `GET ?repository=[&req=<requirement>]` → [`Resolved`], the highest version that the requirement allows and that is not yanked.
pub const RESOLVE: &str = "/api/v1/resolve";

/// `POST ?repository=&reference=<tag or digest>` with a [`MarkChange`] → [`Marks`], as they are then.
pub const MARKS: &str = "/api/v1/marks";

/// `GET [?q=][&exports=][&imports=][&world=][&imports_only=][&language=][&license=][&kind=][&max_size=][&n=][&cursor=]` → [`FoundList`] of
/// what the caller may see, and a `Link` to the next page.
pub const SEARCH: &str = "/api/v1/search";

/// `GET [?after=<number>]` → [`EventList`]; with `Accept: text/event-stream` a stream of [`Event`], from `Last-Event-ID` or `after` on, else
/// from now on.
pub const EVENTS: &str = "/api/v1/events";

/// `GET ?repository=&tag=` → [`TagHistory`].
pub const HISTORY: &str = "/api/v1/history";

/// `GET ?repository=&reference=<tag or digest>[&wait=<seconds>]` → [`Publication`]; with `wait`, 30 at the most, once it is done or that
/// time is over.
pub const PUBLICATION: &str = "/api/v1/publication";

/// `GET ?repository=` → [`LogSalt`]: what the name of a repository that is not public is hashed with in the log.
pub const LOG_SALT: &str = "/api/v1/log-salt";

/// `GET` → [`SigningKeyList`]; `POST ?action=announce` makes the next key, `?action=activate` has it sign from then on. For those who
/// administer the server.
pub const SIGNING_KEYS: &str = "/api/v1/signing-keys";

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
