//! WIT packages that belong together, unfolded into the text of each package that is in them.
//!
//! A WIT package in binary form carries, of every package that it refers to, what it needs. Several binaries may carry parts of
//! the same package, and one of them may be that package: they are views of one thing, and are laid over each other. Where a package
//! is there itself, the views of others must not add to it.

use std::collections::{BTreeMap, HashMap};

use wit_component::DecodedWasm;
use wit_parser::{PackageId, PackageName, Resolve, UnresolvedPackageGroup};

use super::{InvalidWit, MAX_WIT_TEXT, WitFile, print::print, read_apart, source::parse};
use crate::{
    text::{MAX_NAME, printable},
    validate::{Kind, validate},
};

/// The most bytes of the texts of all packages together: 16 MiB.
pub const MAX_WIT_PACKAGES: usize = 16 << 20;

/// A WIT package to unfold.
#[derive(Debug, Clone, Copy)]
pub enum WitPart<'a> {
    /// In binary form.
    Binary(&'a [u8]),
    /// As text: all the files of the package.
    Text(&'a [WitFile]),
}

/// The text of one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitPackage {
    /// `namespace:package@version`, without `@version` where it has none. Whoever made the binary chose it.
    pub name: String,
    /// The package alone: those that it refers to have texts of their own.
    pub text: String,
}

