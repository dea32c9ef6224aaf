//! The result of `wreg diff`, and what changed in an interface, which `wreg check` tells too.

use std::fmt;

use serde::Serialize;
use wreg_component::{Change, Comparison, Level};
use wreg_oci::Digest;

use super::text::{count, field, one_line, size};

/// What differs between two files.
#[derive(Debug, Serialize)]
pub(crate) struct Differences {
    pub(crate) old: Compared,
    pub(crate) new: Compared,
    /// Whether both have the same bytes.
    pub(crate) identical: bool,
    /// What changed in the interface; absent where the two cannot be compared.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(crate) interface: Option<Interface>,
    /// Why the two cannot be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) incomparable: Option<String>,
    /// The least version that the newer one may have, if the version of the older one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_version: Option<String>,
    /// What else differs: producers, and what each says of itself.
    pub(crate) besides: Vec<Difference>,
}

/// One of two files.
#[derive(Debug, Serialize)]
pub(crate) struct Compared {
    /// The file as it was named, or `host/repository@digest`.
    pub(crate) name: String,
    /// `module`, `component` or `wit-package`.
    pub(crate) kind: &'static str,
    /// In bytes.
    pub(crate) size: u64,
    /// Of the WebAssembly itself.
    pub(crate) digest: Digest,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
}

/// What changed in an interface.
#[derive(Debug, Serialize)]
pub(crate) struct Interface {
    pub(crate) level: Level,
    /// What breaks first.
    pub(crate) changes: Vec<Told>,
    /// Whether there are more changes than are listed.
    pub(crate) shortened: bool,
}

/// One change, and the sentence that says it.
#[derive(Debug, Serialize)]
pub(crate) struct Told {
    #[serde(flatten)]
    change: Change,
    sentence: String,
}

/// Something that one file has and the other has not, or has otherwise.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Difference {
    pub(crate) what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<String>,
}

impl From<Comparison> for Interface {
    fn from(comparison: Comparison) -> Self {
        let told = |change: Change| Told {
            sentence: change.to_string(),
            change,
        };
        Self {
            level: comparison.level,
            changes: comparison.changes.into_iter().map(told).collect(),
            shortened: comparison.shortened,
        }
    }
}

/// The changes in two groups, each under its heading. Nothing for none.
impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (breaking, others): (Vec<_>, Vec<_>) = self.changes.iter().partition(|told| told.change.breaking);
        for (heading, changes) in [("breaking changes", breaking), ("other changes", others)] {
            if !changes.is_empty() {
                writeln!(f, "{heading}:")?;
            }
            for told in changes {
                writeln!(f, "  {}", one_line(&told.sentence))?;
            }
        }
        if self.shortened {
            writeln!(
                f,
                "there are more than these {}",
                count(self.changes.len() as u64, "change")
            )?;
        }
        Ok(())
    }
}

impl Compared {
    fn line(&self) -> String {
        let version = self.version.as_ref().map(|version| format!(" {version}"));
        format!(
            "{}: {}{}, {}, {}",
            self.name,
            noun(self.kind),
            version.unwrap_or_default(),
            size(self.size),
            self.digest
        )
    }
}

fn noun(kind: &'static str) -> &'static str {
    match kind {
        "module" => "core module",
        "wit-package" => "WIT package",
        kind => kind,
    }
}

impl Difference {
    fn line(&self) -> String {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => format!("{}: {after} instead of {before}", self.what),
            (None, Some(after)) => format!("{}: {after}, and none before", self.what),
            (before, None) => format!(
                "{}: none, and {} before",
                self.what,
                before.as_deref().unwrap_or("none")
            ),
        }
    }
}

impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(interface) = &self.interface {
            interface.fmt(f)?;
        }
        let level = match (&self.interface, &self.incomparable) {
            (Some(interface), _) if interface.level == Level::Same => {
                "same: nothing changed in the interface".to_owned()
            }
            (Some(interface), _) => interface.level.to_string(),
            (None, why) => format!("unknown: {}", why.as_deref().unwrap_or("nothing was compared")),
        };
        field(f, "level", [level])?;
        field(
            f,
            "version",
            self.next_version.iter().map(|next| format!("{next} or later")),
        )?;
        field(f, "old", [self.old.line()])?;
        field(f, "new", [self.new.line()])?;
        if self.identical {
            field(f, "bytes", ["the same"])?;
        }
        field(f, "besides", self.besides.iter().map(Difference::line))
    }
}
