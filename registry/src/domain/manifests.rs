//! Manifests: stored byte for byte, refused when ambiguous or when what they are made of is not there.

use std::sync::Arc;

use wreg_api::{Action, ComponentFinding};
use wreg_oci::{Digest, Manifest, MediaType, Tag, TagOrDigest, manifest};

use super::{Error, Registry, Result, blobs::deleted};
use crate::{
    auth::{
        Permit,
        permit::{CatalogPermit, Delete, Needs, Pull, Push},
    },
    metadata::{
        manifests::{DeleteManifest, ManifestRecord, Put, PutManifest},
        tags::DeleteTag,
    },
};

pub use crate::metadata::manifests::Precondition;

/// A manifest on its way in.
pub struct NewManifest {
    /// The type that the client says it has.
    pub media_type: MediaType,
    /// Its bytes.
    pub content: Vec<u8>,
    /// What the client expects to be there.
    pub precondition: Precondition,
}

/// What was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredManifest {
    /// The manifest's digest.
    pub digest: Digest,
    /// The digest of its subject, if it names one.
    pub subject: Option<Digest>,
    /// What is not as it should be about it, if it is WebAssembly; as far as it is known.
    pub findings: Vec<ComponentFinding>,
    /// Versions that stay where they are, since the same WebAssembly stands there already.
    pub kept: Vec<(Tag, Digest)>,
}

impl Registry {
    /// The manifest that a tag or digest selects, for the registry to tell of. Who gives it away asks for it by `pull_manifest`.
    pub(super) async fn get_manifest(
        &self,
        permit: &Permit<Pull>,
        selector: &TagOrDigest,
    ) -> Result<Arc<ManifestRecord>> {
        let found = self.metadata.find_manifest(permit.repository(), selector).await?;
        found.ok_or_else(|| Error::ManifestUnknown(selector.clone()))
    }

    /// Stores a manifest under a digest or tag and any further `tags` (end-7): in one transaction with all of them, or not at all. What is
    /// said of others whom it breaks is of those that the caller `sees`.
    pub async fn put_manifest(
        &self,
        permit: &Permit<Push>,
        sees: &CatalogPermit,
        selector: TagOrDigest,
        tags: Vec<Tag>,
        new: NewManifest,
    ) -> Result<StoredManifest> {
        if new.content.len() > manifest::MAX_LEN {
            return Err(Error::ManifestTooLarge {
                limit: manifest::MAX_LEN,
            });
        }
        let manifest = Manifest::parse(&new.content, &new.media_type)?;
        let (digest, tags) = match selector {
            TagOrDigest::Tag(tag) => (Digest::sha256(&new.content), std::iter::once(tag).chain(tags).collect()),
            TagOrDigest::Digest(expected) => {
                let actual = Digest::of(expected.algorithm(), &new.content);
                if actual != expected {
                    return Err(Error::DigestMismatch { expected, actual });
                }
                (expected, tags)
            }
        };
        let subject = manifest.subject.as_ref().map(|subject| subject.digest.clone());
        let admission = self.admit(permit, sees, &manifest, &tags).await?;
        let is_component = admission.component.is_some();
        let operation = PutManifest {
            repository: permit.repository().clone(),
            digest: digest.clone(),
            manifest,
            content: new.content,
            tags,
            precondition: new.precondition,
            component: admission.component,
            versions_stay: admission.versions_stay,
            may_create_tags: permit.tags().create,
            may_update_tags: permit.tags().update,
            defaults: self.defaults,
            actor: permit.actor().to_string(),
            now: self.clock.now(),
        };
        let put = self.metadata.write(operation).await?;
        if is_component {
            self.analyses.wake();
        }
        self.log.wake();
        match put {
            Put::Done { kept } => Ok(StoredManifest {
                digest,
                subject,
                findings: admission.findings,
                kept,
            }),
            Put::Missing(digests) => Err(Error::ManifestBlobUnknown(digests)),
            Put::SizeDiffers(digest) => Err(Error::ManifestSizeDiffers(digest)),
            Put::TagDenied { tag, there } => {
                let action = if there { Action::UpdateTag } else { Action::CreateTag };
                let needs = Needs::of(permit.repository(), action.into());
                Err(Error::TagDenied { tag, there, needs })
            }
            Put::TagImmutable { tag, digest, deleted } => Err(Error::TagImmutable { tag, digest, deleted }),
            Put::PreconditionFailed => Err(Error::PreconditionFailed),
        }
    }

    /// Deletes a tag, or a manifest with all its tags (end-9).
    pub async fn delete_manifest(&self, permit: &Permit<Delete>, selector: TagOrDigest) -> Result<()> {
        let (repository, actor, now) = (
            permit.repository().clone(),
            permit.actor().to_string(),
            self.clock.now(),
        );
        let deletion = match selector.clone() {
            TagOrDigest::Tag(tag) => {
                self.metadata
                    .write(DeleteTag {
                        repository,
                        tag,
                        actor,
                        now,
                    })
                    .await?
            }
            TagOrDigest::Digest(digest) => {
                self.metadata
                    .write(DeleteManifest {
                        repository,
                        digest,
                        actor,
                        now,
                    })
                    .await?
            }
        };
        deleted(deletion, || Error::ManifestUnknown(selector))
    }
}
