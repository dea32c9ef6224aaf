//! What is said of Wasm and WIT that others made and ship in packages, and of what their toolchains make here: a reviewed table, one line a
//! file.
//!
//! `tests/fixtures/shipped.txt` is the table. `WREG_UPDATE=1` writes it anew; look at each line that changed.
#![expect(
    clippy::disallowed_methods,
    reason = "the files are whole in memory here, and the caller's wish comes through the environment"
)]

use std::{
    collections::BTreeSet,
    env,
    fmt::Display,
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    thread,
};

use wit_parser::Resolve;
use wreg_component::{Analysis, Kind, Producer, analyse};
use wreg_harness::fixtures;

/// How many names of a list stand in the table.
const SHOWN: usize = 3;

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/shipped.txt");

const HEADING: &str = "\
# What is said of the Wasm and WIT that packages ship. Written by a test (crates/component/tests/shipped.rs, WREG_UPDATE=1).
# Imports of a core module are the modules that it imports from. A folder of WIT is encoded first, a line for each of its packages.
# Of what toolchains made here stands what does not depend on their versions: packages instead of interfaces, and no sizes.
# file | verdict | bytes | world or package | imports | exports | languages / kits / tools | modules | dependencies | beyond wasmtime 48 | WIT
";

/// Of each language, and for a world of WASI's command line, of its HTTP, and of one's own.
const MADE_HERE: [&str; 6] = ["c", "go", "javascript-web", "javascript", "python", "rust"];

#[test]
fn what_packages_ship_is_seen_as_it_was_reviewed() {
    let Some(folder) = fixtures::packages() else { return };
    let mut lines = Vec::new();
    look_into(&folder, &folder, &mut lines);
    lines.extend(MADE_HERE.iter().filter_map(|name| made_here(name)));
    lines.sort();
    assert!(lines.len() > 50, "only {} files in {}", lines.len(), folder.display());
    let table = format!("{HEADING}{}\n", lines.join("\n"));
    if env::var_os("WREG_UPDATE").is_some() {
        return fs::write(TABLE, table).expect("the table can be written");
    }
    let reviewed = fs::read_to_string(TABLE).expect("the table can be read");
    let only_in = |one: &str, other: &str| {
        let lines = one.lines().filter(|line| !other.lines().any(|known| known == *line));
        lines.collect::<Vec<_>>().join("\n")
    };
    let (gone, new) = (only_in(&reviewed, &table), only_in(&table, &reviewed));
    assert!(
        reviewed == table,
        "WREG_UPDATE=1 writes the table anew.\nno longer so:\n{gone}\nbut so:\n{new}"
    );
}

/// Adds a line for each file below `folder`, and for each package in a folder of WIT.
fn look_into(folder: &Path, packages: &Path, lines: &mut Vec<String>) {
    let name = |path: &Path| {
        let name = path.strip_prefix(packages).expect("it lies in the folder");
        name.to_str().expect("its name is text").to_owned()
    };
    let is_kind = |path: &PathBuf, kind: &str| path.extension().is_some_and(|extension| extension == kind);
    let entries: Vec<_> = fs::read_dir(folder)
        .expect("the folder can be read")
        .map(|entry| entry.expect("an entry can be read").path())
        .collect();
    if folder.ends_with("wit") && entries.iter().any(|path| is_kind(path, "wit")) {
        for (package, bytes) in encoded(folder) {
            lines.push(line(&format!("{} {package}", name(folder)), &bytes));
        }
    }
    for entry in entries {
        if entry.is_dir() {
            look_into(&entry, packages, lines);
        } else if is_kind(&entry, "wasm") {
            lines.push(line(&name(&entry), &fs::read(&entry).expect("the file can be read")));
        }
    }
}

/// Every package in a folder of WIT, in binary form.
fn encoded(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut resolve = Resolve {
        all_features: true,
        ..Resolve::default()
    };
    resolve.push_dir(folder).expect("the WIT is well-formed");
    // One that only gathers others holds nothing, and is encoded as an empty component.
    let packages = resolve
        .packages
        .iter()
        .filter(|(_, package)| !package.worlds.is_empty() || !package.interfaces.is_empty());
    packages
        .map(|(id, package)| {
            let bytes = wit_component::encode(&resolve, id).expect("the package can be encoded");
            (package.name.to_string(), bytes)
        })
        .collect()
}

fn line(name: &str, bytes: &[u8]) -> String {
    let threads = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    match analyse(bytes, threads) {
        Ok(seen) => format!("{name} | {}", columns(&seen).join(" | ")),
        Err(invalid) => {
            let place = invalid.offset.map(|offset| format!(" @{offset}")).unwrap_or_default();
            format!("{name} | invalid: {}{place} | {}", invalid.message, bytes.len())
        }
    }
}

fn made_here(name: &str) -> Option<String> {
    let bytes = fs::read(fixtures::path(&format!("{name}.wasm"))?).expect("it can be read");
    let seen = analyse(&bytes, NonZeroUsize::MIN).expect("toolchains make valid files");
    let inspection = &seen.inspection;
    let packages = |names: Vec<&str>| {
        let version = |name: &str| {
            name.split_once('@')
                .map_or(String::new(), |(_, version)| format!("@{version}"))
        };
        let package = |name: &&str| {
            name.split_once('/')
                .map(|(package, _)| format!("{package}{}", version(name)))
        };
        let all: BTreeSet<String> = names.iter().filter_map(package).collect();
        joined(&all.into_iter().collect::<Vec<_>>())
    };
    let languages: Vec<_> = inspection.languages().map(|language| &language.name).collect();
    Some(format!(
        "made here: {name} | {:?} | imports {} | exports {} | {} | wit: {}",
        inspection.kind,
        packages(inspection.import_names()),
        packages(inspection.export_names()),
        joined(&languages),
        if seen.wit.is_some() { "yes" } else { "no" },
    ))
}

fn columns(seen: &Analysis) -> [String; 10] {
    let inspection = &seen.inspection;
    let kind = match inspection.kind {
        Kind::Module => "module",
        Kind::Component => "component",
        Kind::WitPackage => "WIT package",
    };
    let package = inspection.package.as_ref().map(|package| &package.name);
    let wit = match &seen.wit {
        Some(wit) if wit.truncated => "cut",
        Some(_) => "yes",
        None if inspection.kind == Kind::Module => "",
        None => "no",
    };
    [
        kind.to_owned(),
        inspection.size.to_string(),
        inspection.world.as_ref().or(package).cloned().unwrap_or_default(),
        list(inspection.imports.len(), inspection.import_names()),
        list(inspection.exports.len(), inspection.export_names()),
        format!(
            "{} / {} / {}",
            producers(inspection.languages()),
            producers(inspection.sdks()),
            producers(inspection.tools())
        ),
        seen.modules.len().to_string(),
        seen.dependencies.len().to_string(),
        joined(&inspection.beyond_wasmtime_48),
        wit.to_owned(),
    ]
}

/// How many there are, and the first few names of all.
fn list(count: usize, names: Vec<&str>) -> String {
    let more = if names.len() > SHOWN { ", …" } else { "" };
    let shown = names.into_iter().take(SHOWN).collect::<Vec<_>>().join(", ");
    if count == 0 {
        "0".to_owned()
    } else {
        format!("{count}: {shown}{more}")
    }
}

fn producers<'a>(producers: impl Iterator<Item = &'a Producer>) -> String {
    let all: Vec<_> = producers
        .map(|producer| format!("{} {}", producer.name, producer.version).trim_end().to_owned())
        .collect();
    joined(&all)
}

fn joined<T: Display>(all: &[T]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
