//! A WIT project: the text in its folder `wit`, and what that and `wkg.toml` want of other packages.
//!
//! As wkg has it (wasm-pkg-core 0.16.1, `wit::get_packages`, `wit::resolve_dependencies`): whatever package the `.wit` files refer to
//! is wanted, at exactly the version that stands there, or at any version where none stands there; what `wkg.toml` says of a package
//! counts in place of that. Packages on this machine want what their own text refers to.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use semver::{Comparator, Op, Version, VersionReq};
use wreg_component::{InvalidWit, WitFile, WitSource, wit_source};

use super::{
    manifest::{MANIFEST, Manifest, Override},
    name::{InvalidName, PackageId, PackageName},
};
use crate::{error::CliError, files::read_text};

/// The folder of the text.
pub(crate) const WIT: &str = "wit";

/// The most files of a package, the most bytes of all of them, and the most packages that a project may want.
const MAX_FILES: usize = 1000;
const MAX_TEXT: u64 = 8 << 20;
const MAX_WANTED: usize = 1000;

/// A WIT project.
#[derive(Debug)]
pub(crate) struct Project {
    pub(crate) folder: PathBuf,
    pub(crate) manifest: Manifest,
    /// The package that the text is.
    pub(crate) package: String,
    /// The text of each package that `wkg.toml` says is on this machine.
    pub(crate) local: Vec<Vec<WitFile>>,
    /// What the text refers to, that of packages on this machine included.
    pub(crate) references: BTreeSet<PackageId>,
}

/// A package that is wanted from a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) package: PackageName,
    pub(crate) requirement: VersionReq,
    /// The version that the text names, if it decides: a requirement does not tell builds of a version apart.
    pub(crate) exact: Option<Version>,
}

impl Project {
    /// Reads the project in `folder`.
    pub(crate) fn read(folder: PathBuf) -> Result<Self, CliError> {
        let manifest = Manifest::read(&folder)?;
        let files = read_folder(&folder, Path::new(WIT)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => CliError::usage("there is no folder wit here")
                .hint("run the command in the folder of a WIT project, whose text is in wit"),
            _ => cannot_read(Path::new(WIT), error),
        })?;
        let WitSource { package, references } = wit_source(&files).map_err(|invalid| not_wit(&invalid))?;
        let mut project = Self {
            folder,
            package,
            local: Vec::new(),
            references: parsed(&references)?,
            manifest,
        };
        for (package, counts) in &project.manifest.overrides {
            if let Override::Path(path) = counts {
                let files = read_package(&project.folder, path).map_err(|error| cannot_read(path, error))?;
                let source = wit_source(&files).map_err(|invalid| not_wit(&invalid))?;
                if source.package.split('@').next() != Some(&package.to_string()) {
                    return Err(CliError::no(format!(
                        "{MANIFEST} says that {package} is in {}, and there is {}",
                        path.display(),
                        source.package
                    )));
                }
                project.references.append(&mut parsed(&source.references)?);
                project.local.push(files);
            }
        }
        Ok(project)
    }

    /// What it wants from registries, sorted by package.
    pub(crate) fn wanted(&self) -> Result<Vec<Wanted>, CliError> {
        let mut wanted = BTreeMap::new();
        for (package, counts) in &self.manifest.overrides {
            if let Override::Version(requirement) = counts {
                let one = Wanted {
                    package: package.clone(),
                    requirement: requirement.clone(),
                    exact: None,
                };
                wanted.insert((package.clone(), None), one);
            }
        }
        for id in &self.references {
            if !self.manifest.overrides.contains_key(&id.package) {
                let one = Wanted {
                    package: id.package.clone(),
                    requirement: id.version.as_ref().map_or(VersionReq::STAR, exactly),
                    exact: id.version.clone(),
                };
                wanted.insert((id.package.clone(), id.version.clone()), one);
            }
        }
        if wanted.len() > MAX_WANTED {
            return Err(CliError::no(format!(
                "the project refers to more than {MAX_WANTED} packages"
            )));
        }
        Ok(wanted.into_values().collect())
    }
}

/// The requirement `=version`.
pub(crate) fn exactly(version: &Version) -> VersionReq {
    VersionReq {
        comparators: vec![Comparator {
            op: Op::Exact,
            major: version.major,
            minor: Some(version.minor),
            patch: Some(version.patch),
            pre: version.pre.clone(),
        }],
    }
}

fn parsed(names: &[String]) -> Result<BTreeSet<PackageId>, CliError> {
    let parse = |name: &String| {
        name.parse().map_err(|invalid: InvalidName| {
            CliError::no(format!("the WIT text refers to {name}, which no registry can have")).because(invalid)
        })
    };
    names.iter().map(parse).collect()
}

fn not_wit(invalid: &InvalidWit) -> CliError {
    CliError::no(format!("the WIT text cannot be read: {invalid}"))
}

