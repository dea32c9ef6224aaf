//! What the registry itself puts beside an artifact: small blobs, manifests and a tag, together with the end of the job that made them.

use std::collections::HashSet;

use bytes::Bytes;
use wreg_oci::{Digest, Manifest, RepositoryName, Tag};

use super::{
    Error, Operation, Result, Touched, Trips, Tx,
    blobs::{self, Place},
    deletions,
    edges::Edge,
    events::SERVER,
    go_through,
    group::{Answers, Group},
    jobs::Claim,
    manifests, repositories, tags,
};
use crate::clock::Millis;

/// A manifest with the blobs that it is made of.
#[derive(Debug, Clone)]
pub(crate) struct NewAttachment {
    pub(crate) blobs: Vec<(Digest, Bytes)>,
    pub(crate) digest: Digest,
    pub(crate) manifest: Manifest,
    pub(crate) content: Vec<u8>,
    /// A tag for it, and where that pointed when this was made of it.
    pub(crate) tag: Option<(Tag, Option<Digest>)>,
}

/// What became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attached {
    /// They are there, or what they are about is not, any more.
    Done,
    /// Somebody else has the job.
    Lost,
    /// The tag points elsewhere by now.
    TagMoved,
}

/// Puts attachments beside a manifest, and ends the job.
pub(crate) struct PutAttachments {
    pub(crate) claim: Claim,
    pub(crate) repository: RepositoryName,
    /// What they are about.
    pub(crate) subject: Digest,
    pub(crate) attachments: Vec<NewAttachment>,
    /// Until when their blobs are kept, named or not.
    pub(crate) leased_until: Millis,
    pub(crate) now: Millis,
}

impl Operation for PutAttachments {
    type Output = Attached;

    fn touched(&self) -> Touched<'_> {
        Touched::Repository(self.repository.as_str())
    }

    fn trips(&self) -> Trips {
        Trips::Two
    }

    fn ask(&self, group: &mut Group) {
        let repository = self.repository.as_str();
        repositories::ask_lock(group, &self.repository);
        group.add(
            "SELECT 1 FROM jobs WHERE name = $1 AND fence = $2",
            [self.claim.name.as_str().into(), self.claim.fence.into()],
        );
        let is_there = "SELECT 1 FROM manifests WHERE repository = $1 AND digest = $2";
        group.add(is_there, [repository.into(), self.subject.as_str().into()]);
        group.add(
            "SELECT 1 FROM deleted_manifests WHERE repository = $1 LIMIT 1",
            [repository.into()],
        );
        for attachment in &self.attachments {
            group.add(is_there, [repository.into(), attachment.digest.as_str().into()]);
            if let Some((tag, _)) = &attachment.tag {
                group.add(
                    "SELECT digest FROM tags WHERE repository = $1 AND name = $2",
                    [repository.into(), tag.as_str().into()],
                );
            }
        }
    }

    fn answered(&self, answers: &mut Answers, then: &mut Group) -> Result<Option<Attached>> {
        repositories::locked(answers)?;
        let mut is_there = || Ok::<_, Error>(answers.row::<(i32,)>()?.is_some());
        let (has_job, has_subject, has_deleted) = (is_there()?, is_there()?, is_there()?);
        let mut new = Vec::new();
        for attachment in &self.attachments {
            let is_new = answers.row::<(i32,)>()?.is_none();
            if let Some((_, before)) = &attachment.tag {
                let now: Option<(String,)> = answers.row()?;
                if now.map(|(digest,)| digest).as_deref() != before.as_ref().map(Digest::as_str) {
                    return Ok(Some(Attached::TagMoved));
                }
            }
            new.push(is_new);
        }
        if !has_job {
            return Ok(Some(Attached::Lost));
        }
        then.add(
            "DELETE FROM jobs WHERE name = $1 AND fence = $2",
            [self.claim.name.as_str().into(), self.claim.fence.into()],
        );
        if has_subject {
            let mut blobs = HashSet::new();
            for (attachment, is_new) in self.attachments.iter().zip(new) {
                if is_new {
                    self.store(then, attachment, &mut blobs, has_deleted);
                }
                if let Some((tag, before)) = &attachment.tag {
                    let tag = (tag, before.as_ref());
                    tags::put(then, &self.repository, tag, &attachment.digest, SERVER, self.now);
                }
            }
        }
        Ok(Some(Attached::Done))
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Attached> {
        go_through(self, tx).await?.ok_or(Error::Lost)
    }
}

impl PutAttachments {
    /// Writes down a manifest and its blobs, but for those that are among `blobs` already. What the registry makes needs none of the checks of
    /// a push, and is no news.
    fn store<'a>(
        &'a self,
        group: &mut Group,
        attachment: &'a NewAttachment,
        blobs: &mut HashSet<&'a Digest>,
        has_deleted: bool,
    ) {
        for (digest, bytes) in &attachment.blobs {
            if blobs.insert(digest) {
                let place = Place::Row(bytes.clone());
                let size = bytes.len() as u64;
                blobs::publish(
                    group,
                    &self.repository,
                    (digest, size),
                    &place,
                    self.leased_until,
                    self.now,
                );
            }
        }
        manifests::insert(
            group,
            &self.repository,
            (&attachment.digest, &attachment.manifest, &attachment.content),
            self.now,
        );
        if has_deleted {
            deletions::forget(group, &self.repository, &attachment.digest);
        }
        for (kind, targets) in [
            (Edge::Blob, attachment.manifest.blobs()),
            (Edge::Manifest, attachment.manifest.manifests()),
        ] {
            kind.insert(group, &self.repository, &attachment.digest, &targets);
        }
    }
}
