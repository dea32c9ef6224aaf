//! What was deleted, and bringing it back.

use wreg_api::{Deleted, DeletedKind, DeletedList, Undeleted};
use wreg_oci::{Digest, Tag, TagOrDigest};

use super::{Error, Registry, Result};
use crate::{
    auth::{Permit, permit::Delete},
    clock::{Millis, millis},
    metadata::{
        self,
        deletions::{Relation, RestoredTags, Undelete},
    },
};

/// Entries of one page, and manifests that are looked for at a time.
const PAGE: usize = 256;

/// What is left to do, the next thing last.
enum Work {
    /// First what the manifest is made of, then itself, then what is about it.
    Enter(Digest),
    /// Children of a deleted index after this digest.
    Children(Digest, String),
    /// The manifest itself.
    Restore(Digest),
    /// Those that were deleted because it was, after this digest.
    Followers(Digest, String),
}

impl Registry {
    /// What can be brought back, those after `after`: the `next` of the page before.
    pub async fn list_deleted(&self, permit: &Permit<Delete>, after: Option<&str>) -> Result<DeletedList> {
        let since = self.deleted_since(self.clock.now());
        let after = after.and_then(|after| after.split_once(' ')).unwrap_or_default();
        let rows = self
            .metadata
            .list_deleted(permit.repository(), since, after, PAGE + 1)
            .await?;
        let next = rows.get(PAGE - 1).filter(|_| rows.len() > PAGE);
        let next = next.map(|last| format!("{} {}", last.kind, last.name));
        let kept = millis(self.terms.undelete.max(self.terms.blob_lease));
        let deleted = rows.into_iter().take(PAGE).map(|row| {
            let corrupt = |_| metadata::Error::Corrupt {
                table: "deleted_manifests",
                column: "digest",
            };
            Ok(Deleted {
                kind: if row.kind == "tag" {
                    DeletedKind::Tag
                } else {
                    DeletedKind::Manifest
                },
                digest: row.digest.parse().map_err(corrupt)?,
                name: row.name,
                deleted_at: row.deleted_at,
                kept_until: row.deleted_at.saturating_add(kept),
            })
        });
        Ok(DeletedList {
            deleted: deleted.collect::<Result<_>>()?,
            next,
        })
    }

    /// Brings back what `selector` named when it was deleted: a manifest with what it is made of, the manifests that were deleted
    /// because it was, and the tags that pointed to any of them and are not there now; or a tag alone, where its manifest is there.
    ///
    /// Every manifest comes back in a transaction of its own, children before the index that lists them. Asking again after an
    /// interruption brings back the rest.
    pub async fn undelete(&self, permit: &Permit<Delete>, selector: TagOrDigest) -> Result<Undeleted> {
        let since = self.deleted_since(self.clock.now());
        let (root, tags) = match &selector {
            TagOrDigest::Digest(digest) => (digest.clone(), RestoredTags::All),
            TagOrDigest::Tag(tag) => (
                self.find_deleted_tag(permit, tag, since).await?,
                RestoredTags::One(tag.clone()),
            ),
        };
        let mut undeleted = Undeleted {
            digest: root.clone(),
            manifests: 0,
            tags: Vec::new(),
        };
        let mut work = vec![Work::Enter(root.clone())];
        while let Some(next) = work.pop() {
            match next {
                Work::Enter(digest) => work.extend([
                    Work::Followers(digest.clone(), String::new()),
                    Work::Restore(digest.clone()),
                    Work::Children(digest, String::new()),
                ]),
                Work::Children(digest, after) => {
                    self.relations(permit, digest, Relation::Children, after, &mut work)
                        .await?;
                }
                Work::Followers(digest, after) => {
                    self.relations(permit, digest, Relation::Followers, after, &mut work)
                        .await?;
                }
                Work::Restore(digest) => {
                    let tags = if digest == root {
                        tags.clone()
                    } else {
                        RestoredTags::All
                    };
                    let operation = Undelete {
                        repository: permit.repository().clone(),
                        digest,
                        tags,
                        since,
                        actor: permit.actor().to_string(),
                        now: self.clock.now(),
                    };
                    let restored = self.metadata.write(operation).await?;
                    undeleted.manifests += u64::from(restored.manifest);
                    undeleted.tags.extend(restored.tags);
                }
            }
        }
        if undeleted.manifests == 0 && undeleted.tags.is_empty() {
            return Err(Error::ManifestUnknown(selector));
        }
        Ok(undeleted)
    }

    /// Where the tag pointed. One that is there again is not brought back: that would move it.
    async fn find_deleted_tag(&self, permit: &Permit<Delete>, tag: &Tag, since: Millis) -> Result<Digest> {
        let (repository, selector) = (permit.repository(), TagOrDigest::Tag(tag.clone()));
        if self.metadata.find_manifest(repository, &selector).await?.is_some() {
            return Err(Error::PreconditionFailed);
        }
        let found = self.metadata.find_deleted_tag(repository, tag, since).await?;
        found.ok_or(Error::ManifestUnknown(selector))
    }

    /// Puts a page of what stands in `relation` to `digest` on top of the work, and the page after it below.
    async fn relations(
        &self,
        permit: &Permit<Delete>,
        digest: Digest,
        relation: Relation,
        after: String,
        work: &mut Vec<Work>,
    ) -> Result<()> {
        let found = self
            .metadata
            .list_deleted_relations(permit.repository(), &digest, relation, &after, PAGE)
            .await?;
        if let (Some(last), true) = (found.last(), found.len() == PAGE) {
            let after = last.to_string();
            work.push(match relation {
                Relation::Children => Work::Children(digest, after),
                Relation::Followers => Work::Followers(digest, after),
            });
        }
        work.extend(found.into_iter().map(Work::Enter));
        Ok(())
    }
}