/// The text of every package in `parts`, sorted by name, in whatever order the parts are.
///
/// # Errors
///
/// [`InvalidWit`] if a part is not a valid WIT package, if one carries of another what that one has not, if a text refers to what
/// none of them has, or if a text is longer than [`MAX_WIT_TEXT`], all together longer than [`MAX_WIT_PACKAGES`]. Whether two
/// agree is looked at by the names of what is in them; where a type is told in two ways, the package's own way is taken.
pub fn wit_packages(parts: &[WitPart<'_>]) -> Result<Vec<WitPackage>, InvalidWit> {
    for part in parts {
        if let WitPart::Binary(bytes) = part
            && validate(bytes)?.kind != Kind::WitPackage
        {
            return Err(InvalidWit::new("not a WIT package but a module or component"));
        }
    }
    read_apart(|| merge(parts)?.texts())
}

/// A part that was read.
struct Part {
    /// The packages that it is.
    holds: Vec<PackageName>,
    /// The packages that must be there before it.
    after: Vec<PackageName>,
    content: Content,
}

enum Content {
    Binary(Resolve),
    Text(UnresolvedPackageGroup),
}

impl Part {
    fn read(part: &WitPart<'_>) -> Result<Self, InvalidWit> {
        match part {
            WitPart::Binary(bytes) => {
                let decoded = wit_component::decode(bytes).map_err(|error| InvalidWit::new(format!("{error:#}")))?;
                let DecodedWasm::WitPackage(resolve, main) = decoded else {
                    return Err(InvalidWit::new("not a WIT package but a component"));
                };
                let main = resolve.packages[main].name.clone();
                let names = resolve.packages.iter().map(|(_, package)| &package.name);
                Ok(Self {
                    after: names.filter(|name| **name != main).cloned().collect(),
                    holds: vec![main],
                    content: Content::Binary(resolve),
                })
            }
            WitPart::Text(files) => {
                let group = parse(files)?;
                let packages = || group.nested.iter().chain([&group.main]);
                Ok(Self {
                    after: packages()
                        .flat_map(|package| package.foreign_deps.keys().cloned())
                        .collect(),
                    holds: packages().map(|package| package.name.clone()).collect(),
                    content: Content::Text(group),
                })
            }
        }
    }
}

/// All parts in one, and the text that each package that is there itself had before others were laid over it.
struct Merged {
    resolve: Resolve,
    own: HashMap<PackageId, String>,
    /// How many bytes more these texts may have together.
    left: usize,
}

fn merge(parts: &[WitPart<'_>]) -> Result<Merged, InvalidWit> {
    let mut parts = parts.iter().map(Part::read).collect::<Result<Vec<_>, _>>()?;
    parts.sort_by(|one, other| one.holds.cmp(&other.holds));
    let order = order(&parts);
    let mut parts: Vec<_> = parts.into_iter().map(Some).collect();
    let mut merged = Merged {
        resolve: Resolve {
            // What is marked as unstable is for whoever reads the text to leave out.
            all_features: true,
            ..Resolve::default()
        },
        own: HashMap::new(),
        left: MAX_WIT_PACKAGES,
    };
    for part in order.into_iter().filter_map(|index| parts[index].take()) {
        merged.add(part)?;
    }
    Ok(merged)
}

impl Merged {
    fn add(&mut self, part: Part) -> Result<(), InvalidWit> {
        match part.content {
            Content::Binary(resolve) => {
                let cannot = |error| InvalidWit::new(format!("{}: {error:#}", list(&part.holds)));
                self.resolve.merge(resolve).map_err(cannot)?;
            }
            Content::Text(group) => {
                if let Err(error) = self.resolve.push_group(group) {
                    let (kind, span) = (error.kind(), error.kind().span());
                    return Err(InvalidWit::new(format!(
                        "{}: {kind}",
                        self.resolve.render_location(span)
                    )));
                }
            }
        }
        for name in &part.holds {
            if let Some(id) = self.resolve.package_names.get(name) {
                let text = self.text(*id, MAX_WIT_TEXT.min(self.left))?;
                self.left -= text.len();
                self.own.insert(*id, text);
            }
        }
        Ok(())
    }

    fn text(&self, id: PackageId, max: usize) -> Result<String, InvalidWit> {
        let name = &self.resolve.packages[id].name;
        let cannot = |error| InvalidWit::new(format!("the text of {name} cannot be written: {error}"));
        let printed = print(&self.resolve, id, &[], max).map_err(cannot)?;
        if printed.truncated {
            return Err(InvalidWit::new(format!(
                "the text of {name} is longer than {MAX_WIT_TEXT} bytes, or all texts together than {MAX_WIT_PACKAGES}"
            )));
        }
        Ok(printed.text)
    }

    fn texts(&self) -> Result<Vec<WitPackage>, InvalidWit> {
        let (mut packages, mut left) = (Vec::new(), MAX_WIT_PACKAGES);
        for (id, package) in &self.resolve.packages {
            let text = self.text(id, MAX_WIT_TEXT.min(left))?;
            if self.own.get(&id).is_some_and(|own| *own != text) {
                return Err(InvalidWit::new(format!(
                    "a package that refers to {} carries of it what it has not",
                    package.name
                )));
            }
            left -= text.len();
            let name = printable(&package.name.to_string(), MAX_NAME);
            packages.push(WitPackage { name, text });
        }
        packages.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(packages)
    }
}

fn list(names: &[PackageName]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The indices of `parts`, each after those that hold what it refers to: what a package says of itself comes before what others
/// carry of it. A circle is broken somewhere.
fn order(parts: &[Part]) -> Vec<usize> {
    let holders: BTreeMap<_, _> = parts
        .iter()
        .enumerate()
        .flat_map(|(index, part)| part.holds.iter().map(move |name| (name, index)))
        .collect();
    let (mut order, mut is_seen) = (Vec::new(), vec![false; parts.len()]);
    for root in 0..parts.len() {
        // What was begun, and how many of those before it were looked at.
        let mut begun = vec![(root, 0)];
        while let Some((index, next)) = begun.pop() {
            if next == 0 && std::mem::replace(&mut is_seen[index], true) {
                continue;
            }
            match parts[index].after.get(next) {
                None => order.push(index),
                Some(name) => {
                    begun.push((index, next + 1));
                    begun.extend(holders.get(name).map(|holder| (*holder, 0)));
                }
            }
        }
    }
    order
}
