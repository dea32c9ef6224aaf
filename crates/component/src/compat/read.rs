//! A WIT text becomes packages, worlds and interfaces.
//!
//! The parser was not made for hostile texts: its time grows with the square of the number of packages, and of the parameters
//! of a function, and an `include` repeats a world. So what a text has of these is counted first, in one pass.

use std::{
    collections::HashMap,
    panic::{self, AssertUnwindSafe},
};

use semver::Version;
use wit_parser::{
    InterfaceId, Package, PackageId, PackageName, Resolve, Type, TypeDef, TypeDefKind, TypeId, TypeOwner, World,
    WorldId, WorldItem, WorldKey,
};

use super::{Incomparable, Which};
use crate::text::{MAX_NAME, printable};

/// How many packages a text may have: 500 take a quarter of a second to parse, and WASI has about ten.
const MAX_PACKAGES: usize = 500;

/// The number of worlds times the number of statements that a text may have: the most items that including worlds in each
/// other, or importing what imports others, can come to. 500,000 take about 180 MB.
const MAX_PRODUCT: usize = 500_000;

/// The squares of the number of parameters of each function, added up: 100 functions with 1000 parameters each, the most that a
/// component can have. They take a second.
const MAX_PARAMETERS: usize = 100_000_000;

/// One of the two interfaces.
pub(super) struct Side {
    pub(super) resolve: Resolve,
    pub(super) main: PackageId,
    /// The world of a component; `None` for a WIT package.
    pub(super) component: Option<WorldId>,
    /// What interfaces without a name are called: by the worlds that they stand in.
    unnamed: HashMap<InterfaceId, String>,
    /// For each type, by its index, the one at the end of its chain of names.
    ends: Vec<Type>,
}

impl Side {
    pub(super) fn read(text: &str, which: Which) -> Result<Self, Incomparable> {
        if !is_cheap(text) {
            return Err(Incomparable::TooLarge);
        }
        let unreadable = |why: &str| Incomparable::Unreadable {
            which,
            why: printable(why, MAX_NAME),
        };
        // What is behind a feature gate is there too.
        let mut resolve = Resolve {
            all_features: true,
            ..Resolve::default()
        };
        let main = panic::catch_unwind(AssertUnwindSafe(|| resolve.push_str("text.wit", text)))
            .map_err(|_panic| unreadable("it contradicts itself"))?
            .map_err(|error| unreadable(&error.to_string()))?;
        let package = &resolve.packages[main];
        let is_component = package.name.namespace == "root" && package.name.name == "component";
        let component = package.worlds.get("root").copied().filter(|_| is_component);
        Ok(Self {
            main,
            component,
            unnamed: unnamed(&resolve),
            ends: ends(&resolve),
            resolve,
        })
    }

    pub(super) fn package(&self) -> &Package {
        &self.resolve.packages[self.main]
    }

    pub(super) fn world(&self, id: WorldId) -> &World {
        &self.resolve.worlds[id]
    }

    pub(super) fn type_def(&self, id: TypeId) -> &TypeDef {
        &self.resolve.types[id]
    }

    /// The package of an interface with a name, if it is not the main package.
    pub(super) fn foreign(&self, id: InterfaceId) -> Option<&PackageName> {
        let package = self.resolve.interfaces[id]
            .package
            .filter(|package| *package != self.main)?;
        Some(&self.resolve.packages[package].name)
    }

    /// What an interface is called in full: `wasi:io/streams@0.2.6`, and `greet` where it is in the main package.
    pub(super) fn full_name(&self, id: InterfaceId) -> String {
        self.named(id, ToString::to_string)
    }

    /// What an interface is called on every version of its track: `wasi:io/streams@0.2`.
    pub(super) fn track(&self, id: InterfaceId) -> String {
        self.named(id, PackageName::version_compat_track_string)
    }

    fn named(&self, id: InterfaceId, shown: impl Fn(&Version) -> String) -> String {
        let Some(name) = &self.resolve.interfaces[id].name else {
            return self.unnamed.get(&id).cloned().unwrap_or_default();
        };
        match self.foreign(id) {
            None => name.clone(),
            Some(package) => {
                let version = package.version.as_ref().map(|version| format!("@{}", shown(version)));
                let version = version.unwrap_or_default();
                format!("{}:{}/{name}{version}", package.namespace, package.name)
            }
        }
    }

