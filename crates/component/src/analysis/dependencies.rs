//! The packages that a module was made from, as cargo-auditable lists them. A list that is malformed is as good as absent.
//!
//! Source: cargo-auditable, "PARSING.md" and its JSON schema: a section `.dep-v0` with zlib-compressed JSON.

use std::collections::BTreeSet;

use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use serde::{Deserialize, Serialize};

use crate::text::{MAX_NAME, printable};

/// The name of the section.
pub(super) const SECTION: &str = ".dep-v0";

/// What cargo-auditable calls crates.io.
pub(crate) const CRATES_IO: &str = "crates.io";

/// How many packages are listed.
const MAX_DEPENDENCIES: usize = 5_000;

/// How many lists are read: as many as there can be modules and components.
const MAX_LISTS: usize = 1_000;

/// The most that all lists together may be when inflated, in bytes.
const MAX_INFLATED: usize = 2 << 20;

/// A package that a module was made from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Dependency {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it is from: `crates.io`, `git`, `local`, `registry`, or another word.
    pub source: String,
    /// What it was needed for.
    pub kind: DependencyKind,
}

impl Dependency {
    /// Whether it is of crates.io: advisories are about those.
    pub fn is_of_crates_io(&self) -> bool {
        self.source == CRATES_IO
    }
}

/// What a dependency is needed for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DependencyKind {
    /// It is part of the program.
    #[default]
    Runtime,
    /// It only helped to build it.
    Build,
}

#[derive(Deserialize)]
struct List {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    source: String,
    #[serde(default)]
    kind: DependencyKind,
    /// Whether it is the program itself.
    #[serde(default)]
    root: bool,
}

/// The lists of packages in a file, put together: what [`Analysis::dependencies`](super::Analysis::dependencies) has, and how far that can be
/// relied on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DependencyList {
    /// The packages, sorted.
    pub dependencies: Vec<Dependency>,
    /// The programs that the lists are of, sorted.
    pub programs: Vec<Dependency>,
    /// How many lists were read; without any nothing is known of packages.
    pub lists: usize,
    /// Whether a list was malformed, or more than is read.
    pub incomplete: bool,
}

/// The lists of all modules, put together.
#[derive(Default)]
pub(super) struct Dependencies {
    found: BTreeSet<Dependency>,
    programs: BTreeSet<Dependency>,
    /// How many there are.
    lists: usize,
    /// How many of them were read.
    read: usize,
    cut: bool,
    inflated: usize,
}

impl Dependencies {
    /// Adds the packages in `data`, what a section says.
    pub(super) fn add(&mut self, data: &[u8]) {
        let left = MAX_INFLATED - self.inflated;
        if self.lists == MAX_LISTS || left == 0 {
            self.cut = true;
            return;
        }
        self.lists += 1;
        let json = match decompress_to_vec_zlib_with_limit(data, left) {
            Ok(json) => json,
            // It cost as much as if it had been well-formed.
            Err(error) => return self.inflated += error.output.len(),
        };
        self.inflated += json.len();
        let Ok(List { packages }) = serde_json::from_slice(&json) else {
            return;
        };
        self.read += 1;
        for package in packages {
            if self.found.len() + self.programs.len() == MAX_DEPENDENCIES {
                self.cut = true;
                return;
            }
            let list = if package.root {
                &mut self.programs
            } else {
                &mut self.found
            };
            list.insert(Dependency {
                name: printable(&package.name, MAX_NAME),
                version: printable(&package.version, MAX_NAME),
                source: printable(&package.source, MAX_NAME),
                kind: package.kind,
            });
        }
    }

    pub(super) fn finish(self) -> DependencyList {
        DependencyList {
            dependencies: self.found.into_iter().collect(),
            programs: self.programs.into_iter().collect(),
            lists: self.read,
            incomplete: self.cut || self.read < self.lists,
        }
    }
}
