//! The sweep: uploads that nobody will finish, and what a crash left of them.
//!
//! Only uploads. A blob that no row knows may be what an older database, put back from a backup, has yet to learn of: that is for the
//! check of store against database to show, and for a person to decide.

use std::time::Duration;

use futures_util::StreamExt as _;

use super::{Registry, Result};
use crate::{
    clock::{Millis, millis},
    metadata::jobs::When,
    storage::{Listed, UploadId},
};

/// The job's name: one server at a time does it.
const JOB: &str = "sweep-uploads";
/// How often.
const INTERVAL: Duration = Duration::from_mins(15);
/// How long a server that died keeps the job from others.
const LEASE: Duration = Duration::from_mins(10);
/// Sessions that are read at a time.
const BATCH: usize = 256;

impl Registry {
    /// Sweeps once, unless another server does or the last sweep is not long ago. Says how many uploads were removed.
    pub async fn sweep_if_due(&self, owner: &str) -> Result<usize> {
        let now = self.clock.now();
        let Some(claim) = self
            .metadata
            .claim_job(JOB, owner, When::Due, now, now.saturating_add(millis(LEASE)))
            .await?
        else {
            return Ok(0);
        };
        let removed = self.sweep(now).await?;
        self.metadata
            .finish_job(claim, now.saturating_add(millis(INTERVAL)))
            .await?;
        Ok(removed)
    }

    async fn sweep(&self, now: Millis) -> Result<usize> {
        let mut removed = self.metadata.forget_expired_uploads(now);
        loop {
            let expired = self.metadata.list_expired_uploads(now, BATCH).await?;
            for id in &expired {
                // The row first: bytes without a row are found below, a row without bytes would look like a session.
                if self.metadata.delete_upload(id).await?
                    && let Ok(id) = id.parse()
                {
                    self.storage.abort(id).await?;
                    removed += 1;
                }
            }
            if expired.len() < BATCH {
                break;
            }
        }
        let mut uploads = self.storage.list_uploads();
        while let Some(upload) = uploads.next().await {
            if let Listed::Object { key, modified, .. } = upload?
                && self.is_orphan(key, modified, now).await?
            {
                self.storage.abort(key).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Bytes of no session that have not grown for as long as a session may rest. A push in one request has no session either, and
    /// cannot rest that long.
    async fn is_orphan(&self, id: UploadId, modified: std::time::SystemTime, now: Millis) -> Result<bool> {
        let modified = modified.duration_since(std::time::UNIX_EPOCH).map_or(0, millis);
        let rested = now.saturating_sub(modified) > millis(self.limits.upload_ttl);
        Ok(rested && !self.metadata.upload_exists(&id.to_string()).await?)
    }
}
