//! end-8, end-12: lists, with an end.

use serde::Deserialize;
use wreg_oci::{
    Descriptor, Digest, Endpoint, Manifest, MediaType, Page, RepositoryName, Tag, TagOrDigest, manifest::Content,
};

use super::Registry;
use crate::{Error, auth::Scope};

/// The most tags of a repository, and the most bytes of their list.
const MAX_TAGS: usize = 100_000;
const MAX_TAGS_BYTES: u64 = 32 * 1024 * 1024;

/// The most referrers of a manifest, and the most bytes of their list.
const MAX_REFERRERS: usize = 10_000;
const MAX_REFERRERS_BYTES: u64 = 32 * 1024 * 1024;

impl Registry {
    /// end-8: all tags, in the registry's order. [`Error::TooLarge`] beyond 100,000.
    pub async fn tags(&self, repository: &RepositoryName) -> Result<Vec<Tag>, Error> {
        #[derive(Deserialize)]
        struct List {
            /// Some registries write `null` for none.
            tags: Option<Vec<Tag>>,
        }
        let what = format!("list of the tags of {repository}");
        let endpoint = Endpoint::ListTags(repository.clone(), Page::default());
        let call = self.connection.call(&endpoint, &what, Scope::pull(repository));
        let mut tags = Vec::new();
        let limits = (MAX_TAGS_BYTES, MAX_TAGS, "tags");
        let take = |page: &[u8]| {
            let list: List = serde_json::from_slice(page).map_err(|error| error.to_string())?;
            tags.extend(list.tags.unwrap_or_default());
            Ok(tags.len())
        };
        self.connection.fetch_pages(call, limits, take).await?;
        Ok(tags)
    }

    /// end-12: the manifests whose subject has this digest. [`Error::TooLarge`] beyond 10,000. Where a registry does not have
    /// this list, the one that clients keep under a tag in its place.
    pub async fn referrers(&self, repository: &RepositoryName, digest: &Digest) -> Result<Vec<Descriptor>, Error> {
        let what = format!("list of the referrers of {repository}@{digest}");
        let endpoint = Endpoint::ListReferrers(repository.clone(), digest.clone(), None, None);
        let call = self.connection.call(&endpoint, &what, Scope::pull(repository));
        let mut referrers = Vec::new();
        let limits = (MAX_REFERRERS_BYTES, MAX_REFERRERS, "referrers");
        let take = |page: &[u8]| {
            referrers.extend(index(page)?);
            Ok(referrers.len())
        };
        match self.connection.fetch_pages(call, limits, take).await {
            Ok(()) => Ok(referrers),
            Err(Error::NotFound { .. }) => self.tagged_referrers(repository, digest).await,
            Err(error) => Err(error),
        }
    }

    /// The list under the tag that the specification's "Referrers Tag Schema" gives it.
    async fn tagged_referrers(&self, repository: &RepositoryName, digest: &Digest) -> Result<Vec<Descriptor>, Error> {
        let encoded = &digest.encoded()[..digest.encoded().len().min(64)];
        let tag = format!("{}-{encoded}", digest.algorithm());
        let misunderstood = |problem: String| self.connection.misunderstood(&tag, problem);
        let at: Tag = tag
            .parse()
            .map_err(|error: wreg_oci::tag::InvalidTag| misunderstood(error.to_string()))?;
        match self.manifest(repository, &TagOrDigest::Tag(at)).await {
            Ok(manifest) => index(&manifest.bytes).map_err(misunderstood),
            Err(Error::NotFound { .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

/// The descriptors of an index.
fn index(bytes: &[u8]) -> Result<Vec<Descriptor>, String> {
    let manifest = Manifest::parse(bytes, &MediaType::IMAGE_INDEX).map_err(|error| error.to_string())?;
    match manifest.content {
        Content::Index { manifests } => Ok(manifests),
        Content::Image { .. } => Err("it is no index".to_owned()),
    }
}
