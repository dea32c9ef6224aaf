//! Permits: proof that somebody may do something to a repository.
//!
//! The fields are private to `auth/`, so no other code can make one:
//!
//! ```compile_fail,E0451
//! use wreg_registry::auth::{Actor, Permit, permit::Push};
//! let forged = Permit::<Push> { repository: "acme/hello".parse().unwrap(), actor: Actor::Anonymous, tags: todo!(), reader: todo!(), action: std::marker::PhantomData };
//! ```

use std::{fmt, marker::PhantomData};

use wreg_api::{Actions, Token, scope};
use wreg_oci::RepositoryName;

use super::{identity::Actor, scope::Access};
use crate::metadata::repositories::Visible;

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

    /// The actions of a personal token's scope that give it: each of them does.
    pub(super) fn actions(self) -> Actions {
        match self {
            Self::Pull => scope::Action::Pull.into(),
            Self::Push => Actions::PUSH,
            Self::Delete => scope::Action::Delete.into(),
            Self::Administer => scope::Action::AdministerRepository.into(),
        }
    }
}

/// What a personal token would have to give. Written as the scope that one has to be made with: `acme/hello:push`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needs {
    /// On which repository; none for the server itself.
    pub repository: Option<RepositoryName>,
    /// To do what.
    pub actions: Actions,
}

impl Needs {
    /// `actions` on `repository`.
    pub fn of(repository: &RepositoryName, actions: Actions) -> Self {
        Self {
            repository: Some(repository.clone()),
            actions,
        }
    }

    /// To administer the server.
    pub fn server() -> Self {
        Self {
            repository: None,
            actions: scope::Action::AdministerServer.into(),
        }
    }
}

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let repository = self.repository.as_ref().map_or("*", RepositoryName::as_str);
        write!(f, "{repository}:{}", self.actions)
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
    pub(super) tags: TagRights,
    pub(super) reader: Reader,
    pub(super) action: PhantomData<A>,
}

/// Who reads, for what is kept from readers and not from those who made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// Somebody who may push there.
    Pusher,
    /// Somebody who may not; also nobody in particular with a registry token, which that is the last word for.
    Other,
    /// Nobody that is known yet.
    Unidentified,
}

/// What may be done with tags. Decided where the tags are written, in the transaction that sees whether they are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TagRights {
    /// Whether a tag that is not there may be made.
    pub create: bool,
    /// Whether a tag that is there may be moved to another manifest.
    pub update: bool,
}

impl TagRights {
    /// Nothing.
    pub(super) const NONE: Self = Self {
        create: false,
        update: false,
    };
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

impl Permit<Pull> {
    /// Whether the caller may push there too, by what the personal token gives that all comes from, whatever a registry token carries of
    /// it: clients ask for no more than to pull when they read what they are about to sign.
    pub fn may_push(&self) -> bool {
        self.reader == Reader::Pusher
    }

    /// What to ask the token endpoint for, where it is not known yet who asks: it could be somebody who may push. Many clients send no
    /// credentials before they are asked for them.
    pub fn unidentified(&self) -> Option<Access> {
        (self.reader == Reader::Unidentified).then(|| Access::repository(&self.repository, &[Right::Pull]))
    }
}

impl Permit<Push> {
    /// What may be done with tags.
    pub fn tags(&self) -> TagRights {
        self.tags
    }
}

/// Proof that somebody may list repositories: those that they may pull from.
#[derive(Debug)]
pub struct CatalogPermit {
    pub(super) visible: Visible,
}

impl CatalogPermit {
    pub(crate) fn visible(&self) -> &Visible {
        &self.visible
    }
}

/// Proof that the holder of a token may administer the server itself: tokens, keys, collection, checks.
#[derive(Debug)]
pub struct ServerPermit {
    pub(super) token: std::sync::Arc<Token>,
}

impl ServerPermit {
    /// Who has it.
    pub fn actor(&self) -> Actor {
        Actor::Token(self.token.id.clone())
    }

    /// The personal token that gives it.
    pub fn token(&self) -> &Token {
        &self.token
    }
}