    /// The type that `ty` is another name for, at the end of a chain of names.
    pub(super) fn definition(&self, ty: Type) -> Type {
        match ty {
            Type::Id(id) => self.ends[id.index()],
            other => other,
        }
    }

    /// Whether `world` exports the interface that a type is defined in.
    pub(super) fn is_exported(&self, world: WorldId, id: TypeId) -> bool {
        match self.type_def(id).owner {
            TypeOwner::Interface(owner) => self.world(world).exports.contains_key(&WorldKey::Interface(owner)),
            _ => false,
        }
    }

    /// Where a type with a name is defined, on its track, and that name.
    pub(super) fn home(&self, id: TypeId) -> Option<(String, &str)> {
        let def = self.type_def(id);
        let owner = match def.owner {
            TypeOwner::Interface(owner) => self.track(owner),
            TypeOwner::World(owner) => format!("world {}", self.world(owner).name),
            TypeOwner::None => return None,
        };
        Some((owner, def.name.as_deref()?))
    }
}

fn unnamed(resolve: &Resolve) -> HashMap<InterfaceId, String> {
    let mut unnamed = HashMap::new();
    for (_, world) in &resolve.worlds {
        for (direction, items) in [("import", &world.imports), ("export", &world.exports)] {
            for (key, item) in items {
                if let (WorldKey::Name(name), WorldItem::Interface { id, .. }) = (key, item)
                    && resolve.interfaces[*id].name.is_none()
                {
                    unnamed.insert(*id, format!("{} {direction} {name}", world.name));
                }
            }
        }
    }
    unnamed
}

fn ends(resolve: &Resolve) -> Vec<Type> {
    let mut ends: Vec<Type> = Vec::with_capacity(resolve.types.len());
    // A type stands after those that it is made of.
    for (id, def) in &resolve.types {
        ends.push(match def.kind {
            TypeDefKind::Type(Type::Id(other)) => ends.get(other.index()).copied().unwrap_or(Type::Id(other)),
            TypeDefKind::Type(other) => other,
            _ => Type::Id(id),
        });
    }
    ends
}

/// Whether the parser can take `text` at a bounded price.
fn is_cheap(text: &str) -> bool {
    let (mut packages, mut worlds, mut statements) = (0_usize, 0_usize, 0_usize);
    // Commas since the last parenthesis was opened.
    let (mut commas, mut parameters) = (0_usize, 0_usize);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if is_word(first) {
            let length = rest.find(|character| !is_word(character)).unwrap_or(rest.len());
            match &rest[..length] {
                "package" => packages += 1,
                "world" => worlds += 1,
                _ => {}
            }
            length
        } else {
            statements += usize::from(matches!(first, ';' | ',' | '{'));
            match first {
                '(' => commas = 0,
                ',' => commas += 1,
                ')' => parameters = parameters.saturating_add(commas.saturating_mul(commas)),
                _ => {}
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    packages <= MAX_PACKAGES && worlds.saturating_mul(statements) <= MAX_PRODUCT && parameters <= MAX_PARAMETERS
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '%' | '_')
}

/// The length of the comment that `text` begins with; such comments nest.
fn block_comment(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => depth += 1,
            b"*/" => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::is_cheap;

    #[test]
    fn what_the_parser_is_slow_at_is_counted_outside_of_comments() {
        let packages = "package a:b { interface i {} }\n";
        assert!(is_cheap(&packages.repeat(500)));
        assert!(!is_cheap(&packages.repeat(501)));
        assert!(is_cheap(&format!(
            "// package\n/* package /* */ package */{}",
            packages.repeat(500)
        )));
        assert!(is_cheap(&"%package package-b".repeat(501)));
        let worlds = "world w { include v; }\n";
        assert!(is_cheap(&worlds.repeat(500)));
        assert!(!is_cheap(&worlds.repeat(501)));
        assert!(is_cheap("/* never closed"));
        let parameters = format!("({});", "a: u8,".repeat(1000));
        assert!(is_cheap(&parameters.repeat(100)));
        assert!(!is_cheap(&parameters.repeat(101)));
    }
}
