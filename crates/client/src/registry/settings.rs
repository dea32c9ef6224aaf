//! wreg's own API: repositories and their settings.
//!
//! It takes the personal token itself as `Bearer`, at the registry's origin like everything else.

use http::{HeaderValue, Method, header::CONTENT_TYPE};
use serde::de::DeserializeOwned;
use url::Url;
use wreg_api::{REPOSITORIES, REPOSITORY, Repository, RepositoryList, RepositorySettings};
use wreg_oci::RepositoryName;

use super::Registry;
use crate::{
    Error,
    http::{Access, Body, Call},
};

/// The most repositories, and the most bytes of their list.
const MAX_REPOSITORIES: usize = 100_000;
const MAX_LIST_BYTES: u64 = 64 * 1024 * 1024;

/// The most bytes of one repository's answer.
const MAX_BYTES: u64 = 1024 * 1024;

impl Registry {
    /// The repositories that the caller may see, ordered by name. [`Error::TooLarge`] beyond 100,000.
    pub async fn repositories(&self) -> Result<Vec<Repository>, Error> {
        let call = Call::new(
            Method::GET,
            self.connection.origin.at(REPOSITORIES),
            "list of repositories",
            Access::Personal(None),
        );
        let mut repositories = Vec::new();
        let limits = (MAX_LIST_BYTES, MAX_REPOSITORIES, "repositories");
        let take = |page: &[u8]| {
            let list: RepositoryList = serde_json::from_slice(page).map_err(|error| error.to_string())?;
            repositories.extend(list.repositories);
            Ok(repositories.len())
        };
        self.connection.fetch_pages(call, limits, take).await?;
        Ok(repositories)
    }

    /// One repository.
    pub async fn repository(&self, name: &RepositoryName) -> Result<Repository, Error> {
        let what = format!("repository {name}");
        let access = Access::Personal(Some(name.clone()));
        self.answer(&Call::new(Method::GET, self.url_of(name), &what, access))
            .await
    }

    /// Changes the settings of a repository, which is made if it is not there: as it is then. What is not set stays.
    pub async fn set_repository(
        &self,
        name: &RepositoryName,
        settings: &RepositorySettings,
    ) -> Result<Repository, Error> {
        let what = format!("settings of repository {name}");
        let body = serde_json::to_vec(settings);
        let body = body.map_err(|error| self.connection.misunderstood(&what, error.to_string()))?;
        let access = Access::Personal(Some(name.clone()));
        let call = Call::new(Method::PATCH, self.url_of(name), &what, access);
        let call = call.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.answer(&call.body(Body::Bytes(body.into()))).await
    }

    fn url_of(&self, name: &RepositoryName) -> Url {
        let mut url = self.connection.origin.at(REPOSITORY);
        url.query_pairs_mut().append_pair("repository", name.as_str());
        url
    }

    pub(super) async fn answer<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, Error> {
        let fetched = self.connection.fetch(call, MAX_BYTES).await?;
        let answer = serde_json::from_slice(&fetched.bytes);
        answer.map_err(|error| self.connection.misunderstood(call.what, error.to_string()))
    }
}
