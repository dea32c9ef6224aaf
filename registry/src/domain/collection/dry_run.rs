//! What a pass would take, found by the same reads and without a write.

use wreg_api::{Collected, Counts, LooseBlob};

use super::{
    super::{Registry, Result},
    cursor::{Cursor, Phase},
};
use crate::{auth::permit::ServerPermit, metadata::collection::blobs::Removal};

/// Manifests that are looked for at a time.
const MANIFESTS: usize = 1000;

impl Registry {
    /// A bounded part of what a collection would take now, from `cursor` on. A blob counts if the whole pass would take it: also where
    /// it is held only by deleted manifests that the pass would purge.
    pub async fn preview_collection(&self, _permit: &ServerPermit, cursor: Option<Cursor>) -> Result<Collected> {
        let (now, cursor) = (self.clock.now(), cursor.unwrap_or_default());
        let mut part = Collected {
            dry_run: true,
            ..Collected::default()
        };
        let next = match cursor.phase {
            Phase::Followers => {
                let [repository, subject, digest] = &cursor.after;
                let until = self.a_lease_ago(now);
                let found = self
                    .metadata
                    .list_followers((repository, subject, digest), until, MANIFESTS)
                    .await?;
                part.counts.followers = found.len() as u64;
                found
                    .last()
                    .cloned()
                    .map(|(repository, subject, digest)| [repository, subject, digest])
            }
            Phase::Purge => {
                part.counts.purged = self.metadata.count_purgeable(self.deleted_since(now)).await?;
                None
            }
            Phase::Links => {
                let [repository, digest, _] = &cursor.after;
                let window = self.metadata.list_loose_links((repository, digest), now).await?;
                part.counts.links = window.garbage.len() as u64;
                window
                    .last
                    .map(|(repository, digest)| [repository, digest, String::new()])
            }
            Phase::Blobs => {
                let purged = Some(self.deleted_since(now));
                let window = self.metadata.list_loose_blobs(&cursor.after[0], now, purged).await?;
                part.counts = Counts {
                    blobs: window.garbage.len() as u64,
                    bytes: window.garbage.iter().map(|blob| blob.size).sum(),
                    ..Counts::default()
                };
                let loose = window.garbage.into_iter().map(|blob| LooseBlob {
                    digest: blob.digest,
                    size: blob.size,
                });
                part.loose = loose.collect();
                window.last.map(|digest| [digest, String::new(), String::new()])
            }
            Phase::Bytes => {
                let found = self.metadata.list_removals(&cursor.after[0], now, MANIFESTS).await?;
                part.counts.removed = found.len() as u64;
                part.counts.freed = found.iter().map(Removal::size).sum();
                found
                    .last()
                    .map(|removal| [removal.location.clone(), String::new(), String::new()])
            }
        };
        let next = next.map_or_else(|| cursor.next_phase(), |key| Some(cursor.after(key)));
        part.next = next.map(|cursor| cursor.to_string());
        Ok(part)
    }
}
