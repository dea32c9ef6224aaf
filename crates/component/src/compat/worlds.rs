//! Components, packages, worlds: what is compared with what.

use std::cmp::Ordering;

use wit_parser::{IndexMap, InterfaceId, Package, Stability, TypeOwner, World, WorldId, WorldItem, WorldKey};

use super::{
    Incomparable,
    change::ChangeKind as Kind,
    comparer::{Comparer, Place, Role},
    pairs::{Direction, Entry, Pair},
    read::Side,
    report::{Comparison, Report},
    same::Types,
    words::written,
};

/// Compares the two sides.
pub(super) fn compare(old: &Side, new: &Side) -> Result<Comparison, Incomparable> {
    let mut comparer = Comparer {
        old,
        new,
        types: Types::new(old, new),
        report: Report::new(),
    };
    match (old.component, new.component) {
        (Some(old), Some(new)) => {
            let pair = comparer.pair_worlds("", old, new, [Role::Asked, Role::Offered]);
            comparer.worlds(&pair);
        }
        (None, None) => comparer.packages(),
        _ => return Err(Incomparable::DifferentKinds),
    }
    if comparer.types.exhausted {
        return Err(Incomparable::TooLarge);
    }
    Ok(comparer.report.finish())
}

/// Two worlds that are the same one.
struct WorldPair<'a> {
    old: WorldId,
    new: WorldId,
    /// What stands before the name of an import or export.
    prefix: String,
    /// Whether the older one says that nobody may rely on it.
    unstable: bool,
    directions: [Direction<'a>; 2],
}

