//! `wkg.toml`: what a project wants of packages beyond what its WIT text says.
//!
//! Source: wasm-pkg-core 0.16.1, `manifest`. In `[overrides]` a package has a `path`, where it is on this machine, or a `version`,
//! the requirement that counts in place of what the text names. That is also how wkg can be told of a package to which no text refers
//! yet. `[metadata]` says what a package is published with.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use semver::VersionReq;
use serde::Deserialize;
use toml_edit::{DocumentMut, Item, Table, value};

use super::name::PackageName;
use crate::{
    error::CliError,
    files::{read_text, replace},
};

/// Its name.
pub(crate) const MANIFEST: &str = "wkg.toml";

/// The most bytes of it.
const MAX_BYTES: u64 = 4 << 20;

/// A `wkg.toml`, or that there is none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manifest {
    path: PathBuf,
    text: String,
    pub(crate) overrides: BTreeMap<PackageName, Override>,
}

/// What counts in place of what the WIT text says of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Override {
    /// It is there, on this machine.
    Path(PathBuf),
    /// A version that this allows.
    Version(VersionReq),
}

#[derive(Deserialize)]
struct Text {
    #[serde(default)]
    overrides: BTreeMap<String, Entry>,
    workspace: Option<toml::Value>,
}

#[derive(Deserialize)]
struct Entry {
    path: Option<PathBuf>,
    version: Option<String>,
}

impl Manifest {
    /// Reads that of `folder`.
    pub(crate) fn read(folder: &Path) -> Result<Self, CliError> {
        let path = folder.join(MANIFEST);
        let text = read_text(&path, MAX_BYTES)
            .map_err(|error| CliError::failed(format!("cannot read {MANIFEST}")).because(error))?;
        Self::parse(path, text.unwrap_or_default())
    }

    fn parse(path: PathBuf, text: String) -> Result<Self, CliError> {
        let read: Text =
            toml::from_str(&text).map_err(|error| CliError::no(format!("{MANIFEST} cannot be read")).because(error))?;
        if read.workspace.is_some() {
            return Err(
                CliError::no(format!("{MANIFEST} describes a workspace, which wreg does not know")).hint(
                    "run the command in the folder of one of its members, with a wkg.toml of its own if it needs one",
                ),
            );
        }
        let overrides = read.overrides.into_iter();
        let overrides = overrides.filter_map(|(name, entry)| entry.read(&name).transpose());
        Ok(Self {
            path,
            text,
            overrides: overrides.collect::<Result<_, _>>()?,
        })
    }

    /// The same where `package` has to be of a version that `requirement` allows. Everything else in the text stays as it is.
    pub(crate) fn with_version(self, package: &PackageName, requirement: &VersionReq) -> Result<Self, CliError> {
        let not_a_table = || {
            CliError::no(format!(
                "in {MANIFEST} overrides is no table, or {package} in it is none"
            ))
        };
        let mut document: DocumentMut = self
            .text
            .parse()
            .map_err(|error| CliError::no(format!("{MANIFEST} cannot be read")).because(error))?;
        let overrides = document.entry("overrides").or_insert(Item::Table(Table::new()));
        let overrides = overrides.as_table_like_mut().ok_or_else(not_a_table)?;
        let key = package.to_string();
        if let Some(entry) = overrides.get_mut(&key) {
            let entry = entry.as_table_like_mut().ok_or_else(not_a_table)?;
            entry.insert("version", value(requirement.to_string()));
        } else {
            let entry = [("version", requirement.to_string())].into_iter().collect();
            overrides.insert(&key, value::<toml_edit::InlineTable>(entry));
        }
        Self::parse(self.path, document.to_string())
    }

    /// Writes it, if there is anything else there.
    pub(crate) fn write(&self) -> Result<(), CliError> {
        let cannot = |error| CliError::failed(format!("cannot write {MANIFEST}")).because(error);
        if read_text(&self.path, MAX_BYTES).map_err(cannot)?.unwrap_or_default() != self.text {
            replace(&self.path, self.text.as_bytes()).map_err(cannot)?;
        }
        Ok(())
    }
}

impl Entry {
    /// `None` for an entry that says nothing, which wkg passes over too.
    fn read(self, name: &str) -> Result<Option<(PackageName, Override)>, CliError> {
        let wrong = |what: String| CliError::no(format!("{MANIFEST} cannot be read: {what}"));
        let package = name
            .parse()
            .map_err(|invalid| wrong(format!("{name:?} in [overrides] is no name")).because(invalid))?;
        let counts = match (self.path, self.version) {
            (Some(path), _) => Override::Path(path),
            (None, Some(version)) => Override::Version(version.parse().map_err(|invalid: semver::Error| {
                wrong(format!("the version {version:?} of {name} is no requirement")).because(invalid)
            })?),
            (None, None) => return Ok(None),
        };
        Ok(Some((package, counts)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Manifest, CliError> {
        Manifest::parse(PathBuf::new(), text.to_owned())
    }

    fn with(text: &str, package: &str, requirement: &str) -> String {
        let requirement = requirement.parse().expect("a requirement");
        let package = package.parse().expect("a name");
        let manifest = parsed(text).and_then(|manifest| manifest.with_version(&package, &requirement));
        manifest.expect("a manifest").text
    }

    #[test]
    fn a_path_counts_before_a_version_and_nothing_counts_nothing() {
        let manifest = parsed(
            "[overrides]\n\"a:b\" = { path = \"../b\", version = \"1\" }\n\"a:c\" = { version = \"1.2\" }\n\"a:d\" = {}\n",
        )
        .expect("a manifest");
        let expected = [
            ("a:b".parse().expect("a name"), Override::Path("../b".into())),
            (
                "a:c".parse().expect("a name"),
                Override::Version("^1.2".parse().expect("a requirement")),
            ),
        ];
        assert_eq!(manifest.overrides, expected.into());
    }

    #[test]
    fn what_cannot_be_understood_is_refused() {
        for text in [
            "overrides = 1",
            "[overrides]\n\"a\" = { version = \"1\" }",
            "[overrides]\n\"a:b\" = { version = \"one\" }",
            "[workspace]\nmembers = []",
            "[",
        ] {
            assert!(parsed(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_version_is_added_and_everything_else_stays() {
        assert_eq!(
            with("", "acme:hello", "=1.2.0"),
            "[overrides]\n\"acme:hello\" = { version = \"=1.2.0\" }\n"
        );
        let text =
            "# Ours.\n[overrides] # as it was\n\"a:b\" = { version = '1' } # why\n\n[metadata]\nauthors = \"Ada\"\n";
        assert_eq!(with(text, "a:b", "=1.1.0"), text.replace("'1'", "\"=1.1.0\""));
        assert_eq!(
            with(text, "a:c", "^2"),
            text.replace("# why\n", "# why\n\"a:c\" = { version = \"^2\" }\n")
        );
        assert_eq!(
            with("overrides = { \"a:b\" = { version = \"1\" } }\n", "a:b", "*"),
            "overrides = { \"a:b\" = { version = \"*\" } }\n"
        );
    }
}
