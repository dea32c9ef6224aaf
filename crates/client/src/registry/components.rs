//! wreg's own API: what the registry understands of what it holds.

use http::{HeaderValue, Method, header::CONTENT_TYPE};
use serde::{Serialize, de::DeserializeOwned};
use url::Url;
use wreg_api::{
    COMPONENT, Component, Found, FoundList, HISTORY, MARKS, MarkChange, Marks, NAMESPACE, NAMESPACES, Namespace,
    NamespaceList, NamespaceSettings, RESOLVE, Resolved, SEARCH, TagHistory, VERSIONS, VersionList,
};
use wreg_oci::{RepositoryName, Tag, TagOrDigest, name, version};

use super::{Registry, manifests::warn};
use crate::{
    Error,
    http::{Access, Body, Call},
};

/// The most bytes of an answer: an analysis can be long, and a manifest has up to 4 MiB.
const MAX_BYTES: u64 = 32 * 1024 * 1024;

/// The most namespaces.
const MAX_NAMESPACES: usize = 100_000;

impl Registry {
    /// What a Wasm artifact is.
    pub async fn component(&self, repository: &RepositoryName, at: &TagOrDigest) -> Result<Component, Error> {
        let url = self.about(COMPONENT, repository, &[("reference", at.to_string())]);
        self.get(url, repository, &format!("component {repository}, {at}"))
            .await
    }

    /// The versions of a repository, the highest first.
    pub async fn versions(&self, repository: &RepositoryName) -> Result<VersionList, Error> {
        let url = self.about(VERSIONS, repository, &[]);
        self.get(url, repository, &format!("versions of {repository}")).await
    }

    /// The highest version that `requirement` allows and that is not yanked.
    pub async fn resolve_version(
        &self,
        repository: &RepositoryName,
        requirement: &semver::VersionReq,
    ) -> Result<Resolved, Error> {
        let url = self.about(RESOLVE, repository, &[("req", requirement.to_string())]);
        self.get(url, repository, &format!("version {requirement} of {repository}"))
            .await
    }

    /// The tag of the highest version that `requirement` allows; `None` if there is none. wreg passes yanked ones over; another
    /// registry knows of no such thing, and its tags are looked through.
    pub async fn find_version(
        &self,
        repository: &RepositoryName,
        requirement: &semver::VersionReq,
    ) -> Result<Option<Tag>, Error> {
        match self.resolve_version(repository, requirement).await {
            Ok(found) => return Ok(Some(found.version.tag)),
            Err(error) if is_other_registry(&error) => {}
            Err(error) => return Err(error),
        }
        match self.versions(repository).await {
            Ok(_) => return Ok(None),
            Err(error) if is_other_registry(&error) => {}
            Err(error) => return Err(error),
        }
        let tags = self.tags(repository).await?;
        let versions: Vec<_> = tags
            .iter()
            .filter_map(|tag| Some((tag, version::of_tag(tag)?)))
            .collect();
        let numbers: Vec<_> = versions.iter().map(|(_, version)| version).collect();
        let highest = version::highest(&numbers, requirement);
        Ok(highest
            .and_then(|place| versions.get(place))
            .map(|(tag, _)| (*tag).clone()))
    }

    /// Where a tag pointed and when it changed.
    pub async fn history(&self, repository: &RepositoryName, tag: &Tag) -> Result<TagHistory, Error> {
        let url = self.about(HISTORY, repository, &[("tag", tag.to_string())]);
        self.get(url, repository, &format!("history of {repository}:{tag}"))
            .await
    }

    /// Says something of a version, or takes it back: all that is said of it then.
    pub async fn mark(
        &self,
        repository: &RepositoryName,
        at: &TagOrDigest,
        change: &MarkChange,
    ) -> Result<Marks, Error> {
        let url = self.about(MARKS, repository, &[("reference", at.to_string())]);
        let access = Access::Personal(Some(repository.clone()));
        self.send(Method::POST, url, access, change, &format!("{repository}, {at}"))
            .await
    }

