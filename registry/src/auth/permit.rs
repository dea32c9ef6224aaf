//! Permits: proof that somebody may do something to a repository.
//!
//! The fields are private to `auth/`, so no other code can make one:
//!
//! ```compile_fail,E0451
//! use wreg_registry::auth::{Actor, Permit, permit::Push};
//! let forged = Permit::<Push> { repository: "acme/hello".parse().unwrap(), actor: Actor::Anonymous, action: std::marker::PhantomData };
//! ```

use std::marker::PhantomData;

use wreg_oci::RepositoryName;

use super::identity::Actor;

/// What can be done to a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Right {
    /// Read blobs, manifests, tags and referrers.
    Pull,
    /// Write them.
    Push,
    /// Take them away.
    Delete,
    /// Change settings.
    Administer,
}

impl Right {
    /// The word in scopes and tokens, as the token authentication specification has it; `*` stands for all.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Delete => "delete",
            Self::Administer => "*",
        }
    }
}

/// A right as a type, so that a permit to read is no permit to write.
pub trait Action: Send + Sync + 'static {
    /// The right.
    const RIGHT: Right;
}

/// See [`Right::Pull`].
#[derive(Debug)]
pub struct Pull;
/// See [`Right::Push`].
#[derive(Debug)]
pub struct Push;
/// See [`Right::Delete`].
#[derive(Debug)]
pub struct Delete;
/// See [`Right::Administer`].
#[derive(Debug)]
pub struct Administer;

impl Action for Pull {
    const RIGHT: Right = Right::Pull;
}
impl Action for Push {
    const RIGHT: Right = Right::Push;
}
impl Action for Delete {
    const RIGHT: Right = Right::Delete;
}
impl Action for Administer {
    const RIGHT: Right = Right::Administer;
}

/// Proof that `actor` may do `A` to `repository`. The only place where handlers get a repository's name from.
#[derive(Debug)]
pub struct Permit<A> {
    pub(super) repository: RepositoryName,
    pub(super) actor: Actor,
    pub(super) action: PhantomData<A>,
}

impl<A> Permit<A> {
    /// What it is for.
    pub fn repository(&self) -> &RepositoryName {
        &self.repository
    }

    /// Who has it.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }
}

/// Proof that `actor` may list every repository there is.
#[derive(Debug)]
pub struct CatalogPermit {
    pub(super) _actor: Actor,
}

/// Proof that `actor` may administer the server itself: tokens, keys, collection, checks.
#[derive(Debug)]
pub struct ServerPermit {
    pub(super) actor: Actor,
}

impl ServerPermit {
    /// Who has it.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }
}
