//! A folder with advisories. They are read one by one, and of each nothing is kept but what was found with it.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use serde::Serialize;
use wreg_component::{
    Dependency, DependencyKind,
    advisories::{Advisory, Affects, Form, InvalidAdvisory, MAX_ADVISORY, may_be_about},
};

use crate::error::CliError;

/// How deep folders are looked into. That of RustSec has two levels.
const MAX_DEPTH: usize = 16;

/// How many files that are no advisories are named.
const MAX_UNREAD: usize = 100;

/// A folder with advisories.
pub(crate) struct Database {
    pub(crate) folder: PathBuf,
    /// What is passed over: what an advisory is called, or what kind it is of.
    pub(crate) ignore: Vec<String>,
}

/// An advisory that is about a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Finding {
    pub(crate) id: String,
    pub(crate) package: String,
    pub(crate) version: String,
    pub(crate) kind: DependencyKind,
    pub(crate) title: String,
    pub(crate) aliases: Vec<String>,
    /// A CVSS vector, or a word.
    pub(crate) severity: Option<String>,
    /// `unmaintained`, `unsound` or `notice`, if it is no vulnerability.
    pub(crate) informational: Option<String>,
    /// The versions that are not affected, or requirements of them.
    pub(crate) fixed: Vec<String>,
}

/// A file in the folder that could not be read as an advisory.
#[derive(Debug, Serialize)]
pub(crate) struct Unread {
    pub(crate) file: String,
    pub(crate) why: String,
    /// Whether it may be about one of the packages.
    pub(crate) matters: bool,
}

/// What came of it.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Compared {
    /// Sorted.
    pub(crate) findings: Vec<Finding>,
    /// How many advisories were read; withdrawn ones and those of other ecosystems do not count.
    pub(crate) advisories: u64,
    /// How many were about a package, and were passed over because they are to be ignored.
    pub(crate) ignored: u64,
    /// Those of which it is unclear: the version of the package is none.
    pub(crate) unclear: Vec<Finding>,
    /// Files that are no advisories, of which 100 are named.
    pub(crate) unread: Vec<Unread>,
    /// How many those are.
    pub(crate) unread_count: u64,
    /// Whether one of those may be about a package.
    #[serde(skip)]
    pub(crate) unread_matters: bool,
}

/// The packages that are looked for, by name.
type Wanted<'a> = HashMap<&'a str, Vec<&'a Dependency>>;

/// Why a file was not read.
enum Failure {
    Io(io::Error),
    Invalid(InvalidAdvisory, Vec<u8>),
}

impl Database {
    /// Compares all advisories with the packages. It reads files, so it is called where that may wait.
    pub(crate) fn compare(&self, packages: &[Dependency]) -> Result<Compared, CliError> {
        let mut wanted = Wanted::new();
        for package in packages.iter().filter(|package| package.is_of_crates_io()) {
            wanted.entry(&package.name).or_default().push(package);
        }
        let mut compared = Compared::default();
        let cannot =
            |folder: &Path, error| CliError::failed(format!("cannot read {}", folder.display())).because(error);
        let mut folders = vec![(self.folder.clone(), 0)];
        while let Some((folder, depth)) = folders.pop() {
            for entry in fs::read_dir(&folder).map_err(|error| cannot(&folder, error))? {
                let entry = entry.map_err(|error| cannot(&folder, error))?;
                let path = entry.path();
                let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
                match self.form(&path) {
                    _ if hidden => {}
                    _ if is_folder && depth < MAX_DEPTH => folders.push((path, depth + 1)),
                    Some(form) if path.is_file() => self.take(&path, form, &wanted, &mut compared),
                    _ => {}
                }
            }
        }
        compared.findings.sort();
        compared.unclear.sort();
        compared.unread.sort_by(|one, other| one.file.cmp(&other.file));
        Ok(compared)
    }

    fn form(&self, path: &Path) -> Option<Form> {
        let parts = path.strip_prefix(&self.folder).ok()?.iter();
        let parts: Vec<_> = parts.map(|part| part.to_string_lossy()).collect();
        Form::of(&parts.join("/"))
    }

    fn take(&self, path: &Path, form: Form, wanted: &Wanted<'_>, compared: &mut Compared) {
        match read(path, form) {
            Ok(None) => {}
            Ok(Some(advisory)) => {
                compared.advisories += 1;
                self.look(&advisory, wanted, compared);
            }
            Err(failure) => {
                compared.unread_count += 1;
                let in_its_folder = || {
                    path.iter()
                        .any(|part| part.to_str().is_some_and(|part| wanted.contains_key(part)))
                };
                let (why, matters) = match failure {
                    Failure::Io(error) => (error.to_string(), in_its_folder()),
                    Failure::Invalid(invalid, bytes) => (
                        invalid.to_string(),
                        in_its_folder() || may_be_about(&bytes, |name| wanted.contains_key(name)),
                    ),
                };
                compared.unread_matters |= matters;
                if compared.unread.len() < MAX_UNREAD {
                    let file = path.display().to_string();
                    compared.unread.push(Unread { file, why, matters });
                }
            }
        }
    }

    fn look(&self, advisory: &Advisory, wanted: &Wanted<'_>, compared: &mut Compared) {
        let is_ignored = |name: &String| advisory.is_called(name) || advisory.informational.as_ref() == Some(name);
        let ignored = self.ignore.iter().any(is_ignored);
        let mut names: Vec<_> = advisory.packages().collect();
        names.sort_unstable();
        names.dedup();
        for package in names.iter().filter_map(|name| wanted.get(name)).flatten() {
            let (found, fixed) = match advisory.affects(package) {
                Affects::No => continue,
                _ if ignored => {
                    compared.ignored += 1;
                    continue;
                }
                Affects::Yes(fixed) => (&mut compared.findings, fixed.to_vec()),
                Affects::Unclear => (&mut compared.unclear, Vec::new()),
            };
            found.push(Finding {
                id: advisory.id.clone(),
                package: package.name.clone(),
                version: package.version.clone(),
                kind: package.kind,
                title: advisory.title.clone(),
                aliases: advisory.aliases.clone(),
                severity: advisory.severity.clone(),
                informational: advisory.informational.clone(),
                fixed,
            });
        }
    }
}

/// Reads a file, no more of it than an advisory may have.
fn read(path: &Path, form: Form) -> Result<Option<Advisory>, Failure> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(Failure::Io)?;
    file.take(MAX_ADVISORY as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(Failure::Io)?;
    Advisory::parse(form, &bytes).map_err(|invalid| Failure::Invalid(invalid, bytes))
}
