//! May they: the one function that authorises, and what it answers to those who may not.

use std::marker::PhantomData;

use wreg_api::{Action, RepositoryPattern, Token, Visibility};
use wreg_oci::RepositoryName;

use super::{
    Auth,
    identity::{Identity, Via},
    permit::{self, CatalogPermit, Needs, Permit, Pull, Reader, Right, ServerPermit, TagRights},
    scope::Access,
};
use crate::metadata::{
    self,
    repositories::{Settings, Visible},
};

/// Why there is no permit.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Come back with a token for `scope` (401). No scope: any identity will do.
    #[error("authentication is required")]
    Challenge {
        /// What to ask the token endpoint for.
        scope: Option<Access>,
    },
    /// The registry token is good, and not for this: come back with one for `scope` (401).
    #[error("{}", lacking(needs.as_ref()))]
    Insufficient {
        /// What to ask the token endpoint for.
        scope: Access,
        /// What a personal token has to give, so that the token endpoint grants it.
        needs: Option<Needs>,
    },
    /// The identity is final and may not (403).
    #[error("{}", lacking(Some(needs)))]
    Denied {
        /// What its token would have to give.
        needs: Needs,
    },
    /// The identity is final and may not know whether the repository exists (404).
    #[error("there is no such repository")]
    Hidden,
    /// It could not be found out (503).
    #[error("the rights could not be checked")]
    Unchecked(#[from] metadata::Error),
}

