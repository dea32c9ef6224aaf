//! The feed of changes, for indexers, mirrors and runtimes; and the history of a tag.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::time::MissedTickBehavior;
use wreg_api::{EventList, TagHistory};
use wreg_oci::{Tag, TagOrDigest};

use super::{Error, Registry, Result};
use crate::auth::{
    Permit,
    permit::{CatalogPermit, Pull},
};

/// How many events are looked at for one page.
const PAGE: i64 = 500;
/// How often the server looks whether there are new ones.
const TICK: Duration = Duration::from_millis(500);

/// Pages of the feed, the first without end.
pub type Pages = stream::BoxStream<'static, Result<EventList>>;

impl Registry {
    /// The changes after number `after`, as far as one page goes.
    pub async fn list_events(&self, permit: &CatalogPermit, after: i64) -> Result<EventList> {
        let page = self
            .metadata
            .list_events(permit.visible(), after, PAGE, self.clock.now())
            .await?;
        Ok(EventList {
            events: page.events,
            next: page.last,
        })
    }

    /// The changes after number `after`, or from now on, as they come; ends only with an error. An empty page says that nothing has come
    /// for a while.
    pub async fn follow_events(&self, permit: CatalogPermit, after: Option<i64>) -> Result<Pages> {
        let after = match after {
            Some(after) => after,
            None => self.metadata.last_event().await?,
        };
        let registry = self.clone();
        let news = self.news.subscribe();
        let pages = stream::try_unfold(
            (registry, permit, news, after),
            |(registry, permit, mut news, after)| async move {
                // What a missing number holds back comes without news.
                let _ = tokio::time::timeout(QUIET, news.wait_for(|last| *last > after)).await;
                let page = registry.list_events(&permit, after).await?;
                let next = page.next;
                if next == after {
                    news.mark_unchanged();
                    let _ = tokio::time::timeout(TICK, news.changed()).await;
                }
                Ok(Some((page, (registry, permit, news, next))))
            },
        );
        Ok(pages.boxed())
    }

    /// Tells those who follow that there is something new. Never ends.
    pub(super) async fn watch_events(&self) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if self.news.receiver_count() == 0 {
                continue;
            }
            if let Ok(last) = self.metadata.last_event().await {
                self.news
                    .send_if_modified(|known| std::mem::replace(known, last) != last);
            }
        }
    }

    /// Where a tag pointed and when it changed.
    pub async fn tag_history(&self, permit: &Permit<Pull>, tag: Tag) -> Result<TagHistory> {
        let changes = self.metadata.tag_history(permit.repository(), &tag).await?;
        if changes.is_empty() {
            return Err(Error::ManifestUnknown(TagOrDigest::Tag(tag)));
        }
        Ok(TagHistory { tag, changes })
    }
}

/// How long nothing may be said.
const QUIET: Duration = Duration::from_secs(15);
