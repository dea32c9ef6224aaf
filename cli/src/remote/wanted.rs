//! What a command is to fetch, as it was typed: a reference, or a requirement of versions.

use semver::VersionReq;
use wreg_client::Registry;
use wreg_oci::{Host, Reference, RepositoryName, Tag, TagOrDigest};

use super::Artifact;
use crate::error::{CliError, Kind};

pub(crate) enum Wanted {
    /// A tag or a digest.
    Reference(Reference),
    /// The highest version that is allowed.
    Version {
        host: Host,
        repository: RepositoryName,
        requirement: VersionReq,
    },
}

impl Wanted {
    pub(crate) fn host(&self) -> &Host {
        match self {
            Self::Reference(reference) => &reference.host,
            Self::Version { host, .. } => host,
        }
    }

    /// Finds it: the reference that it came to, and the artifact. Where there is no tag `latest`, that means the highest version.
    pub(crate) async fn find(&self, registry: &Registry) -> Result<(Reference, Artifact), CliError> {
        let reference = self.choose(registry).await?;
        match Artifact::find(registry, &reference).await {
            Err(error) if error.kind() == Kind::No && reference.tag_or_digest() == TagOrDigest::Tag(Tag::latest()) => {
                let found = registry.find_version(&reference.repository, &VersionReq::STAR).await;
                let Ok(Some(found)) = found else {
                    return Err(error);
                };
                let reference = at(reference.host, reference.repository, found);
                let artifact = Artifact::find(registry, &reference).await?;
                Ok((reference, artifact))
            }
            found => found.map(|artifact| (reference, artifact)),
        }
    }

    /// The reference that it comes to. Whether anything is there is not asked where it is one already.
    pub(crate) async fn choose(&self, registry: &Registry) -> Result<Reference, CliError> {
        match self {
            Self::Reference(reference) => Ok(reference.clone()),
            Self::Version {
                host,
                repository,
                requirement,
            } => {
                let found = registry.find_version(repository, requirement).await?;
                let found = found.ok_or_else(|| {
                    CliError::no(format!("no version of {host}/{repository} fits {requirement}")).hint(format!(
                        "`wreg versions {host}/{repository}` lists those that there are"
                    ))
                })?;
                Ok(at(host.clone(), repository.clone(), found))
            }
        }
    }
}

fn at(host: Host, repository: RepositoryName, tag: Tag) -> Reference {
    Reference {
        host,
        repository,
        tag: Some(tag),
        digest: None,
    }
}
