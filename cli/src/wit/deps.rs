//! The folder `wit/deps`: a folder for each package with its text in `package.wit`, as wkg 0.16.1 lays it out and as wit-parser, and
//! with it every generator of bindings, reads it.
//!
//! Both tools take the folder for their own: what no package wants goes. Unlike wkg, wreg removes only what such a tool has put there,
//! and looks before it changes anything.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use wreg_component::WitPackage;

use super::{
    name::PackageId,
    project::{Project, WIT},
};
use crate::{
    error::CliError,
    files::{TEMPORARY, read_text, replace},
};

/// Its name in the folder of the text.
const DEPS: &str = "deps";

/// The text of a package in its folder.
const TEXT: &str = "package.wit";

/// The most bytes of such a text that are read.
const MAX_TEXT: u64 = wreg_component::MAX_WIT_TEXT as u64;

/// What the folder should hold.
pub(crate) struct Deps {
    folder: PathBuf,
    /// By the names of their folders.
    wanted: BTreeMap<String, (PackageId, String)>,
}

/// What is done to the folder.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    stale: Vec<PathBuf>,
}

/// A package that is there.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) id: PackageId,
    /// The file with its text, from the folder of the project.
    pub(crate) file: String,
}

impl Deps {
    /// For these packages. Each must have a name that a folder can have, and a folder of its own.
    pub(crate) fn new(project: &Project, packages: Vec<WitPackage>) -> Result<Self, CliError> {
        let mut wanted = BTreeMap::new();
        for WitPackage { name, text } in packages {
            if name == project.package {
                return Err(CliError::no(format!(
                    "a package refers to {name}, which is this project's own"
                )));
            }
            let id: PackageId = name
                .parse()
                .map_err(|invalid| CliError::no(format!("a package refers to {name:?}")).because(invalid))?;
            if let Some((other, _)) = wanted.insert(id.folder(), (id.clone(), text)) {
                return Err(CliError::no(format!(
                    "{other} and {id} would have the same folder in wit/deps, {}",
                    id.folder()
                )));
            }
        }
        Ok(Self {
            folder: project.folder.join(WIT).join(DEPS),
            wanted,
        })
    }

    /// The packages and their files.
    pub(crate) fn placed(&self) -> Vec<Placed> {
        let placed = self.wanted.iter().map(|(folder, (id, _))| Placed {
            id: id.clone(),
            file: format!("{WIT}/{DEPS}/{folder}/{TEXT}"),
        });
        placed.collect()
    }

    /// Looks at what is there: what can go, and that nothing is in the way that somebody else made.
    pub(crate) fn look(&self) -> Result<Changes, CliError> {
        let cannot = |error| CliError::failed(format!("cannot read {WIT}/{DEPS}")).because(error);
        let mut changes = Changes::default();
        match fs::symlink_metadata(&self.folder) {
            Ok(there) if there.is_dir() => {}
            Ok(_) => return Err(in_the_way("", "is no folder")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(changes),
            Err(error) => return Err(cannot(error)),
        }
        for entry in fs::read_dir(&self.folder).map_err(cannot)? {
            let entry = entry.map_err(cannot)?;
            let (path, kind) = (entry.path(), entry.file_type().map_err(cannot)?);
            let name = entry.file_name().to_string_lossy().into_owned();
            if kind.is_dir() {
                let is_ours = is_ours(&path, &name, self.wanted.contains_key(&name)).map_err(cannot)?;
                if !is_ours {
                    return Err(in_the_way(&name, "was not put there by wreg or wkg"));
                }
                if !self.wanted.contains_key(&name) {
                    changes.stale.push(path);
                }
            } else if !kind.is_file() {
                return Err(in_the_way(&name, "is neither a file nor a folder"));
            } else if self.is_binary_of_wanted(&name) {
                changes.stale.push(path);
            } else if is_read(&name) || self.wanted.contains_key(&name) {
                return Err(in_the_way(&name, "was not put there by wreg or wkg"));
            }
        }
        Ok(changes)
    }

    /// Makes the folder what it should be. Files appear whole, and those that are right are not touched.
    pub(crate) fn write(&self, changes: &Changes) -> Result<(), CliError> {
        let cannot = |path: &Path| {
            let message = format!("cannot write {}", path.display());
            move |error: io::Error| CliError::failed(message).because(error)
        };
        for (name, (_, text)) in &self.wanted {
            let folder = self.folder.join(name);
            let file = folder.join(TEXT);
            fs::create_dir_all(&folder).map_err(cannot(&folder))?;
            let there = read_text(&file, MAX_TEXT).unwrap_or_default();
            if there.as_ref() != Some(text) {
                replace(&file, text.as_bytes()).map_err(cannot(&file))?;
            }
        }
        for path in &changes.stale {
            let removed = if path.is_dir() {
                fs::remove_dir_all(path)
            } else {
                fs::remove_file(path)
            };
            removed.map_err(|error| CliError::failed(format!("cannot remove {}", path.display())).because(error))?;
        }
        Ok(())
    }

    /// Whether a file is a package that is wanted, in the binary form that wkg can write too.
    fn is_binary_of_wanted(&self, name: &str) -> bool {
        name.strip_suffix(".wasm")
            .is_some_and(|stem| self.wanted.contains_key(stem))
    }
}

/// Whether tools of WIT read a file of this name.
fn is_read(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "wit" || extension == "wasm" || extension == "wat")
}

/// Whether a folder holds nothing but the text of a package, which gives the folder its name unless it `may_differ`.
fn is_ours(folder: &Path, name: &str, may_differ: bool) -> io::Result<bool> {
    let mut text = None;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_file = entry.file_type()?.is_file();
        let file = entry.file_name();
        match file.to_str() {
            Some(TEXT) if is_file => text = Some(entry.path()),
            // Of a run that was cut off.
            Some(file) if is_file && file.starts_with(TEMPORARY) => {}
            _ => return Ok(false),
        }
    }
    let Some(text) = text.filter(|_| !may_differ) else {
        return Ok(true);
    };
    let text = read_text(&text, MAX_TEXT)?.unwrap_or_default();
    let mut packages = text
        .lines()
        .filter_map(|line| line.strip_prefix("package ")?.strip_suffix(';'));
    let named = packages.next().and_then(|package| package.parse::<PackageId>().ok());
    Ok(named.is_some_and(|id| id.folder() == name))
}

fn in_the_way(name: &str, why: &str) -> CliError {
    let separator = if name.is_empty() { "" } else { "/" };
    CliError::no(format!("{WIT}/{DEPS}{separator}{name} {why}; nothing was changed")).hint(
        "wit/deps is for packages from registries: move what is your own elsewhere, and name it in wkg.toml, such as\n  \
         [overrides]\n  \"acme:mine\" = { path = \"mine/wit\" }",
    )
}