fn cannot_read(path: &Path, error: io::Error) -> CliError {
    CliError::failed(format!("cannot read {}", path.display())).because(error)
}

/// The files of the package at `path`, a folder or a file of WIT text.
fn read_package(root: &Path, path: &Path) -> io::Result<Vec<WitFile>> {
    if root.join(path).is_dir() {
        return read_folder(root, path);
    }
    let text = read_text(&root.join(path), MAX_TEXT)?.ok_or(io::ErrorKind::NotFound)?;
    Ok(vec![WitFile {
        path: path.display().to_string(),
        text,
    }])
}

/// The `.wit` files in the folder `path`, sorted, without those of folders in it. Symbolic links to files are followed, as by other
/// tools of WIT.
fn read_folder(root: &Path, path: &Path) -> io::Result<Vec<WitFile>> {
    let mut names: Vec<_> = fs::read_dir(root.join(path))?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<io::Result<_>>()?;
    names.retain(|name| Path::new(name).extension().is_some_and(|extension| extension == "wit"));
    names.sort();
    if names.len() > MAX_FILES {
        return Err(io::Error::other(format!("it has more than {MAX_FILES} files")));
    }
    let (mut files, mut left) = (Vec::new(), MAX_TEXT);
    for name in names {
        let (shown, file) = (path.join(&name), root.join(path).join(&name));
        if file.is_dir() {
            continue;
        }
        let with_path = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", shown.display()));
        let text = read_text(&file, left).map_err(with_path)?.unwrap_or_default();
        left -= text.len() as u64;
        files.push(WitFile {
            path: shown.display().to_string(),
            text,
        });
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(files: &[(&str, &str)]) -> (tempfile::TempDir, Result<Project, CliError>) {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a new folder");
            fs::write(path, text).expect("a new file");
        }
        let project = Project::read(folder.path().to_owned());
        (folder, project)
    }

    fn wanted(files: &[(&str, &str)]) -> Vec<String> {
        let (_folder, project) = project(files);
        let wanted = project.and_then(|project| project.wanted()).expect("a project");
        wanted
            .iter()
            .map(|one| format!("{} {}", one.package, one.requirement))
            .collect()
    }

    const WORLD: &str = "package acme:app;
world app {
  import acme:greet/greeting@1.0.0;
  import acme:types/names@0.2.0-rc.1+build;
  import acme:free/any;
}";

    #[test]
    fn what_the_text_refers_to_is_wanted() {
        let more = "package acme:app; interface more { use acme:greet/x@1.1.0.{y}; }";
        let deps = "package not:read; interface i { use acme:never/x.{y}; }";
        assert_eq!(
            wanted(&[
                ("wit/world.wit", WORLD),
                ("wit/more.wit", more),
                ("wit/deps/x/package.wit", deps)
            ]),
            [
                "acme:free *",
                "acme:greet =1.0.0",
                "acme:greet =1.1.0",
                "acme:types =0.2.0-rc.1"
            ]
        );
    }

    #[test]
    fn what_the_manifest_says_counts_in_place_of_the_text() {
        let manifest = "[overrides]
\"acme:greet\" = { version = \"^1\" }
\"acme:types\" = { path = \"../acme/types\" }
\"acme:more\" = { version = \"2\" }";
        let (folder, read) = project(&[("wit/world.wit", WORLD), ("wkg.toml", manifest)]);
        assert!(read.is_err(), "there are no types");
        drop(folder);
        let manifest = manifest.replace("../acme", "acme");
        let types = "package acme:types@0.1.0; interface i { use acme:deep/x@3.0.0.{y}; use acme:greet/x@9.0.0.{z}; }";
        assert_eq!(
            wanted(&[
                ("wit/world.wit", WORLD),
                ("wkg.toml", &manifest),
                ("acme/types/types.wit", types)
            ]),
            ["acme:deep =3.0.0", "acme:free *", "acme:greet ^1", "acme:more ^2"]
        );
        let other = types.replace("acme:types", "acme:other");
        let (_folder, read) = project(&[
            ("wit/world.wit", WORLD),
            ("wkg.toml", &manifest),
            ("acme/types/types.wit", &other),
        ]);
        assert!(
            read.expect_err("another package")
                .to_string()
                .contains("acme:other@0.1.0")
        );
    }

    #[test]
    fn a_project_has_text_that_can_be_read() {
        for (files, words) in [
            ([("wkg.toml", "")], "no folder wit"),
            ([("wit/readme.md", "")], "cannot be read"),
            ([("wit/world.wit", "package acme:app; world {")], "wit/world.wit:1:25"),
            (
                [("wit/world.wit", "package a:b; interface i { use A:b/c.{d}; }")],
                "refers to A:b",
            ),
        ] {
            let (_folder, read) = project(&files);
            let error = read.expect_err(words);
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
