//! What the registry itself puts beside an artifact: small blobs, manifests and a tag, together with the end of the job that made them.

use bytes::Bytes;
use wreg_oci::{Digest, Manifest, RepositoryName, Tag};

use super::{
    Operation, Result, Touched, Tx,
    blobs::{Place, Publish, PutBlob},
    events::SERVER,
    go_through,
    jobs::{self, Claim},
    manifests::{Precondition, Put, PutManifest},
    on_db, repositories,
    repositories::Settings,
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
    pub(crate) defaults: Settings,
    pub(crate) now: Millis,
}

impl Operation for PutAttachments {
    type Output = Attached;

    fn touched(&self) -> Touched<'_> {
        Touched::Repository(self.repository.as_str())
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Attached> {
        repositories::lock(tx, &self.repository).await?;
        for (tag, before) in self.attachments.iter().filter_map(|attachment| attachment.tag.as_ref()) {
            let now: Option<(String,)> = on_db!(tx, db => sqlx::query_as("SELECT digest FROM tags WHERE repository = $1 AND name = $2")
                .bind(self.repository.as_str())
                .bind(tag.as_str())
                .fetch_optional(db)
                .await)?;
            if now.map(|(digest,)| digest).as_deref() != before.as_ref().map(Digest::as_str) {
                return Ok(Attached::TagMoved);
            }
        }
        if !jobs::done(tx, &self.claim).await? {
            return Ok(Attached::Lost);
        }
        let is_there = on_db!(tx, db => sqlx::query("SELECT 1 FROM manifests WHERE repository = $1 AND digest = $2")
            .bind(self.repository.as_str())
            .bind(self.subject.as_str())
            .fetch_optional(db)
            .await
            .map(|row| row.is_some()))?;
        if !is_there {
            return Ok(Attached::Done);
        }
        for attachment in &self.attachments {
            for (digest, bytes) in &attachment.blobs {
                let blob = Publish(PutBlob {
                    repository: self.repository.clone(),
                    digest: digest.clone(),
                    size: bytes.len() as u64,
                    place: Place::Row(bytes.clone()),
                    upload: None,
                    leased_until: self.leased_until,
                    defaults: self.defaults,
                    actor: SERVER.to_owned(),
                    now: self.now,
                });
                go_through(&blob, tx).await?;
            }
            let put = PutManifest {
                repository: self.repository.clone(),
                digest: attachment.digest.clone(),
                manifest: attachment.manifest.clone(),
                content: attachment.content.clone(),
                tags: attachment.tag.iter().map(|(tag, _)| tag.clone()).collect(),
                precondition: Precondition::None,
                component: None,
                versions_stay: false,
                may_create_tags: true,
                may_update_tags: true,
                defaults: self.defaults,
                actor: SERVER.to_owned(),
                now: self.now,
            };
            if let Some(refused @ (Put::Missing(_) | Put::SizeDiffers(_) | Put::TagImmutable { .. })) =
                go_through(&put, tx).await?
            {
                tracing::warn!(repository = %self.repository, ?refused, "what the registry attaches was refused");
            }
        }
        Ok(Attached::Done)
    }
}
