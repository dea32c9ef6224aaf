//! The results of `wreg admin gc` and `wreg undelete`.

use std::fmt;

use serde::Serialize;
use wreg_api::{Collected, Counts, Deleted, DeletedKind, LooseBlob, Undeleted};
use wreg_oci::{Host, Reference, Tag};

use super::text::{count, field, size, time};

/// The result of `wreg admin gc`.
#[derive(Debug, Serialize)]
pub(crate) struct Collection {
    registry: String,
    dry_run: bool,
    /// Nothing is taken before this time, RFC 3339: the clock jumped.
    #[serde(skip_serializing_if = "Option::is_none")]
    held_until: Option<String>,
    #[serde(flatten)]
    counts: Counts,
    /// What would go.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    loose: Vec<LooseBlob>,
}

impl Collection {
    pub(crate) fn new(registry: &Host, dry_run: bool) -> Self {
        Self {
            registry: registry.to_string(),
            dry_run,
            held_until: None,
            counts: Counts::default(),
            loose: Vec::new(),
        }
    }

    pub(crate) fn hold(&mut self, until: i64) {
        self.held_until = Some(time(until));
    }

    pub(crate) fn add(&mut self, part: Collected) {
        self.counts.add(&part.counts);
        self.loose.extend(part.loose);
    }
}

impl fmt::Display for Collection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for LooseBlob { digest, size: bytes } in &self.loose {
            writeln!(f, "{digest}  {}", size(*bytes))?;
        }
        if let Some(until) = &self.held_until {
            writeln!(
                f,
                "nothing is collected before {until}: the registry's clock jumped, or it was not running for long"
            )?;
        }
        let Counts {
            followers,
            purged,
            links,
            blobs,
            bytes,
            removed,
            freed,
            quarantined,
            failed,
        } = self.counts;
        let would = if self.dry_run { "would be " } else { "" };
        for (label, number, text) in [
            ("deleted", followers, "whose subject was deleted"),
            ("purged", purged, "that were deleted long ago"),
        ] {
            field(f, label, [format!("{} {text}", count(number, "manifest"))])?;
        }
        field(
            f,
            "let go",
            [format!(
                "{} by a repository with no manifest of it",
                count(links, "blob")
            )],
        )?;
        field(
            f,
            "given up",
            [format!("{} that nobody holds, {}", count(blobs, "blob"), size(bytes))],
        )?;
        field(
            f,
            "removed",
            [format!("{} given up before, {}", count(removed, "blob"), size(freed))],
        )?;
        if quarantined > 0 {
            field(
                f,
                "kept",
                [format!("{} that cannot be read", count(quarantined, "row"))],
            )?;
        }
        if failed > 0 {
            field(
                f,
                "failed",
                [format!("{}; tried again later", count(failed, "removal"))],
            )?;
        }
        if self.dry_run {
            writeln!(f, "nothing has been taken: this is what {would}collected")?;
        }
        Ok(())
    }
}

/// The result of `wreg undelete`.
#[derive(Debug, Serialize)]
pub(crate) struct Undeletion {
    /// `host/repository@digest`.
    reference: String,
    manifests: u64,
    tags: Vec<Tag>,
}

impl Undeletion {
    pub(crate) fn new(reference: &Reference, undeleted: Undeleted) -> Self {
        Self {
            reference: format!("{}/{}@{}", reference.host, reference.repository, undeleted.digest),
            manifests: undeleted.manifests,
            tags: undeleted.tags,
        }
    }
}

impl fmt::Display for Undeletion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.reference)
    }
}

/// The result of `wreg undelete --list`.
#[derive(Debug, Serialize)]
pub(crate) struct DeletedThings {
    /// `host/repository`.
    pub(crate) repository: String,
    pub(crate) deleted: Vec<DeletedShown>,
}

/// Something that can be brought back.
#[derive(Debug, Serialize)]
pub(crate) struct DeletedShown {
    kind: DeletedKind,
    name: String,
    digest: String,
    /// RFC 3339.
    deleted: String,
    /// RFC 3339.
    kept_until: String,
}

impl DeletedShown {
    pub(crate) fn new(deleted: &Deleted) -> Self {
        Self {
            kind: deleted.kind,
            name: deleted.name.clone(),
            digest: deleted.digest.to_string(),
            deleted: time(deleted.deleted_at),
            kept_until: time(deleted.kept_until),
        }
    }
}

impl fmt::Display for DeletedThings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for thing in &self.deleted {
            match thing.kind {
                DeletedKind::Manifest => write!(f, "{}@{}", self.repository, thing.name)?,
                DeletedKind::Tag => write!(f, "{}:{}", self.repository, thing.name)?,
            }
            writeln!(f, "  kept until {}", thing.kept_until)?;
        }
        Ok(())
    }
}
