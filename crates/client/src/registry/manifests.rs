//! end-3, end-7, end-9: manifests.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE},
};
use serde::Deserialize;
use wreg_oci::{Descriptor, Digest, Endpoint, MediaType, RepositoryName, TagOrDigest, manifest::MAX_LEN};

use super::Registry;
use crate::{
    Error,
    auth::Scope,
    http::{Body, Fetched, answer::printable},
};

/// Every type is welcome: a registry that sees only some of them asked for may convert.
const ACCEPTED: HeaderValue = HeaderValue::from_static(
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json, */*;q=0.1",
);

/// A manifest as it came, verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedManifest {
    /// Its media type, its size, and its digest: the one that was asked for, else the sha256 digest of the bytes.
    pub descriptor: Descriptor,
    /// Its exact bytes, at most 4 MiB.
    pub bytes: Bytes,
    /// Whether it came from the local store.
    pub from_store: bool,
}

impl Registry {
    /// end-3, `HEAD`: what the tag or digest stands for now. `None` if there is no such manifest or repository.
    pub async fn resolve(&self, repository: &RepositoryName, at: &TagOrDigest) -> Result<Option<Descriptor>, Error> {
        let what = what(repository, at);
        let endpoint = Endpoint::GetManifest(repository.clone(), at.clone());
        let mut call = self
            .connection
            .call(&endpoint, &what, Scope::pull(repository))
            .header(ACCEPT, ACCEPTED);
        call.method = Method::HEAD;
        let headers = match self.connection.ask(&call, &[StatusCode::OK]).await {
            Ok(response) => response.headers().clone(),
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let digest = match at {
            TagOrDigest::Digest(digest) => {
                self.connection.check_stated(&what, &headers, digest)?;
                Some(digest.clone())
            }
            TagOrDigest::Tag(_) => self.connection.stated_digest(&what, &headers)?,
        };
        let size = headers
            .get(CONTENT_LENGTH)
            .and_then(|size| size.to_str().ok()?.parse().ok());
        if let (Some(digest), Some(media_type), Some(size)) = (digest, content_type(&headers), size) {
            return Ok(Some(Descriptor::new(media_type, digest, size)));
        }
        // A registry that leaves out one of them is asked for the manifest itself.
        match self.fetch_manifest(repository, at, &what).await {
            Ok(manifest) => Ok(Some(manifest.descriptor)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// end-3: a manifest, its bytes verified against the digest that is asked for and the one that the registry states. By
    /// digest it is taken from the local store if it is there, without a request.
    pub async fn manifest(&self, repository: &RepositoryName, at: &TagOrDigest) -> Result<FetchedManifest, Error> {
        if let (TagOrDigest::Digest(digest), Some(store)) = (at, &self.store)
            && let Some(bytes) = store.read(digest, MAX_LEN as u64).await
            && let Some(media_type) = own_media_type(&bytes)
        {
            return Ok(FetchedManifest {
                descriptor: Descriptor::new(media_type, digest.clone(), bytes.len() as u64),
                bytes: bytes.into(),
                from_store: true,
            });
        }
        let manifest = self.fetch_manifest(repository, at, &what(repository, at)).await?;
        // One that does not name its own type could not be told from another when it is read back.
        if let Some(store) = &self.store
            && own_media_type(&manifest.bytes).as_ref() == Some(&manifest.descriptor.media_type)
        {
            store.insert(&manifest.descriptor.digest, &manifest.bytes).await?;
        }
        Ok(manifest)
    }

    async fn fetch_manifest(
        &self,
        repository: &RepositoryName,
        at: &TagOrDigest,
        what: &str,
    ) -> Result<FetchedManifest, Error> {
        let endpoint = Endpoint::GetManifest(repository.clone(), at.clone());
        let call = self
            .connection
            .call(&endpoint, what, Scope::pull(repository))
            .header(ACCEPT, ACCEPTED);
        let Fetched { headers, bytes } = self.connection.fetch(&call, MAX_LEN as u64).await?;
        if let Some(stated) = self.connection.stated_digest(what, &headers)? {
            self.connection
                .check_digest(what, &stated, Digest::of(stated.algorithm(), &bytes))?;
        }
        let digest = match at {
            TagOrDigest::Digest(digest) => {
                self.connection
                    .check_digest(what, digest, Digest::of(digest.algorithm(), &bytes))?;
                digest.clone()
            }
            TagOrDigest::Tag(_) => Digest::sha256(&bytes),
        };
        let media_type = content_type(&headers).or_else(|| own_media_type(&bytes));
        let media_type =
            media_type.ok_or_else(|| self.connection.misunderstood(what, "it does not say its media type"))?;
        warn(&headers, what);
        Ok(FetchedManifest {
            descriptor: Descriptor::new(media_type, digest, bytes.len() as u64),
            bytes,
            from_store: false,
        })
    }

    /// end-7: pushes a manifest under a tag or its digest: its digest, by the algorithm of `at` or else sha256. What it names must
    /// be there before.
    pub async fn put_manifest(
        &self,
        repository: &RepositoryName,
        at: &TagOrDigest,
        media_type: &MediaType,
        bytes: impl Into<Bytes>,
    ) -> Result<Digest, Error> {
        let bytes = bytes.into();
        let digest = match at {
            TagOrDigest::Tag(_) => Digest::sha256(&bytes),
            TagOrDigest::Digest(expected) => {
                let actual = Digest::of(expected.algorithm(), &bytes);
                if actual != *expected {
                    let expected = expected.clone();
                    return Err(Error::NotItsDigest { expected, actual });
                }
                actual
            }
        };
        let what = what(repository, at);
        let endpoint = Endpoint::PutManifest(repository.clone(), at.clone(), Vec::new());
        let content_type = HeaderValue::from_str(media_type.as_str());
        let content_type = content_type.map_err(|error| self.connection.misunderstood(&what, error.to_string()))?;
        let call = self.connection.call(&endpoint, &what, Scope::push(repository));
        let call = call.header(CONTENT_TYPE, content_type).body(Body::Bytes(bytes));
        let response = self.connection.ask(&call, &[StatusCode::CREATED]).await?;
        self.connection.check_stated(&what, response.headers(), &digest)?;
        warn(response.headers(), &what);
        Ok(digest)
    }

    /// end-9: deletes a tag, or a manifest with all its tags. Sent once: what a lost answer said cannot be known.
    pub async fn delete_manifest(&self, repository: &RepositoryName, at: &TagOrDigest) -> Result<(), Error> {
        let what = what(repository, at);
        let endpoint = Endpoint::DeleteManifest(repository.clone(), at.clone());
        let call = self.connection.call(&endpoint, &what, Scope::delete(repository));
        let done = [StatusCode::ACCEPTED, StatusCode::OK, StatusCode::NO_CONTENT];
        self.connection.ask_once(&call, &done, &|_| ()).await?;
        Ok(())
    }
}

/// A manifest in the words of errors.
fn what(repository: &RepositoryName, at: &TagOrDigest) -> String {
    match at {
        TagOrDigest::Tag(tag) => format!("manifest {repository}:{tag}"),
        TagOrDigest::Digest(digest) => format!("manifest {repository}@{digest}"),
    }
}

/// `Content-Type` without its parameters. What says nothing is as good as none.
fn content_type(headers: &HeaderMap) -> Option<MediaType> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let media_type = value.split(';').next()?.trim();
    let says_nothing = matches!(
        media_type,
        "application/octet-stream" | "application/json" | "text/plain"
    );
    if says_nothing { None } else { media_type.parse().ok() }
}

/// The media type that a manifest gives itself.
fn own_media_type(bytes: &[u8]) -> Option<MediaType> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Typed {
        media_type: MediaType,
    }
    serde_json::from_slice(bytes)
        .ok()
        .map(|Typed { media_type }| media_type)
}

/// `Warning: 299 - "text"`: what the registry wants to be known about a manifest.
pub(super) fn warn(headers: &HeaderMap, what: &str) {
    let values = headers
        .get_all("warning")
        .iter()
        .filter_map(|value| value.to_str().ok());
    for text in values.filter_map(|value| value.trim().strip_prefix("299 - ")).take(16) {
        tracing::warn!("{what}: {}", printable(text.trim_matches('"')));
    }
}
