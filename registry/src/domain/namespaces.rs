//! Namespaces: what is asked of what is pushed to their repositories. For now whoever administers the server owns them all.

use wreg_api::{Namespace, NamespaceSettings};
use wreg_oci::{Page, name};

use super::{Error, Registry, Result, tags::Listed};
use crate::{auth::permit::ServerPermit, metadata::namespaces::ChangePolicies};

/// Namespaces in one page, unless fewer are asked for.
const DEFAULT_PAGE: usize = 100;

impl Registry {
    /// Namespaces in the order of their names.
    pub async fn list_namespaces(&self, _: &ServerPermit, page: &Page) -> Result<Listed<Namespace>> {
        let limit = page.n.unwrap_or(DEFAULT_PAGE);
        let after = page.last.as_deref().unwrap_or_default();
        let found = self.metadata.list_namespaces(after, limit + 1).await?;
        Ok(Listed::cut(found, limit))
    }

    /// One namespace.
    pub async fn get_namespace(&self, _: &ServerPermit, name: &name::Namespace) -> Result<Namespace> {
        let found = self.metadata.find_namespace(name).await?;
        found.ok_or_else(|| Error::NamespaceUnknown(name.clone()))
    }

    /// Changes settings; a namespace that is not there comes to be with them.
    pub async fn change_namespace(
        &self,
        permit: &ServerPermit,
        name: name::Namespace,
        change: NamespaceSettings,
    ) -> Result<Namespace> {
        let operation = ChangePolicies {
            name: name.clone(),
            change,
            actor: permit.actor().to_string(),
            now: self.clock.now(),
        };
        self.metadata.write(operation).await?;
        self.get_namespace(permit, &name).await
    }
}
