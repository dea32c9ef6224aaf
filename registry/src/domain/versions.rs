//! Versions: listed, resolved, yanked and deprecated.

use semver::VersionReq;
use wreg_api::{Action, MarkChange, Marks, Resolved, Version, VersionList};
use wreg_oci::{Digest, TagOrDigest, version};

use super::{Error, Registry, Result};
use crate::{
    auth::{
        Permit,
        permit::{Needs, Pull, Push},
    },
    metadata::versions::{ChangeMarks, Marked},
};

impl Registry {
    /// The versions of a repository, the highest first.
    pub async fn list_versions(&self, permit: &Permit<Pull>) -> Result<VersionList> {
        let repository = permit.repository();
        let versions = self.metadata.list_versions(repository).await?;
        if versions.is_empty() && self.metadata.find_settings(repository).await?.is_none() {
            return Err(Error::NameUnknown(repository.clone()));
        }
        Ok(VersionList {
            repository: repository.clone(),
            versions: versions.to_vec(),
        })
    }

    /// The highest version that is allowed and not yanked, with its manifest.
    pub async fn resolve(&self, permit: &Permit<Pull>, requirement: &VersionReq) -> Result<Resolved> {
        let repository = permit.repository();
        let all = self.metadata.list_versions(repository).await?;
        let open: Vec<&Version> = all.iter().filter(|version| version.marks.yanked.is_none()).collect();
        let versions: Vec<_> = open.iter().map(|version| &version.version).collect();
        let highest = version::highest(&versions, requirement);
        let Some(found) = highest.and_then(|place| open.get(place)) else {
            return Err(Error::NoVersion {
                repository: repository.clone(),
                requirement: requirement.to_string(),
                highest: all.first().map(|version| version.tag.clone()),
                yanked: all
                    .iter()
                    .any(|version| version.marks.yanked.is_some() && requirement.matches(&version.version)),
            });
        };
        let selector = TagOrDigest::Digest(found.digest.clone());
        let manifest = self.metadata.find_manifest(repository, &selector).await?;
        let manifest = manifest.ok_or(Error::ManifestUnknown(selector))?;
        let text = std::str::from_utf8(&manifest.content).unwrap_or("null");
        let content = serde_json::value::RawValue::from_string(text.trim().to_owned());
        Ok(Resolved {
            repository: repository.clone(),
            version: (*found).clone(),
            media_type: manifest.media_type.clone(),
            manifest: content.map_err(|error| Error::Unavailable(error.into()))?,
        })
    }

    /// Says something of what a tag or digest selects, or takes it back.
    pub async fn mark(&self, permit: &Permit<Push>, selector: &TagOrDigest, change: MarkChange) -> Result<Marks> {
        if !change.is_valid() {
            return Err(Error::MarkInvalid);
        }
        let repository = permit.repository();
        let unknown = || Error::ManifestUnknown(selector.clone());
        let digest: Digest = match selector {
            TagOrDigest::Digest(digest) => digest.clone(),
            TagOrDigest::Tag(tag) => {
                if !permit.tags().update {
                    let (tag, needs) = (tag.clone(), Needs::of(repository, Action::UpdateTag.into()));
                    let there = true;
                    return Err(Error::TagDenied { tag, there, needs });
                }
                let manifest = self.metadata.find_manifest(repository, selector).await?;
                manifest.ok_or_else(unknown)?.digest.clone()
            }
        };
        let operation = ChangeMarks {
            repository: repository.clone(),
            digest,
            change,
            actor: permit.actor().to_string(),
            now: self.clock.now(),
        };
        let marked = self.metadata.write(operation).await?;
        self.analyses.wake();
        match marked {
            Marked::Done(marks) => Ok(marks),
            Marked::Unknown => Err(unknown()),
            Marked::TooMany => Err(Error::MarkInvalid),
        }
    }
}