fn lacking(needs: Option<&Needs>) -> String {
    match needs {
        None => "the token is not for this".to_owned(),
        Some(Needs {
            repository: None,
            actions,
        }) => format!("the token does not give {actions}"),
        Some(Needs {
            repository: Some(repository),
            actions,
        }) => format!("the token does not give {actions} on {repository}"),
    }
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
    /// | registry token | what it carries of what its personal token gives now, and what anonymous may | challenge with the scope, `insufficient_scope` |
    /// | personal token | what its scopes give, and what anonymous may | denied if they may pull, else hidden |
    pub async fn permit<A: permit::Action>(&self, repository: RepositoryName) -> Result<Permit<A>, Refusal> {
        let right = A::RIGHT;
        let tags = self.tag_rights(&repository, right);
        if self.token_gives(&repository, right) || self.anybody_may(&repository, right).await? {
            return Ok(self.issue(repository, tags));
        }
        let needs = Needs::of(&repository, right.actions());
        match self.identity.via {
            Via::Nothing => Err(Refusal::Challenge {
                scope: Some(asked(&repository, right)),
            }),
            Via::Registry(_) => Err(Refusal::Insufficient {
                scope: asked(&repository, right),
                needs: Some(needs),
            }),
            Via::Personal => {
                let sees =
                    self.token_gives(&repository, Right::Pull) || self.anybody_may(&repository, Right::Pull).await?;
                Err(if sees {
                    Refusal::Denied { needs }
                } else {
                    Refusal::Hidden
                })
            }
        }
    }

    /// A permit to mount blobs from `repository`, if the caller may pull it.
    ///
    /// Whoever mounts needs a registry token for where the blob goes, and clients ask for no other (with no `from` they cannot know
    /// which). So this is about the one whom the token was made for, whatever the token carries.
    pub async fn source(&self, repository: RepositoryName) -> Result<Option<Permit<Pull>>, metadata::Error> {
        let may = self.owner_gives(&repository, Right::Pull) || self.anybody_may(&repository, Right::Pull).await?;
        Ok(may.then(|| self.issue(repository, TagRights::NONE)))
    }

    fn issue<A>(&self, repository: RepositoryName, tags: TagRights) -> Permit<A> {
        let reader = match self.identity.via {
            _ if self.auth.open || self.owner_gives(&repository, Right::Push) => Reader::Pusher,
            Via::Nothing => Reader::Unidentified,
            Via::Registry(_) | Via::Personal => Reader::Other,
        };
        Permit {
            repository,
            actor: self.identity.actor.clone(),
            tags,
            reader,
            action: PhantomData,
        }
    }

    /// A permit to list the repositories that the caller may pull from.
    pub fn catalog(&self) -> Result<CatalogPermit, Refusal> {
        let carries = match &self.identity.via {
            Via::Registry(claims) => claims.access.iter().any(Access::includes_catalog),
            Via::Personal => true,
            Via::Nothing => false,
        };
        if carries || self.auth.open {
            return Ok(CatalogPermit {
                visible: self.visible(),
            });
        }
        let scope = Access::catalog();
        Err(match self.identity.via {
            Via::Nothing => Refusal::Challenge { scope: Some(scope) },
            _ => Refusal::Insufficient { scope, needs: None },
        })
    }

    /// A permit to search among the repositories that the caller may pull from: for nobody in particular, the public ones.
    pub fn search(&self) -> CatalogPermit {
        let carries = match &self.identity.via {
            Via::Registry(claims) => claims.access.iter().any(Access::includes_catalog),
            Via::Personal => true,
            Via::Nothing => false,
        };
        let visible = if carries || self.auth.open {
            self.visible()
        } else {
            Visible::PublicAnd(Vec::new())
        };
        CatalogPermit { visible }
    }

    fn visible(&self) -> Visible {
        let patterns = self
            .identity
            .token
            .iter()
            .flat_map(|token| token.scopes.patterns(Action::Pull));
        let patterns: Vec<_> = patterns.cloned().collect();
        if self.auth.open || patterns.contains(&RepositoryPattern::All) {
            Visible::All
        } else {
            Visible::PublicAnd(patterns)
        }
    }

    /// A permit to administer the server itself. Never for everybody, also where everything is open: that is for content.
    pub fn server(&self) -> Result<ServerPermit, Refusal> {
        let Identity { via, token, .. } = self.identity;
        let carries = match via {
            Via::Registry(claims) => claims.access.iter().any(Access::includes_server),
            Via::Personal => true,
            Via::Nothing => false,
        };
        if let Some(token) = token
            && carries
            && token.scopes.allow_server()
        {
            return Ok(ServerPermit { token: token.clone() });
        }
        let scope = Access::server();
        Err(match via {
            Via::Nothing => Refusal::Challenge { scope: Some(scope) },
            Via::Registry(_) => Refusal::Insufficient {
                scope,
                needs: Some(Needs::server()),
            },
            Via::Personal => Refusal::Denied { needs: Needs::server() },
        })
    }

    /// Whether the caller is somebody, as the ping asks. Where everything is open, nobody need be.
    pub fn authenticated(&self) -> Result<(), Refusal> {
        if self.identity.via == Via::Nothing && !self.auth.open {
            return Err(Refusal::Challenge { scope: None });
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
            let may = self.token_gives(repository, *right) || self.anybody_may(repository, *right).await?;
            if may && !granted.contains(right) {
                granted.push(*right);
            }
        }
        Ok(granted)
    }

    /// Whether the caller's token gives `right`. A registry token must carry it besides.
    fn token_gives(&self, repository: &RepositoryName, right: Right) -> bool {
        let carries = match &self.identity.via {
            Via::Registry(claims) => claims.access.iter().any(|access| access.includes(repository, right)),
            Via::Personal | Via::Nothing => true,
        };
        carries && self.owner_gives(repository, right)
    }

    /// Whether the personal token that all comes from gives `right`, by what its record says now.
    fn owner_gives(&self, repository: &RepositoryName, right: Right) -> bool {
        let gives = |token: &Token| {
            let mut actions = right.actions().iter();
            actions.any(|action| token.scopes.allow(action, repository))
        };
        self.identity.token.as_deref().is_some_and(gives)
    }

    /// What the caller may do with tags, given the right to push.
    fn tag_rights(&self, repository: &RepositoryName, right: Right) -> TagRights {
        let gives = |action| {
            let scopes = self.identity.token.as_ref().map(|token| &token.scopes);
            self.auth.open || scopes.is_some_and(|scopes| scopes.allow(action, repository))
        };
        TagRights {
            create: right == Right::Push && gives(Action::CreateTag),
            update: right == Right::Push && gives(Action::UpdateTag),
        }
    }

    /// What nobody in particular may, by what the repository's settings say now. Everybody else may it too.
    async fn anybody_may(&self, repository: &RepositoryName, right: Right) -> Result<bool, metadata::Error> {
        match right {
            Right::Administer => Ok(false),
            _ if self.auth.open => Ok(true),
            Right::Pull => {
                let settings = self.auth.metadata.find_settings(repository).await?;
                Ok(settings.is_some_and(|Settings { visibility, .. }| visibility == Visibility::Public))
            }
            Right::Push | Right::Delete => Ok(false),
        }
    }
}

/// What to ask the token endpoint for.
fn asked(repository: &RepositoryName, right: Right) -> Access {
    // Whoever pushes also looks whether a blob is there: with one token for both, clients need not come twice.
    let rights: &[Right] = match right {
        Right::Pull => &[Right::Pull],
        Right::Push => &[Right::Pull, Right::Push],
        Right::Delete => &[Right::Delete],
        Right::Administer => &[Right::Administer],
    };
    Access::repository(repository, rights)
}
