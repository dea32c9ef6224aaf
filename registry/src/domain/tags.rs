//! The list of a repository's tags.

use wreg_oci::{Page, Tag};

use super::{Error, Registry, Result};
use crate::auth::{Permit, permit::Pull};

/// A part of a list, and whether more follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// The entries.
    pub entries: Vec<T>,
    /// Whether there are entries after these.
    pub more: bool,
}

impl<T> Listed<T> {
    /// At most `limit` of `entries`, which hold one more if there is more.
    pub(super) fn cut(mut entries: Vec<T>, limit: usize) -> Self {
        let more = entries.len() > limit && limit > 0;
        entries.truncate(limit);
        Self { entries, more }
    }
}

impl Registry {
    /// The tags in the order of their bytes (end-8): all of them, unless the page asks for fewer.
    pub async fn list_tags(&self, permit: &Permit<Pull>, page: &Page) -> Result<Listed<Tag>> {
        let name = permit.repository();
        if self.metadata.find_settings(name).await?.is_none() {
            return Err(Error::NameUnknown(name.clone()));
        }
        let after = page.last.as_deref().unwrap_or_default();
        let tags = self.metadata.list_tags(name, after, page.n.map(|n| n + 1)).await?;
        let limit = page.n.unwrap_or(tags.len());
        Ok(Listed::cut(tags, limit))
    }
}