impl<'a> Comparer<'a> {
    /// Pairs what two worlds import and export, and notes which interfaces will be compared.
    fn pair_worlds(&mut self, prefix: &str, old: WorldId, new: WorldId, roles: [Role; 2]) -> WorldPair<'a> {
        let (old_world, new_world) = (self.old.world(old), self.new.world(new));
        let direction = |word, role, of: fn(&World) -> &IndexMap<WorldKey, WorldItem>| {
            let (went, came) = (
                Entry::all_of(self.old, of(old_world)),
                Entry::all_of(self.new, of(new_world)),
            );
            Direction::new(word, role, went, came)
        };
        let [imports, exports] = roles;
        let directions = [
            direction("import", imports, |world| &world.imports),
            direction("export", exports, |world| &world.exports),
        ];
        self.types.tell(TypeOwner::World(old), TypeOwner::World(new));
        for pair in directions.iter().flat_map(|direction| &direction.pairs) {
            if let (WorldItem::Interface { id: old, .. }, WorldItem::Interface { id: new, .. }) =
                (pair.old.item, pair.new.item)
                && pair.fits
            {
                self.types.tell(TypeOwner::Interface(*old), TypeOwner::Interface(*new));
            }
        }
        WorldPair {
            old,
            new,
            prefix: prefix.to_owned(),
            unstable: matches!(old_world.stability, Stability::Unstable { .. }),
            directions,
        }
    }

    fn worlds(&mut self, worlds: &WorldPair<'a>) {
        for direction in &worlds.directions {
            let word = direction.word;
            let is_export = word == "export";
            self.types.turn_to(is_export.then_some((worlds.old, worlds.new)));
            let place = |name: &str| Place {
                unstable: worlds.unstable,
                ..Place::new(format!("{}{word} {name}", worlds.prefix), direction.role)
            };
            let [came, went, changed] = if is_export {
                [Kind::ExportAdded, Kind::ExportRemoved, Kind::ExportChanged]
            } else {
                [Kind::ImportAdded, Kind::ImportRemoved, Kind::ImportChanged]
            };
            for entry in &direction.came {
                let after = text(self.new, entry);
                self.add(&place(&entry.shown()), came, None, None, after);
            }
            for entry in &direction.went {
                let place = place(&entry.shown()).unstable_if(entry.item.stability(&self.old.resolve));
                let before = text(self.old, entry);
                self.add(&place, went, None, before, None);
            }
            for pair in &direction.pairs {
                self.world_items(&place, pair, changed);
            }
        }
    }

    fn world_items(&mut self, place: &impl Fn(&str) -> Place, pair: &Pair<'a>, changed: Kind) {
        let here = place(&pair.new.shown());
        match (pair.old.item, pair.new.item) {
            (
                WorldItem::Interface {
                    id: old,
                    docs,
                    stability,
                    ..
                },
                WorldItem::Interface {
                    id: new,
                    docs: new_docs,
                    stability: new_stability,
                    ..
                },
            ) => {
                let here = self.stability(&here, None, stability, new_stability);
                self.docs(&here, None, docs, new_docs);
                self.versions(&place(&pair.new.path), pair);
                if pair.fits {
                    self.world_interfaces(here, *old, *new, changed);
                }
            }
            (WorldItem::Function(old), WorldItem::Function(new)) => self.function(&here, None, old, new),
            (WorldItem::Type { id: old, .. }, WorldItem::Type { id: new, .. }) => {
                self.type_def(&here, None, *old, *new);
            }
            _ => {
                let [before, after] = [&pair.old, &pair.new].map(|entry| Some(entry.noun().to_owned()));
                self.add(&here, changed, None, before, after);
            }
        }
    }

    fn world_interfaces(&mut self, here: Place, old: InterfaceId, new: InterfaceId, changed: Kind) {
        let named = |side: &Side, id| side.resolve.interfaces[id].name.is_some();
        if named(self.old, old) && named(self.new, new) {
            // Behind a name of the world's own there can be another interface of the same shape.
            let paths = [self.old.full_name(old), self.new.full_name(new)];
            let [before, after] = paths.map(|path| path.split('@').next().unwrap_or_default().to_owned());
            if before != after {
                self.tell(&here, changed, false, None, Some(before), Some(after));
            }
        }
        // What changed in the interfaces of the package itself is told of them, but for what only this world makes a duty.
        let is_own = named(self.old, old) && self.old.foreign(old).is_none() && self.old.component.is_none();
        if !is_own {
            self.interface(&here, old, new);
        } else if here.role == Role::Agreed {
            let only_added = Place {
                only_added: true,
                ..here
            };
            self.interface(&only_added, old, new);
        }
    }

    fn versions(&mut self, place: &Place, pair: &Pair<'a>) {
        let (old, new) = (&pair.old.version, &pair.new.version);
        let kind = match old.cmp(new) {
            Ordering::Less => Kind::VersionRaised,
            Ordering::Equal => return,
            Ordering::Greater => Kind::VersionLowered,
        };
        let [before, after] = [old, new].map(|version| version.as_ref().map(ToString::to_string));
        self.tell(place, kind, !pair.fits && !place.unstable, None, before, after);
    }

    fn packages(&mut self) {
        let (old, new) = (self.old.package(), self.new.package());
        let name = |package: &Package| format!("{}:{}", package.name.namespace, package.name.name);
        let place = Place::new(format!("package {}", name(new)), Role::Offered);
        if name(old) != name(new) {
            self.add(&place, Kind::PackageRenamed, None, Some(name(old)), None);
        }
        self.docs(&place, None, &old.docs, &new.docs);
        for (name, id) in &old.interfaces {
            if let Some(new) = new.interfaces.get(name) {
                self.types.tell(TypeOwner::Interface(*id), TypeOwner::Interface(*new));
            }
        }
        // What is told of worlds is noted before anything is told of interfaces.
        let worlds = self.package_worlds(old, new);
        self.package_interfaces(old, new);
        for pair in &worlds {
            self.worlds(pair);
        }
    }

    fn package_worlds(&mut self, old: &Package, new: &Package) -> Vec<WorldPair<'a>> {
        let mut pairs = Vec::new();
        for (name, id) in &old.worlds {
            let place = Place::new(format!("world {name}"), Role::Offered);
            let world = self.old.world(*id);
            if let Some(new_id) = new.worlds.get(name) {
                let new = self.new.world(*new_id);
                self.stability(&place, None, &world.stability, &new.stability);
                self.docs(&place, None, &world.docs, &new.docs);
                let prefix = format!("world {name}, ");
                pairs.push(self.pair_worlds(&prefix, *id, *new_id, [Role::Offered, Role::Agreed]));
            } else {
                let place = place.unstable_if(&world.stability);
                self.add(&place, Kind::WorldRemoved, None, None, None);
            }
        }
        for name in new.worlds.keys().filter(|name| !old.worlds.contains_key(*name)) {
            let place = Place::new(format!("world {name}"), Role::Offered);
            self.add(&place, Kind::WorldAdded, None, None, None);
        }
        pairs
    }

    fn package_interfaces(&mut self, old: &Package, new: &Package) {
        for (name, id) in &old.interfaces {
            let place = Place::new(format!("interface {name}"), Role::Offered);
            if let Some(new) = new.interfaces.get(name) {
                self.interface(&place, *id, *new);
            } else {
                let place = place.unstable_if(&self.old.resolve.interfaces[*id].stability);
                self.add(&place, Kind::InterfaceRemoved, None, None, None);
            }
        }
        for name in new.interfaces.keys().filter(|name| !old.interfaces.contains_key(*name)) {
            let place = Place::new(format!("interface {name}"), Role::Offered);
            self.add(&place, Kind::InterfaceAdded, None, None, None);
        }
    }
}

/// What an import or export is, where its name does not say it.
fn text(side: &Side, entry: &Entry<'_>) -> Option<String> {
    match entry.item {
        WorldItem::Interface { .. } => None,
        WorldItem::Function(function) => Some(written(side, |words| words.function(function))),
        WorldItem::Type { id, .. } => Some(written(side, |words| words.definition(*id))),
    }
}
