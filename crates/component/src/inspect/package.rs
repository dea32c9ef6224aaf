//! WIT packages in binary form, and the world that a core module carries along.

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};
use wasmparser::{
    Parser, Payload,
    component_types::{ComponentAnyTypeId, ComponentEntityType, ComponentType},
    types::Types,
};

use crate::{
    features::ACCEPTED,
    text::{MAX_NAME, printable},
    validate::{Bodies, Kind, pass},
};

/// How many worlds, and how many interfaces, are listed.
const MAX_LISTED: usize = 10_000;

/// A WIT package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Its name, as `namespace:package@version`.
    pub name: String,
    /// The plain names of its worlds, sorted; at most 10,000.
    pub worlds: Vec<String>,
    /// The plain names of its interfaces, sorted; at most 10,000.
    pub interfaces: Vec<String>,
}

impl Package {
    /// The qualified name of its world, if it has exactly one.
    pub(super) fn only_world(&self) -> Option<String> {
        let [world] = self.worlds.as_slice() else {
            return None;
        };
        Some(match self.name.split_once('@') {
            Some((name, version)) => format!("{name}/{world}@{version}"),
            None => format!("{}/{world}", self.name),
        })
    }

    /// Takes what one exported component type holds: a world as a component, an interface as an instance, each by its
    /// qualified name.
    fn add(&mut self, exported: &ComponentType) {
        for (name, item) in &exported.exports {
            let list = match item.ty {
                ComponentEntityType::Component(_) => &mut self.worlds,
                ComponentEntityType::Instance(_) => &mut self.interfaces,
                _ => continue,
            };
            let (path, version) = name
                .split_once('@')
                .map_or((name.as_str(), None), |(path, version)| (path, Some(version)));
            let Some((package, plain)) = path.split_once('/') else {
                continue;
            };
            if self.name.is_empty() {
                let name = version.map_or_else(|| package.to_owned(), |version| format!("{package}@{version}"));
                self.name = printable(&name, MAX_NAME);
            }
            if list.len() < MAX_LISTED {
                list.push(printable(plain, MAX_NAME));
            }
        }
    }
}

/// The package that `bytes` are, a WIT package that passed and has these `types`.
pub(super) fn read(bytes: &[u8], types: &Types) -> Option<Package> {
    let mut package = Package {
        name: String::new(),
        worlds: Vec::new(),
        interfaces: Vec::new(),
    };
    let mut parser = Parser::new(0);
    parser.set_features(ACCEPTED);
    let mut depth = 0_u32;
    for payload in parser.parse_all(bytes) {
        match payload.ok()? {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section {
                    let item = types.component_item_for_export(export.ok()?.name.name)?;
                    if let ComponentEntityType::Type {
                        created: ComponentAnyTypeId::Component(id),
                        ..
                    } = item.ty
                    {
                        package.add(&types[id]);
                    }
                }
            }
            _ => {}
        }
    }
    package.worlds.sort();
    package.interfaces.sort();
    Some(package).filter(|package| !package.name.is_empty())
}

/// The world in `content`, that of a custom section `component-type…`, which bindings generators leave in a core module for
/// the tool that makes a component of it: it is a WIT package with that world alone.
pub(super) fn embedded_world(content: &[u8]) -> Option<String> {
    let passed = pass(content, ACCEPTED, Bodies::Later, NonZeroUsize::MIN)
        .ok()
        .filter(|passed| passed.kind == Kind::WitPackage)?;
    read(content, &passed.types)?.only_world()
}
