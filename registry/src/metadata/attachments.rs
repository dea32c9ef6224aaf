//! What the registry itself puts beside an artifact: small blobs, manifests and a tag, together with the end of the job that made them.

use std::{
    collections::{BTreeMap, HashSet},
    sync::LazyLock,
};

use bytes::Bytes;
use wreg_oci::{Digest, Manifest, RepositoryName, Tag};

use super::{
    Error, Operation, Result, Touched, Trips, Tx, blobs, deletions, edges,
    events::SERVER,
    go_through,
    group::{Answers, Group, Rows},
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
        group.add(
            "SELECT 1 FROM deleted_manifests WHERE repository = $1 LIMIT 1",
            [repository.into()],
        );
        let manifests: Vec<_> = self.manifests().map(|digest| vec![digest.as_str().into()]).collect();
        WHICH.add(group, &[repository.into()], &manifests);
        for (tag, _) in self.tags() {
            group.add(
                "SELECT digest FROM tags WHERE repository = $1 AND name = $2",
                [repository.into(), tag.as_str().into()],
            );
        }
    }

    fn answered(&self, answers: &mut Answers, then: &mut Group) -> Result<Option<Attached>> {
        repositories::locked(answers)?;
        let has_job = answers.row::<(i32,)>()?.is_some();
        let has_deleted = answers.row::<(i32,)>()?.is_some();
        let mut there = HashSet::new();
        for _ in 0..Rows::statements(self.manifests().count()) {
            there.extend(answers.rows::<(String,)>()?.into_iter().map(|(digest,)| digest));
        }
        for (_, before) in self.tags() {
            let now: Option<(String,)> = answers.row()?;
            if now.map(|(digest,)| digest).as_deref() != before.as_ref().map(Digest::as_str) {
                return Ok(Some(Attached::TagMoved));
            }
        }
        if !has_job {
            return Ok(Some(Attached::Lost));
        }
        then.add(
            "DELETE FROM jobs WHERE name = $1 AND fence = $2",
            [self.claim.name.as_str().into(), self.claim.fence.into()],
        );
        if there.contains(self.subject.as_str()) {
            self.store(then, &there, has_deleted);
        }
        Ok(Some(Attached::Done))
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Attached> {
        go_through(self, tx).await?.ok_or(Error::Lost)
    }
}

static WHICH: LazyLock<Rows> = LazyLock::new(|| {
    Rows::new(
        "SELECT digest FROM manifests WHERE repository = $1 AND digest IN ({rows})",
        "?",
        1,
    )
});

impl PutAttachments {
    /// What it looks for: the subject, and what is to be beside it.
    fn manifests(&self) -> impl Iterator<Item = &Digest> {
        std::iter::once(&self.subject).chain(self.attachments.iter().map(|attachment| &attachment.digest))
    }

    fn tags(&self) -> impl Iterator<Item = &(Tag, Option<Digest>)> {
        self.attachments.iter().filter_map(|attachment| attachment.tag.as_ref())
    }

    /// Writes down what is not there. What the registry makes needs none of the checks of a push, and is no news.
    fn store(&self, group: &mut Group, there: &HashSet<String>, has_deleted: bool) {
        let is_new = |attachment: &&NewAttachment| !there.contains(attachment.digest.as_str());
        let new: Vec<_> = self.attachments.iter().filter(is_new).collect();
        // In the order of the digests: no two transactions that write the same ones wait for each other.
        let blobs = new.iter().flat_map(|attachment| &attachment.blobs);
        let blobs: BTreeMap<_, _> = blobs
            .map(|(digest, bytes)| (digest.as_str(), (digest, bytes)))
            .collect();
        let blobs: Vec<_> = blobs.into_values().collect();
        blobs::publish_rows(group, &self.repository, &blobs, self.leased_until, self.now);
        let rows: Vec<_> = new
            .iter()
            .map(|attachment| (&attachment.digest, &attachment.manifest, &*attachment.content))
            .collect();
        manifests::insert(group, &self.repository, &rows, self.now);
        let mut edges = Vec::new();
        for attachment in new {
            if has_deleted {
                deletions::forget(group, &self.repository, &attachment.digest);
            }
            edges.extend(
                attachment
                    .manifest
                    .blobs()
                    .into_iter()
                    .map(|blob| (&attachment.digest, &blob.digest)),
            );
        }
        edges::insert_to_blobs(group, &self.repository, &edges);
        for attachment in &self.attachments {
            if let Some((tag, before)) = &attachment.tag {
                let tag = (tag, before.as_ref());
                tags::put(group, &self.repository, tag, &attachment.digest, SERVER, self.now);
            }
        }
    }
}
