//! What a file says of itself: what it imports and exports, how it was made, and what it is called.
//!
//! It needs no more than the gate's own parser and types, so a component whose interface WIT cannot express is inspected
//! like any other.

mod items;
mod metadata;
mod package;

use std::{collections::BTreeSet, num::NonZeroUsize, thread};

use serde::{Deserialize, Serialize};
use wasmparser::{Parser, Payload};

use crate::{
    features::{ACCEPTED, Feature},
    invalid::Invalid,
    validate::{Bodies, Kind, Passed, check, pass},
};
pub use items::{Item, ItemKind};
pub(crate) use metadata::own_name;
pub use metadata::{Metadata, Producer};
pub use package::Package;

use items::Items;

/// What a valid file is and says of itself.
///
/// Names and texts are the file's own claims: nothing may be decided by them. Each is made printable, and cut at 1 KiB
/// (names) or 4 KiB (texts) with an ellipsis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspection {
    /// What it is.
    pub kind: Kind,
    /// Its size, in bytes.
    pub size: u64,
    /// The world that it was made for, as `namespace:package/world@version`, if it says so: a core module that waits to
    /// become a component does, and so does a WIT package with a single world. A component does not carry the name.
    pub world: Option<String>,
    /// The WIT package that it is, if it is one.
    pub package: Option<Package>,
    /// What it imports, sorted; at most 10,000.
    pub imports: Vec<Item>,
    /// What it exports, sorted; at most 10,000.
    pub exports: Vec<Item>,
    /// Whether there are more imports or exports than are listed.
    pub shortened: bool,
    /// What it was made with, sorted, nested modules and components included; at most 100.
    pub producers: Vec<Producer>,
    /// What it says about itself.
    pub metadata: Metadata,
    /// The features that it needs and wasmtime 48 does not run unless told to.
    pub beyond_wasmtime_48: Vec<Feature>,
}

impl Inspection {
    /// The names that it imports, sorted and distinct: for a component the fully qualified names of interfaces and the plain
    /// names of the rest, for a core module the names of the modules that it imports from.
    pub fn import_names(&self) -> Vec<&str> {
        names(
            self.imports
                .iter()
                .map(|item| item.module.as_ref().unwrap_or(&item.name)),
        )
    }

    /// The names that it exports, sorted and distinct, fully qualified where they are.
    pub fn export_names(&self) -> Vec<&str> {
        names(self.exports.iter().map(|item| &item.name))
    }

    /// The languages that it was written in, sorted.
    pub fn languages(&self) -> impl Iterator<Item = &Producer> {
        self.producers_in("language")
    }

    /// The tools that made it, sorted.
    pub fn tools(&self) -> impl Iterator<Item = &Producer> {
        self.producers_in("processed-by")
    }

    /// The kits that it was developed with, sorted.
    pub fn sdks(&self) -> impl Iterator<Item = &Producer> {
        self.producers_in("sdk")
    }

    fn producers_in(&self, field: &'static str) -> impl Iterator<Item = &Producer> {
        self.producers.iter().filter(move |producer| producer.field == field)
    }
}

fn names<'a>(names: impl Iterator<Item = &'a String>) -> Vec<&'a str> {
    names.map(String::as_str).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Validates a file that is in memory, its functions on as many threads as there are processors, and says what it is. Memory
/// beyond the validator's is bounded by the lists' limits.
pub fn inspect(bytes: &[u8]) -> Result<Inspection, Invalid> {
    inspect_on(bytes, thread::available_parallelism().unwrap_or(NonZeroUsize::MIN))
}

/// [`inspect`] on up to `threads` threads.
pub(crate) fn inspect_on(bytes: &[u8], threads: NonZeroUsize) -> Result<Inspection, Invalid> {
    let (passed, beyond_wasmtime_48) = check(bytes, threads)?;
    Ok(Inspection {
        beyond_wasmtime_48,
        ..look(bytes, &passed)?
    })
}

/// Says what a file is that somebody has validated before, without a look at its functions' bodies, which is most of the work
/// of [`inspect`] for a file of megabytes. Everything else is validated, and
/// [`Inspection::beyond_wasmtime_48`] is empty.
pub fn outline(bytes: &[u8]) -> Result<Inspection, Invalid> {
    let passed = pass(bytes, ACCEPTED, Bodies::Skip, NonZeroUsize::MIN)?;
    look(bytes, &passed)
}

fn look(bytes: &[u8], passed: &Passed) -> Result<Inspection, Invalid> {
    let mut imports = Items::default();
    let mut exports = Items::default();
    let mut metadata = Metadata::default();
    let mut producers = BTreeSet::new();
    let mut embedded = None;
    let mut depth = 0_u32;
    let mut parser = Parser::new(0);
    parser.set_features(ACCEPTED);
    for payload in parser.parse_all(bytes) {
        match payload? {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ImportSection(section) if depth == 1 => imports.add_module_imports(section)?,
            Payload::ExportSection(section) if depth == 1 => exports.add_module_exports(section)?,
            Payload::ComponentImportSection(section) if depth == 1 => imports.add_imports(section)?,
            Payload::ComponentExportSection(section) if depth == 1 => exports.add_exports(section)?,
            Payload::CustomSection(section) => {
                metadata::read_producers(&section, &mut producers);
                if depth == 1 {
                    metadata.read(&section);
                    // Only the first is looked at: each look is a validation.
                    if section.name().starts_with("component-type") && embedded.is_none() {
                        embedded = Some(package::embedded_world(section.data()));
                    }
                }
            }
            _ => {}
        }
    }
    let package = match passed.kind {
        Kind::WitPackage => package::read(bytes, &passed.types),
        Kind::Module | Kind::Component => None,
    };
    Ok(Inspection {
        kind: passed.kind,
        size: passed.size,
        world: embedded.flatten().or_else(|| package.as_ref()?.only_world()),
        package,
        shortened: imports.shortened || exports.shortened,
        imports: imports.sorted(),
        exports: exports.sorted(),
        producers: producers.into_iter().collect(),
        metadata,
        beyond_wasmtime_48: Vec::new(),
    })
}
