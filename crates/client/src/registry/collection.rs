//! wreg's own API: collecting, and bringing back what was deleted.

use http::Method;
use wreg_api::{COLLECTION, Collected, DELETED, DeletedList, Undeleted};
use wreg_oci::{RepositoryName, TagOrDigest};

use super::Registry;
use crate::{
    Error,
    http::{Access, Call},
};

impl Registry {
    /// A bounded part of a collection, or with `dry_run` of what one would take: from the beginning, or from the `next` of the part
    /// before. A part that is asked for twice does no harm.
    pub async fn collect(&self, dry_run: bool, cursor: Option<&str>) -> Result<Collected, Error> {
        let mut url = self.connection.origin.at(COLLECTION);
        url.query_pairs_mut()
            .append_pair("dry_run", if dry_run { "true" } else { "false" })
            .extend_pairs(cursor.map(|cursor| ("cursor", cursor)));
        self.answer(&Call::new(Method::POST, url, "collection", Access::Personal(None)))
            .await
    }

    /// A page of what was deleted from a repository and can be brought back: the first, or the one after the page whose `next` is
    /// `last`.
    pub async fn deleted(&self, repository: &RepositoryName, last: Option<&str>) -> Result<DeletedList, Error> {
        let what = format!("list of what was deleted from {repository}");
        let mut url = self.connection.origin.at(DELETED);
        url.query_pairs_mut()
            .append_pair("repository", repository.as_str())
            .extend_pairs(last.map(|last| ("last", last)));
        let access = Access::Personal(Some(repository.clone()));
        self.answer(&Call::new(Method::GET, url, &what, access)).await
    }

    /// Brings back a deleted manifest or tag, with what was deleted because of it.
    pub async fn undelete(&self, repository: &RepositoryName, selector: &TagOrDigest) -> Result<Undeleted, Error> {
        let what = format!("{repository} with {selector}, deleted a while ago");
        let mut url = self.connection.origin.at(DELETED);
        url.query_pairs_mut()
            .append_pair("repository", repository.as_str())
            .append_pair("reference", &selector.to_string());
        let access = Access::Personal(Some(repository.clone()));
        self.answer(&Call::new(Method::POST, url, &what, access)).await
    }
}
