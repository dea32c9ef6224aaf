//! WIT text as people write it, and the packages that it refers to.

use std::collections::BTreeSet;

use wit_parser::{SourceMap, UnresolvedPackageGroup};

use super::{InvalidWit, read_apart};

/// A file of WIT text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitFile {
    /// What to call it where something is wrong in it.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// What the text of a package says of packages. Names are written `namespace:package@version`, without `@version` where the text
/// names none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitSource {
    /// The package itself.
    pub package: String,
    /// The packages that it refers to and does not hold itself, sorted.
    pub references: Vec<String>,
}

/// Reads the files of one package: what it is called, and which other packages it refers to. Whether those have what is asked of
/// them is not looked at.
///
/// # Errors
///
/// [`InvalidWit`] for text that is not WIT, with file, line and column; for files that name different packages, or none.
pub fn wit_source(files: &[WitFile]) -> Result<WitSource, InvalidWit> {
    read_apart(|| {
        let group = parse(files)?;
        let packages = || group.nested.iter().chain([&group.main]);
        let own: BTreeSet<_> = packages().map(|package| &package.name).collect();
        let references: BTreeSet<_> = packages()
            .flat_map(|package| package.foreign_deps.keys())
            .filter(|name| !own.contains(name))
            .map(ToString::to_string)
            .collect();
        Ok(WitSource {
            package: group.main.name.to_string(),
            references: references.into_iter().collect(),
        })
    })
}

/// The packages of the text: the main one, and those that stand in it in blocks of their own.
pub(super) fn parse(files: &[WitFile]) -> Result<UnresolvedPackageGroup, InvalidWit> {
    let length: usize = files.iter().map(|file| file.text.len() + 1).sum();
    if u32::try_from(length).is_err() {
        return Err(InvalidWit::new("more than 4 GiB of WIT text"));
    }
    let mut map = SourceMap::default();
    for file in files {
        map.push_str(&file.path, file.text.as_str());
    }
    map.parse().map_err(|(map, error)| {
        let (kind, span) = (error.kind(), error.kind().span());
        InvalidWit::new(if span.is_known() {
            format!("{}: {kind}", map.render_location(span))
        } else {
            kind.to_string()
        })
    })
}
