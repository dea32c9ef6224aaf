//! Imports and exports.

use serde::{Deserialize, Serialize};
use wasmparser::{
    ComponentExportSectionReader, ComponentExternName, ComponentExternalKind, ComponentImportSectionReader, Error,
    ExportSectionReader, ExternalKind, ImportSectionReader, TypeRef,
};

use crate::text::{MAX_NAME, printable};

/// How many imports, and how many exports, are listed.
const MAX_ITEMS: usize = 10_000;

/// One import or export.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Item {
    /// The module that a core module imports it from; `None` for everything else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// Its name: `wasi:http/types@0.2.6` for an interface with a name of its own, a plain name otherwise.
    pub name: String,
    /// The interface that stands behind a plain name, if the component says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub implements: Option<String>,
    /// What it is.
    pub kind: ItemKind,
}

/// What is imported or exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ItemKind {
    /// An interface: an instance, in the component model's words.
    Interface,
    /// A function.
    Func,
    /// A type.
    Type,
    /// A value.
    Value,
    /// A component.
    Component,
    /// A core module.
    Module,
    /// A table of a core module.
    Table,
    /// A memory of a core module.
    Memory,
    /// A global of a core module.
    Global,
    /// A tag of a core module.
    Tag,
}

/// The list in the making.
#[derive(Default)]
pub(super) struct Items {
    items: Vec<Item>,
    pub(super) shortened: bool,
}

impl Items {
    pub(super) fn add_module_imports(&mut self, section: ImportSectionReader<'_>) -> Result<(), Error> {
        for import in section.into_imports() {
            let import = import?;
            let kind = match import.ty {
                TypeRef::Func(_) | TypeRef::FuncExact(_) => ItemKind::Func,
                TypeRef::Table(_) => ItemKind::Table,
                TypeRef::Memory(_) => ItemKind::Memory,
                TypeRef::Global(_) => ItemKind::Global,
                TypeRef::Tag(_) => ItemKind::Tag,
            };
            self.add(Some(import.module), import.name, None, kind);
        }
        Ok(())
    }

    pub(super) fn add_module_exports(&mut self, section: ExportSectionReader<'_>) -> Result<(), Error> {
        for export in section {
            let export = export?;
            let kind = match export.kind {
                ExternalKind::Func | ExternalKind::FuncExact => ItemKind::Func,
                ExternalKind::Table => ItemKind::Table,
                ExternalKind::Memory => ItemKind::Memory,
                ExternalKind::Global => ItemKind::Global,
                ExternalKind::Tag => ItemKind::Tag,
            };
            self.add(None, export.name, None, kind);
        }
        Ok(())
    }

    pub(super) fn add_imports(&mut self, section: ComponentImportSectionReader<'_>) -> Result<(), Error> {
        for import in section {
            let import = import?;
            self.add_extern(&import.name, import.ty.kind());
        }
        Ok(())
    }

    pub(super) fn add_exports(&mut self, section: ComponentExportSectionReader<'_>) -> Result<(), Error> {
        for export in section {
            let export = export?;
            self.add_extern(&export.name, export.kind);
        }
        Ok(())
    }

    fn add_extern(&mut self, name: &ComponentExternName<'_>, kind: ComponentExternalKind) {
        let kind = match kind {
            ComponentExternalKind::Instance => ItemKind::Interface,
            ComponentExternalKind::Func => ItemKind::Func,
            ComponentExternalKind::Type => ItemKind::Type,
            ComponentExternalKind::Value => ItemKind::Value,
            ComponentExternalKind::Component => ItemKind::Component,
            ComponentExternalKind::Module => ItemKind::Module,
        };
        self.add(None, &name.full_name(), name.full_implements().as_deref(), kind);
    }

    fn add(&mut self, module: Option<&str>, name: &str, implements: Option<&str>, kind: ItemKind) {
        if self.items.len() == MAX_ITEMS {
            self.shortened = true;
            return;
        }
        self.items.push(Item {
            module: module.map(|module| printable(module, MAX_NAME)),
            name: printable(name, MAX_NAME),
            implements: implements.map(|interface| printable(interface, MAX_NAME)),
            kind,
        });
    }

    pub(super) fn sorted(mut self) -> Vec<Item> {
        self.items.sort();
        self.items
    }
}
