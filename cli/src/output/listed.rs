//! The results of `wreg tags` and `wreg repository`.

use std::fmt;

use serde::Serialize;
use wreg_api::{Repository, Visibility};
use wreg_oci::{Host, Tag};

use super::text::{count, field, size, time};

/// The result of `wreg tags`.
#[derive(Debug, Serialize)]
pub(crate) struct Tags {
    /// `host/repository`.
    pub(crate) repository: String,
    pub(crate) tags: Vec<Tag>,
}

impl fmt::Display for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tags.iter().try_for_each(|tag| writeln!(f, "{tag}"))
    }
}

/// The result of `wreg repository list`.
#[derive(Debug, Serialize)]
pub(crate) struct Repositories {
    pub(crate) registry: String,
    pub(crate) repositories: Vec<RepositoryShown>,
}

/// One repository: the result of `wreg repository show` and `set`.
#[derive(Debug, Serialize)]
pub(crate) struct RepositoryShown {
    /// `host/repository`.
    pub(crate) repository: String,
    pub(crate) visibility: &'static str,
    pub(crate) immutable_tags: &'static str,
    pub(crate) missing_references: &'static str,
    pub(crate) deletable: bool,
    pub(crate) components: &'static str,
    pub(crate) tags: u64,
    pub(crate) manifests: u64,
    /// The bytes of its blobs, each counted once.
    pub(crate) size: u64,
    /// RFC 3339.
    pub(crate) created: String,
}

impl RepositoryShown {
    pub(crate) fn new(host: &Host, repository: &Repository) -> Self {
        Self {
            repository: format!("{host}/{}", repository.name),
            visibility: repository.visibility.as_str(),
            immutable_tags: repository.immutable_tags.as_str(),
            missing_references: repository.missing_references.as_str(),
            deletable: repository.deletable,
            components: repository.components.as_str(),
            tags: repository.tags,
            manifests: repository.manifests,
            size: repository.size,
            created: time(repository.created_at),
        }
    }
}

impl fmt::Display for Repositories {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self
            .repositories
            .iter()
            .map(|shown| shown.repository.len())
            .max()
            .unwrap_or_default();
        for shown in &self.repositories {
            let visibility = if shown.visibility == Visibility::Public.as_str() {
                "public "
            } else {
                "private"
            };
            let tags = count(shown.tags, "tag");
            writeln!(
                f,
                "{:width$}  {visibility}  {tags:>8}  {:>10}",
                shown.repository,
                size(shown.size)
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for RepositoryShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.repository)?;
        for (label, text) in [
            ("visibility", self.visibility.to_owned()),
            ("immutable tags", self.immutable_tags.to_owned()),
            ("missing references", self.missing_references.to_owned()),
            ("deletable", self.deletable.to_string()),
            ("components", self.components.to_owned()),
            ("tags", self.tags.to_string()),
            ("manifests", self.manifests.to_string()),
            ("size", size(self.size)),
            ("created", self.created.clone()),
        ] {
            field(f, &format!("{label:20}"), [text])?;
        }
        Ok(())
    }
}
