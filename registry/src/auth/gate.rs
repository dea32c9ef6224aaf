//! May they: the one function that authorises, and what it answers to those who may not.

use std::marker::PhantomData;

use wreg_api::Visibility;
use wreg_oci::RepositoryName;

use super::{
    Auth,
    identity::{Actor, Identity, Via},
    permit::{Action, CatalogPermit, Permit, Pull, Right, ServerPermit},
    scope::Access,
};
use crate::metadata::{self, repositories::Settings};

/// Why there is no permit.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Come back with a token for `scope` (401). No scope: any identity will do.
    #[error("authentication is required")]
    Challenge {
        /// What to ask the token endpoint for.
        scope: Option<Access>,
        /// Whether a token came that is good but not for this.
        insufficient: bool,
    },
    /// The identity is final and may not (403).
    #[error("access is denied")]
    Denied,
    /// The identity is final and may not know whether the repository exists (404).
    #[error("there is no such repository")]
    Hidden,
    /// It could not be found out (503).
    #[error("the rights could not be checked")]
    Unchecked(#[from] metadata::Error),
}

/// Where an identified request asks for permits.
pub struct Gate<'a> {
    pub(super) auth: &'a Auth,
    pub(super) identity: &'a Identity,
}

impl Auth {
    /// The gate for one identified request.
    pub fn gate<'a>(&'a self, identity: &'a Identity) -> Gate<'a> {
        Gate { auth: self, identity }
    }
}

impl Gate<'_> {
    /// A permit for `A` on `repository`.
    ///
    /// | credentials | may | answer to those who may not |
    /// |---|---|---|
    /// | none | what anonymous may | challenge with the scope |
    /// | registry token | what it carries, and what anonymous may | challenge with the scope, `insufficient_scope` |
    /// | personal token | what its owner may | denied if they may pull, else hidden |
    pub async fn permit<A: Action>(&self, repository: RepositoryName) -> Result<Permit<A>, Refusal> {
        let right = A::RIGHT;
        let Identity { actor, via } = self.identity;
        let may = match via {
            Via::Registry(access) if !access.iter().any(|access| access.includes(&repository, right)) => {
                self.may(&Actor::Anonymous, right, &repository).await?
            }
            _ => self.may(actor, right, &repository).await?,
        };
        if may {
            return Ok(Permit {
                repository,
                actor: actor.clone(),
                action: PhantomData,
            });
        }
        match via {
            Via::Nothing => Err(challenge(&repository, right, false)),
            Via::Registry(_) => Err(challenge(&repository, right, true)),
            Via::Personal if self.may(actor, Right::Pull, &repository).await? => Err(Refusal::Denied),
            Via::Personal => Err(Refusal::Hidden),
        }
    }

    /// A permit to mount blobs from `repository`, if the caller may pull it.
    ///
    /// Whoever mounts needs a registry token for where the blob goes, and clients ask for no other (with no `from` they cannot know
    /// which). So this is about the one whom the token was made for, whatever the token carries.
    pub async fn source(&self, repository: RepositoryName) -> Result<Option<Permit<Pull>>, metadata::Error> {
        let actor = &self.identity.actor;
        let may = self.may(actor, Right::Pull, &repository).await?;
        Ok(may.then(|| Permit {
            repository,
            actor: actor.clone(),
            action: PhantomData,
        }))
    }

    /// A permit to list every repository.
    pub fn catalog(&self) -> Result<CatalogPermit, Refusal> {
        let Identity { actor, via } = self.identity;
        let may = match via {
            Via::Registry(access) => access.iter().any(Access::includes_catalog) || self.auth.open,
            Via::Personal => true,
            Via::Nothing => self.auth.open,
        };
        if may {
            return Ok(CatalogPermit { _actor: actor.clone() });
        }
        Err(Refusal::Challenge {
            scope: Some(Access::catalog()),
            insufficient: *via != Via::Nothing,
        })
    }

    /// A permit to administer the server itself.
    pub fn server(&self) -> Result<ServerPermit, Refusal> {
        let Identity { actor, via } = self.identity;
        let carries = match via {
            Via::Registry(access) => access.iter().any(Access::includes_server),
            Via::Personal => true,
            Via::Nothing => false,
        };
        match via {
            _ if carries && self.may_administer(actor) => Ok(ServerPermit { actor: actor.clone() }),
            Via::Personal => Err(Refusal::Denied),
            Via::Nothing | Via::Registry(_) => Err(Refusal::Challenge {
                scope: Some(Access::server()),
                insufficient: *via != Via::Nothing,
            }),
        }
    }

    /// Whether the caller is somebody, as the ping asks. Where everything is open, nobody need be.
    pub fn authenticated(&self) -> Result<(), Refusal> {
        if self.identity.via == Via::Nothing && !self.auth.open {
            return Err(Refusal::Challenge {
                scope: None,
                insufficient: false,
            });
        }
        Ok(())
    }

    /// The rights among `wanted` that the caller has now.
    pub(super) async fn granted(
        &self,
        repository: &RepositoryName,
        wanted: &[Right],
    ) -> Result<Vec<Right>, metadata::Error> {
        let mut granted = Vec::new();
        for right in wanted {
            if self.may(&self.identity.actor, *right, repository).await? && !granted.contains(right) {
                granted.push(*right);
            }
        }
        Ok(granted)
    }

    /// Whether somebody may administer the server itself. Never where everything is open: that is for content.
    #[expect(clippy::unused_self, reason = "it will ask for the token's scope")]
    pub(super) fn may_administer(&self, actor: &Actor) -> bool {
        // The administrator's is the only personal token there is.
        matches!(actor, Actor::Token(_))
    }

    /// What somebody may, by who they are and what the repository's settings say now.
    async fn may(&self, actor: &Actor, right: Right, repository: &RepositoryName) -> Result<bool, metadata::Error> {
        match (actor, right) {
            // The administrator's is the only personal token there is.
            (Actor::Token(_), _) => Ok(true),
            (Actor::Anonymous, Right::Administer) => Ok(false),
            (Actor::Anonymous, _) if self.auth.open => Ok(true),
            (Actor::Anonymous, Right::Pull) => {
                let settings = self.auth.metadata.find_settings(repository).await?;
                Ok(settings.is_some_and(|Settings { visibility, .. }| visibility == Visibility::Public))
            }
            (Actor::Anonymous, Right::Push | Right::Delete) => Ok(false),
        }
    }
}

fn challenge(repository: &RepositoryName, right: Right, insufficient: bool) -> Refusal {
    // Whoever pushes also looks whether a blob is there: with one token for both, clients need not come twice.
    let rights: &[Right] = match right {
        Right::Pull => &[Right::Pull],
        Right::Push => &[Right::Pull, Right::Push],
        Right::Delete => &[Right::Delete],
        Right::Administer => &[Right::Administer],
    };
    Refusal::Challenge {
        scope: Some(Access::repository(repository, rights)),
        insufficient,
    }
}
