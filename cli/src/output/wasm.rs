//! What a WebAssembly file is, read from its bytes or told by an artifact's config.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;
use wreg_component::{Inspection, ItemKind, Kind};
use wreg_oci::wasm::{Os, WasmConfig};

use super::text::{count, field, one_line};

/// What is known of a module, a component or a WIT package. What only the bytes tell is absent when a config was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Wasm {
    /// `module`, `component` or `wit-package`.
    pub(crate) kind: &'static str,
    /// The world that it was made for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) world: Option<String>,
    /// The WIT package that it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) package: Option<Package>,
    /// What it imports, sorted.
    pub(crate) imports: Vec<Item>,
    /// What it exports, sorted.
    pub(crate) exports: Vec<Item>,
    /// Whether it imports or exports more than is listed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) shortened: bool,
    /// The features that it needs and wasmtime 48 does not run unless told to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) beyond_wasmtime_48: Option<Vec<String>>,
    /// What it was made with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) producers: Option<Vec<Producer>>,
    /// What it says of itself: `name`, `description`, `authors`, `licenses`, `source`, `homepage`, `revision`, `version`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<BTreeMap<&'static str, String>>,
}

/// One import or export.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Item {
    /// The module that a core module imports it from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) module: Option<String>,
    /// Its name, fully qualified with version where it has such a name.
    pub(crate) name: String,
    /// The interface behind a plain name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) implements: Option<String>,
    /// `interface`, `func`, `type`, … ; absent when a config was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<&'static str>,
}

/// A WIT package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) worlds: Vec<String>,
    pub(crate) interfaces: Vec<String>,
}

/// A language, tool or library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Producer {
    /// `language`, `processed-by` or `sdk`.
    pub(crate) field: String,
    pub(crate) name: String,
    pub(crate) version: String,
}

impl Wasm {
    /// What the bytes say.
    pub(crate) fn from_bytes(inspection: &Inspection) -> Self {
        let metadata = &inspection.metadata;
        let told = [
            ("name", &metadata.name),
            ("description", &metadata.description),
            ("authors", &metadata.authors),
            ("licenses", &metadata.licenses),
            ("source", &metadata.source),
            ("homepage", &metadata.homepage),
            ("revision", &metadata.revision),
            ("version", &metadata.version),
        ];
        Self {
            kind: match inspection.kind {
                Kind::Module => "module",
                Kind::Component => "component",
                Kind::WitPackage => "wit-package",
            },
            world: inspection.world.clone(),
            package: inspection.package.as_ref().map(|package| Package {
                name: package.name.clone(),
                worlds: package.worlds.clone(),
                interfaces: package.interfaces.clone(),
            }),
            imports: inspection.imports.iter().map(Item::from_inspected).collect(),
            exports: inspection.exports.iter().map(Item::from_inspected).collect(),
            shortened: inspection.shortened,
            beyond_wasmtime_48: Some(inspection.beyond_wasmtime_48.iter().map(ToString::to_string).collect()),
            producers: Some(
                inspection
                    .producers
                    .iter()
                    .map(|producer| Producer {
                        field: producer.field.clone(),
                        name: producer.name.clone(),
                        version: producer.version.clone(),
                    })
                    .collect(),
            ),
            metadata: Some(
                told.into_iter()
                    .filter_map(|(name, text)| Some((name, text.clone()?)))
                    .collect(),
            ),
        }
    }

    /// What an artifact's config says.
    pub(crate) fn from_config(config: &WasmConfig) -> Self {
        let named = |names: &[String]| names.iter().map(Item::plain).collect();
        let component = config.component.as_ref();
        Self {
            kind: match config.os {
                Os::Wasip1 => "module",
                Os::Wasip2 => "component",
            },
            world: component.and_then(|component| component.target.clone()),
            package: None,
            imports: component.map(|component| named(&component.imports)).unwrap_or_default(),
            exports: component.map(|component| named(&component.exports)).unwrap_or_default(),
            shortened: false,
            beyond_wasmtime_48: None,
            producers: None,
            metadata: None,
        }
    }

    /// What it is, as it stands in a sentence.
    pub(crate) fn noun(&self) -> &'static str {
        match self.kind {
            "module" => "core module",
            "wit-package" => "WIT package",
            kind => kind,
        }
    }
}

impl Item {
    fn plain(name: impl Into<String>) -> Self {
        Self {
            module: None,
            name: name.into(),
            implements: None,
            kind: None,
        }
    }

    fn from_inspected(item: &wreg_component::Item) -> Self {
        Self {
            module: item.module.clone(),
            name: item.name.clone(),
            implements: item.implements.clone(),
            kind: Some(match item.kind {
                ItemKind::Interface => "interface",
                ItemKind::Func => "func",
                ItemKind::Type => "type",
                ItemKind::Value => "value",
                ItemKind::Component => "component",
                ItemKind::Module => "module",
                ItemKind::Table => "table",
                ItemKind::Memory => "memory",
                ItemKind::Global => "global",
                ItemKind::Tag => "tag",
            }),
        }
    }

    fn line(&self) -> String {
        let kind = self
            .kind
            .filter(|kind| *kind != "interface")
            .map(|kind| format!(" ({kind})"));
        let implements = self.implements.as_ref().map(|interface| format!(" = {interface}"));
        format!(
            "{}{}{}",
            self.name,
            implements.unwrap_or_default(),
            kind.unwrap_or_default()
        )
    }
}

impl Producer {
    fn line(&self) -> String {
        let space = if self.version.is_empty() { "" } else { " " };
        format!("{}{space}{} ({})", self.name, self.version, self.field)
    }
}

/// A line for each name; for what core modules import, a line for each module.
fn lines(names: &[Item]) -> Vec<String> {
    let mut modules: BTreeMap<&str, u64> = BTreeMap::new();
    let mut lines = Vec::new();
    for name in names {
        match &name.module {
            Some(module) => *modules.entry(module).or_default() += 1,
            None => lines.push(name.line()),
        }
    }
    lines.extend(
        modules
            .into_iter()
            .map(|(module, number)| format!("{module} ({})", count(number, "name"))),
    );
    if lines.is_empty() {
        lines.push("nothing".to_owned());
    }
    lines
}

/// Labelled lines, without a heading.
impl fmt::Display for Wasm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        field(f, "world", &self.world)?;
        if let Some(package) = &self.package {
            field(f, "package", [&package.name])?;
            field(f, "worlds", &package.worlds)?;
            field(f, "interfaces", &package.interfaces)?;
        } else {
            field(f, "imports", lines(&self.imports))?;
            field(f, "exports", lines(&self.exports))?;
            field(f, "", self.shortened.then_some("… and more than are listed"))?;
        }
        for feature in self.beyond_wasmtime_48.iter().flatten() {
            field(
                f,
                "needs",
                [format!("{feature}, which wasmtime 48 runs only when told to")],
            )?;
        }
        for (name, text) in self.metadata.iter().flatten() {
            field(f, name, [one_line(text)])?;
        }
        let producers = self.producers.iter().flatten();
        field(f, "made with", producers.map(Producer::line))
    }
}
