//! `Cargo.lock`: the packages that a Rust program is built from.
//!
//! Source: The Cargo Book, "Cargo.toml vs Cargo.lock", and `cargo::core::resolver::encode`: TOML, with a table for each package. One without
//! a source is in the workspace.

use std::{collections::BTreeSet, path::Path};

use serde::{Deserialize, de::IgnoredAny};
use wreg_component::{Dependency, DependencyKind};

use crate::{error::CliError, files};

/// The most bytes of it.
const MAX_BYTES: u64 = 16 << 20;

/// How crates.io is called in it.
const CRATES_IO: [&str; 2] = [
    "registry+https://github.com/rust-lang/crates.io-index",
    "sparse+https://index.crates.io/",
];

#[derive(Deserialize)]
struct Lock {
    package: Option<Vec<Package>>,
    /// What wkg.lock has.
    packages: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    source: Option<String>,
}

/// The packages that it locks, sorted.
pub(crate) fn read(path: &Path) -> Result<Vec<Dependency>, CliError> {
    let file = path.display();
    let text = files::read_named(path, MAX_BYTES)?;
    let lock: Lock = toml::from_str(&text)
        .map_err(|error| CliError::failed(format!("{file} is no lock file of Cargo")).because(error))?;
    let Some(packages) = lock.package else {
        return Err(if lock.packages.is_some() {
            CliError::failed(format!(
                "{file} locks WIT packages, which are interfaces without code: no advisories are about them"
            ))
            .hint("audit the component that was built, or the Cargo.lock that it was built with")
        } else {
            CliError::failed(format!("{file} lists no packages")).hint("the Cargo.lock of a Rust program is wanted")
        });
    };
    let packages: BTreeSet<_> = packages.iter().map(dependency).collect();
    Ok(packages.into_iter().collect())
}

/// In the words of a list in a component.
fn dependency(package: &Package) -> Dependency {
    let source = match package.source.as_deref() {
        None => "local",
        Some(source) if CRATES_IO.contains(&source) => "crates.io",
        Some(source) if source.starts_with("git+") => "git",
        Some(_) => "registry",
    };
    Dependency {
        name: wreg_component::printable(&package.name),
        version: wreg_component::printable(&package.version),
        source: source.to_owned(),
        kind: DependencyKind::Runtime,
    }
}
