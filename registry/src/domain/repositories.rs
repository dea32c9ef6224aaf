//! Repositories: who can see which, and their settings.

use wreg_api::{Repository, RepositorySettings};
use wreg_oci::{Page, RepositoryName, page};

use super::{Error, Registry, Result, tags::Listed};
use crate::{
    auth::{
        Permit,
        permit::{Administer, CatalogPermit, Pull},
    },
    metadata::repositories::ChangeSettings,
};

pub use crate::metadata::repositories::Settings;

/// Repositories in one page, unless fewer are asked for.
const DEFAULT_PAGE: usize = 100;

impl Registry {
    /// The names of the repositories that the caller sees, in order.
    pub async fn list_repository_names(&self, permit: &CatalogPermit, page: &Page) -> Result<Listed<RepositoryName>> {
        let limit = page.n.unwrap_or(page::MAX_ENTRIES);
        let names = self
            .metadata
            .list_repository_names(permit.visible(), page.last.as_deref().unwrap_or_default(), limit + 1)
            .await?;
        Ok(Listed::cut(names, limit))
    }

    /// The repositories that the caller sees with their counts, in the order of their names.
    pub async fn list_repositories(&self, permit: &CatalogPermit, page: &Page) -> Result<Listed<Repository>> {
        let limit = page.n.unwrap_or(DEFAULT_PAGE);
        let repositories = self
            .metadata
            .list_repositories(permit.visible(), page.last.as_deref().unwrap_or_default(), limit + 1)
            .await?;
        Ok(Listed::cut(repositories, limit))
    }

    /// One repository with its counts.
    pub async fn get_repository(&self, permit: &Permit<Pull>) -> Result<Repository> {
        let name = permit.repository();
        self.metadata
            .find_repository(name)
            .await?
            .ok_or_else(|| Error::NameUnknown(name.clone()))
    }

    /// Changes settings; a repository that is not there comes to be with them.
    pub async fn change_settings(&self, permit: &Permit<Administer>, change: RepositorySettings) -> Result<Repository> {
        let name = permit.repository();
        let operation = ChangeSettings {
            name: name.clone(),
            change,
            defaults: self.defaults,
            actor: permit.actor().to_string(),
            now: self.clock.now(),
        };
        self.metadata.write(operation).await?;
        self.metadata
            .find_repository(name)
            .await?
            .ok_or_else(|| Error::NameUnknown(name.clone()))
    }
}
