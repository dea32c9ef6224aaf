//! The steps of a pass. Each deals with a bounded number of rows, and can be repeated or left out at any point: what a server that
//! died has not done, the next pass finds again.

use futures_util::{StreamExt as _, stream};
use wreg_oci::{Digest, RepositoryName};

use super::{
    super::{Registry, Result},
    Collection, Progress,
    cursor::{Cursor, Phase},
};
use crate::{
    clock::{Millis, millis},
    metadata::collection::{
        blobs::{ConfirmRemovals, ForgetRemovals, GiveUp, Removal, Unlink},
        manifests::{Follow, Purge},
    },
    storage::BlobKey,
};

/// Manifests that one transaction deletes.
const MANIFESTS: usize = 32;
/// Rows that one transaction takes away: no more than some milliseconds of the one writer's time.
const ROWS: usize = 128;
/// Blobs whose bytes are removed at a time.
const AT_A_TIME: usize = 8;
/// The longest that bytes stay after their blob was given up. A reader looks up where the bytes are and then opens them; it
/// has this long.
const GRACE: std::time::Duration = std::time::Duration::from_mins(1);

/// Where a step ended: the cursor to go on at, or that the job is lost.
enum Next {
    At(Option<Cursor>),
    Lost,
}

impl Registry {
    /// What was deleted, or pushed, until then has been there for a lease at `now`.
    pub(super) fn a_lease_ago(&self, now: Millis) -> Millis {
        now.saturating_sub(millis(self.terms.blob_lease))
    }
}

impl Collection {
    /// Does the next step.
    pub async fn step(&mut self) -> Result<Progress> {
        let Some(cursor) = self.next.clone() else {
            return Ok(Progress::Over);
        };
        let next = match cursor.phase {
            Phase::Followers => self.follow(&cursor).await?,
            Phase::Purge => self.purge(&cursor).await?,
            Phase::Links => self.unlink(&cursor).await?,
            Phase::Blobs => self.give_up(&cursor).await?,
            Phase::Bytes => self.remove(&cursor).await?,
        };
        match next {
            Next::Lost => {
                tracing::warn!("another server has taken the collection over");
                self.next = None;
                Ok(Progress::Lost)
            }
            Next::At(next) => {
                self.next = next;
                Ok(if self.next.is_some() {
                    Progress::More
                } else {
                    Progress::Over
                })
            }
        }
    }

    async fn follow(&mut self, cursor: &Cursor) -> Result<Next> {
        let until = self.registry.a_lease_ago(self.now);
        let [repository, subject, digest] = &cursor.after;
        let found = self
            .registry
            .metadata
            .list_followers((repository, subject, digest), until, MANIFESTS)
            .await?;
        let Some((first, ..)) = found.first().cloned() else {
            return Ok(Next::At(cursor.next_phase()));
        };
        // A transaction locks one repository.
        let of_first = found.into_iter().take_while(|(repository, ..)| *repository == first);
        let (mut followers, mut last) = (Vec::new(), cursor.after.clone());
        for (repository, subject, digest) in of_first {
            match (subject.parse::<Digest>(), digest.parse::<Digest>()) {
                (Ok(subject), Ok(digest)) => followers.push((subject, digest)),
                _ => self.counts.quarantined += 1,
            }
            last = [repository, subject, digest];
        }
        let Ok(repository) = first.parse::<RepositoryName>() else {
            self.counts.quarantined += followers.len() as u64;
            return Ok(Next::At(Some(cursor.after(last))));
        };
        let operation = Follow {
            fence: self.fence(),
            repository,
            followers,
            until,
            now: self.now,
        };
        let Some(gone) = self.registry.metadata.write(operation).await? else {
            return Ok(Next::Lost);
        };
        self.counts.followers += gone;
        Ok(Next::At(Some(cursor.after(last))))
    }

    async fn purge(&mut self, cursor: &Cursor) -> Result<Next> {
        let until = self.registry.deleted_since(self.now);
        let manifests = self.registry.metadata.list_purgeable(until, MANIFESTS).await?;
        if manifests.is_empty() && !self.registry.metadata.has_purgeable_tags(until).await? {
            return Ok(Next::At(cursor.next_phase()));
        }
        let operation = Purge {
            fence: self.fence(),
            manifests,
            until,
        };
        let Some(gone) = self.registry.metadata.write(operation).await? else {
            return Ok(Next::Lost);
        };
        self.counts.purged += gone;
        Ok(Next::At(Some(cursor.clone())))
    }

