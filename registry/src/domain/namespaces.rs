//! Namespaces: what is asked of what is pushed to their repositories, and pulled from them. For now whoever administers the server owns them all.

use wreg_api::{Namespace, NamespaceSettings};
use wreg_oci::{Page, name};

use super::{Error, Registry, Result, tags::Listed};
use crate::{
    auth::permit::ServerPermit,
    metadata::{namespaces::ChangePolicies, signers::Signer},
};

/// Namespaces in one page, unless fewer are asked for.
const DEFAULT_PAGE: usize = 100;
/// The most signers of a namespace.
const MAX_SIGNERS: usize = 20;

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
            signers: change.signers.as_deref().map(signers).transpose()?,
            change,
            actor: permit.actor().to_string(),
            now: self.clock.now(),
        };
        let done = self.metadata.write(operation).await;
        // Also where it is not known whether it was committed.
        self.gate.forget();
        if !done? {
            return Err(Error::SignersInvalid(
                "what is pulled is to be signed, and nobody is named whose signature counts: give `signers` too"
                    .to_owned(),
            ));
        }
        self.get_namespace(permit, &name).await
    }
}

/// The signers that a request names, each once.
fn signers(texts: &[String]) -> Result<Vec<Signer>> {
    if texts.len() > MAX_SIGNERS {
        return Err(Error::SignersInvalid(format!("{MAX_SIGNERS} are the most")));
    }
    let mut signers = Vec::new();
    for (number, text) in (1..).zip(texts) {
        let signer: Signer = text
            .parse()
            .map_err(|error| Error::SignersInvalid(format!("number {number}: {error}; or the word `registry`")))?;
        if !signers.contains(&signer) {
            signers.push(signer);
        }
    }
    Ok(signers)
}
