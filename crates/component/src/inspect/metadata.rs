//! What custom sections say: name, description, authors, licences, producers. One that is malformed is as good as absent.
//!
//! Source: WebAssembly/tool-conventions, "ProducersSection.md"; the WebAssembly specification's and the component model's
//! name sections; the sections named after the OCI image annotations, as wasm-metadata writes them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use wasmparser::{ComponentName, CustomSectionReader, KnownCustom, Name};

use crate::text::{MAX_NAME, MAX_TEXT, printable};

/// How many producers are listed.
const MAX_PRODUCERS: usize = 100;

/// What a file says about itself, as it says it: a licence need not be an SPDX expression, nor a source a URL.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The name in the name section.
    pub name: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// Who wrote it.
    pub authors: Option<String>,
    /// The licences that it is under; by convention an SPDX expression.
    pub licenses: Option<String>,
    /// Where its source is; by convention a URL.
    pub source: Option<String>,
    /// Where to read about it; by convention a URL.
    pub homepage: Option<String>,
    /// The revision of its source.
    pub revision: Option<String>,
    /// Its version.
    pub version: Option<String>,
}

impl Metadata {
    /// Reads one custom section of the outermost module or component; the last of several wins.
    pub(super) fn read(&mut self, section: &CustomSectionReader<'_>) {
        let field = match section.name() {
            "name" | "component-name" => {
                self.name = own_name(section)
                    .map(|name| printable(name, MAX_NAME))
                    .or(self.name.take());
                return;
            }
            "description" => &mut self.description,
            "authors" => &mut self.authors,
            "licenses" => &mut self.licenses,
            "source" => &mut self.source,
            "homepage" => &mut self.homepage,
            "revision" => &mut self.revision,
            "version" => &mut self.version,
            _ => return,
        };
        if let Ok(text) = std::str::from_utf8(section.data()) {
            *field = Some(printable(text, MAX_TEXT));
        }
    }
}

/// The name that a name section gives to the module or component itself.
pub(crate) fn own_name<'a>(section: &CustomSectionReader<'a>) -> Option<&'a str> {
    match section.as_known() {
        KnownCustom::Name(names) => names.into_iter().map_while(Result::ok).find_map(|name| match name {
            Name::Module { name, .. } => Some(name),
            _ => None,
        }),
        KnownCustom::ComponentName(names) => names.into_iter().map_while(Result::ok).find_map(|name| match name {
            ComponentName::Component { name, .. } => Some(name),
            _ => None,
        }),
        _ => None,
    }
}

/// One language, tool or library that a file was made with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Producer {
    /// `language`, `processed-by` or `sdk`.
    pub field: String,
    /// What it is called.
    pub name: String,
    /// Its version; may be empty.
    pub version: String,
}

/// Adds what a custom section says, if it is a producers section; stops where it is malformed.
pub(super) fn read_producers(section: &CustomSectionReader<'_>, producers: &mut BTreeSet<Producer>) {
    let KnownCustom::Producers(fields) = section.as_known() else {
        return;
    };
    for field in fields.into_iter().map_while(Result::ok) {
        for value in field.values.into_iter().map_while(Result::ok) {
            if producers.len() >= MAX_PRODUCERS {
                return;
            }
            producers.insert(Producer {
                field: printable(field.name, MAX_NAME),
                name: printable(value.name, MAX_NAME),
                version: printable(value.version, MAX_NAME),
            });
        }
    }
}