    async fn unlink(&mut self, cursor: &Cursor) -> Result<Next> {
        let [repository, digest, _] = &cursor.after;
        let window = self
            .registry
            .metadata
            .list_loose_links((repository, digest), self.now)
            .await?;
        for of_one in window.garbage.chunk_by(|(one, _), (other, _)| one == other) {
            for links in of_one.chunks(ROWS) {
                let operation = Unlink {
                    fence: self.fence(),
                    repository: links[0].0.clone(),
                    digests: links.iter().map(|(_, digest)| digest.clone()).collect(),
                    now: self.now,
                };
                let Some(gone) = self.registry.metadata.write(operation).await? else {
                    return Ok(Next::Lost);
                };
                self.counts.links += gone;
            }
        }
        Ok(Next::At(match window.last {
            Some((repository, digest)) => Some(cursor.after([repository, digest, String::new()])),
            None => cursor.next_phase(),
        }))
    }

    async fn give_up(&mut self, cursor: &Cursor) -> Result<Next> {
        let window = self
            .registry
            .metadata
            .list_loose_blobs(&cursor.after[0], self.now, None)
            .await?;
        for blobs in window.garbage.chunks(ROWS) {
            let operation = GiveUp {
                fence: self.fence(),
                digests: blobs.iter().map(|blob| blob.digest.clone()).collect(),
                now: self.now,
            };
            let Some(given_up) = self.registry.metadata.write(operation).await? else {
                return Ok(Next::Lost);
            };
            self.counts.blobs += given_up.blobs;
            self.counts.bytes += given_up.bytes;
            self.counts.removed += given_up.removed;
            self.counts.freed += given_up.freed;
        }
        Ok(Next::At(match window.last {
            Some(digest) => Some(cursor.after([digest, String::new(), String::new()])),
            None => cursor.next_phase(),
        }))
    }

    async fn remove(&mut self, cursor: &Cursor) -> Result<Next> {
        let grace = GRACE.min(self.registry.terms.blob_lease);
        let until = self.now.saturating_sub(millis(grace));
        let removals = self
            .registry
            .metadata
            .list_removals(&cursor.after[0], until, ROWS)
            .await?;
        let Some(last) = removals.last().map(|removal| removal.location.clone()) else {
            return Ok(Next::At(cursor.next_phase()));
        };
        let operation = ConfirmRemovals {
            fence: self.fence(),
            locations: removals.iter().map(|removal| removal.location.clone()).collect(),
        };
        let Some(confirmed) = self.registry.metadata.write(operation).await? else {
            return Ok(Next::Lost);
        };
        self.counts.quarantined += (removals.len() - confirmed.len()) as u64;
        let keys: Vec<BlobKey> = confirmed.iter().filter_map(|location| location.parse().ok()).collect();
        self.counts.quarantined += (confirmed.len() - keys.len()) as u64;
        let gone = self.remove_bytes(keys).await;
        let operation = ForgetRemovals {
            fence: self.fence(),
            locations: gone.clone(),
        };
        if self.registry.metadata.write(operation).await?.is_none() {
            return Ok(Next::Lost);
        }
        let freed = removals.iter().filter(|removal| gone.contains(&removal.location));
        self.counts.removed += gone.len() as u64;
        self.counts.freed += freed.map(Removal::size).sum::<u64>();
        Ok(Next::At(Some(cursor.after([last, String::new(), String::new()]))))
    }

    /// Removes bytes, and gives the locations of those that are gone. One that the store fails to remove does not keep the others.
    async fn remove_bytes(&mut self, keys: Vec<BlobKey>) -> Vec<String> {
        let storage = &self.registry.storage;
        let removed: Vec<(BlobKey, _)> = stream::iter(keys)
            .map(|key| async move {
                let removed = storage.delete(&key).await;
                (key, removed)
            })
            .buffer_unordered(AT_A_TIME)
            .collect()
            .await;
        let mut gone = Vec::new();
        for (key, removed) in removed {
            match removed {
                Ok(()) => gone.push(key.to_string()),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, location = %key, "the bytes of a blob could not be removed; it will be tried again");
                    self.counts.failed += 1;
                }
            }
        }
        gone
    }
}
