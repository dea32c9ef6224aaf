//! The results of `wreg add`, `lock` and `fetch`.

use std::fmt;

use serde::Serialize;

use crate::wit::{Content, Entry, Filled, Placed};

/// A package that is fixed.
#[derive(Debug, Serialize)]
pub(crate) struct Fixed {
    /// `namespace:name`.
    pub(crate) package: String,
    pub(crate) version: String,
    /// What was asked for.
    pub(crate) requirement: String,
    /// As the configuration calls it.
    pub(crate) registry: Option<String>,
    /// Of the content.
    pub(crate) digest: String,
}

impl From<&Entry> for Fixed {
    fn from(entry: &Entry) -> Self {
        Self {
            package: entry.package.to_string(),
            version: entry.version.to_string(),
            requirement: entry.requirement.to_string(),
            registry: entry.registry.clone(),
            digest: entry.digest.to_string(),
        }
    }
}

impl fmt::Display for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}@{} {}", self.package, self.version, self.digest)
    }
}

/// The result of `wreg lock`.
#[derive(Debug, Serialize)]
pub(crate) struct Locked {
    /// Whether `wkg.lock` was written.
    pub(crate) changed: bool,
    pub(crate) packages: Vec<Fixed>,
}

impl fmt::Display for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.packages.iter().try_for_each(|package| package.fmt(f))
    }
}

/// The result of `wreg fetch`.
#[derive(Debug, Serialize)]
pub(crate) struct FetchedPackages {
    /// Whether `wkg.lock` was written.
    pub(crate) lock_changed: bool,
    /// Everything in `wit/deps`.
    pub(crate) packages: Vec<PackageFile>,
    /// The packages that the text refers to, and that are not in `wit/deps`.
    pub(crate) missing: Vec<String>,
}

/// A package in `wit/deps`.
#[derive(Debug, Serialize)]
pub(crate) struct PackageFile {
    /// `namespace:name@version`.
    pub(crate) package: String,
    /// The file with its text.
    pub(crate) file: String,
}

impl FetchedPackages {
    pub(crate) fn new(filled: &Filled, lock_changed: bool) -> Self {
        let file = |placed: &Placed| PackageFile {
            package: placed.id.to_string(),
            file: placed.file.clone(),
        };
        Self {
            lock_changed,
            packages: filled.placed.iter().map(file).collect(),
            missing: filled.dangling.iter().map(ToString::to_string).collect(),
        }
    }
}

impl fmt::Display for FetchedPackages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.packages
            .iter()
            .try_for_each(|package| writeln!(f, "{}", package.file))
    }
}

/// The result of `wreg add`.
#[derive(Debug, Serialize)]
pub(crate) struct Added {
    pub(crate) packages: Vec<AddedPackage>,
}

/// A package that was added.
#[derive(Debug, Serialize)]
pub(crate) struct AddedPackage {
    #[serde(flatten)]
    pub(crate) fixed: Fixed,
    /// The names by which text refers to its interfaces.
    pub(crate) interfaces: Vec<String>,
}

impl AddedPackage {
    pub(crate) fn new(entry: &Entry, content: &Content) -> Self {
        let version = content.id.version.as_ref();
        let version = version.map_or_else(String::new, |version| format!("@{version}"));
        let name = |interface: &String| format!("{}/{interface}{version}", content.id.package);
        Self {
            fixed: entry.into(),
            interfaces: content.interfaces.iter().map(name).collect(),
        }
    }
}

impl fmt::Display for Added {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.packages.iter().try_for_each(|package| package.fixed.fmt(f))
    }
}