    /// What is found, at most `limit`; `asked` are the parameters of the search.
    pub async fn search(&self, asked: &[(&str, String)], limit: usize) -> Result<Vec<Found>, Error> {
        let mut url = self.connection.origin.at(SEARCH);
        url.query_pairs_mut().extend_pairs(asked);
        let call = Call::new(Method::GET, url, "search", Access::Personal(None));
        let mut found: Vec<Found> = Vec::new();
        // One page: what is further down matches worse.
        let fetched = self.connection.fetch(&call, MAX_BYTES).await?;
        let list: FoundList = serde_json::from_slice(&fetched.bytes)
            .map_err(|error| self.connection.misunderstood("search", error.to_string()))?;
        found.extend(list.components.into_iter().take(limit));
        Ok(found)
    }

    /// The namespaces, ordered by name. [`Error::TooLarge`] beyond 100,000.
    pub async fn namespaces(&self) -> Result<Vec<Namespace>, Error> {
        let url = self.connection.origin.at(NAMESPACES);
        let call = Call::new(Method::GET, url, "list of namespaces", Access::Personal(None));
        let mut namespaces = Vec::new();
        let take = |page: &[u8]| {
            let list: NamespaceList = serde_json::from_slice(page).map_err(|error| error.to_string())?;
            namespaces.extend(list.namespaces);
            Ok(namespaces.len())
        };
        let limits = (MAX_BYTES, MAX_NAMESPACES, "namespaces");
        self.connection.fetch_pages(call, limits, take).await?;
        Ok(namespaces)
    }

    /// One namespace.
    pub async fn namespace(&self, name: &name::Namespace) -> Result<Namespace, Error> {
        let what = format!("namespace {name}");
        let call = Call::new(Method::GET, self.url_of_namespace(name), &what, Access::Personal(None));
        self.answer(&call).await
    }

    /// Changes the settings of a namespace, which is made if it is not there: as it is then. What is not set stays.
    pub async fn set_namespace(
        &self,
        name: &name::Namespace,
        settings: &NamespaceSettings,
    ) -> Result<Namespace, Error> {
        let what = format!("settings of namespace {name}");
        let url = self.url_of_namespace(name);
        self.send(Method::PATCH, url, Access::Personal(None), settings, &what)
            .await
    }

    fn url_of_namespace(&self, name: &name::Namespace) -> Url {
        let mut url = self.connection.origin.at(NAMESPACE);
        url.query_pairs_mut().append_pair("namespace", name.as_str());
        url
    }

    pub(super) fn about(&self, path: &str, repository: &RepositoryName, parameters: &[(&str, String)]) -> Url {
        let mut url = self.connection.origin.at(path);
        url.query_pairs_mut()
            .append_pair("repository", repository.as_str())
            .extend_pairs(parameters);
        url
    }

    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        url: Url,
        repository: &RepositoryName,
        what: &str,
    ) -> Result<T, Error> {
        let access = Access::Personal(Some(repository.clone()));
        let call = Call::new(Method::GET, url, what, access);
        let fetched = self.connection.fetch(&call, MAX_BYTES).await?;
        warn(&fetched.headers, what);
        let answer = serde_json::from_slice(&fetched.bytes);
        answer.map_err(|error| self.connection.misunderstood(what, error.to_string()))
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        url: Url,
        access: Access,
        body: &impl Serialize,
        what: &str,
    ) -> Result<T, Error> {
        let body = serde_json::to_vec(body);
        let body = body.map_err(|error| self.connection.misunderstood(what, error.to_string()))?;
        let call = Call::new(method, url, what, access);
        let call = call.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.answer(&call.body(Body::Bytes(body.into()))).await
    }
}

/// Whether this may be what a registry answers that has no such interface: nothing there, or a page of its own.
fn is_other_registry(error: &Error) -> bool {
    error.is_no() || matches!(error, Error::Protocol { .. } | Error::Unauthorized { .. })
}
