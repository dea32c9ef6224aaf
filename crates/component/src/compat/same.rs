//! Whether two types are the same type.

use std::collections::{HashMap, HashSet};

use wit_parser::{Handle, Type, TypeDefKind, TypeId, TypeOwner, WorldId};

use super::read::Side;

/// How many pairs of types are looked at. Two real interfaces have some thousands.
const MAX_PAIRS: usize = 500_000;

/// How deep types may be nested in each other. Compilers make about ten levels.
const MAX_DEPTH: usize = 500;

/// What is known of pairs of types: one of the older side, one of the newer.
pub(super) struct Types<'a> {
    old: &'a Side,
    new: &'a Side,
    /// Interfaces and worlds that are compared with each other, so that a difference between their types is told there.
    told: HashSet<(TypeOwner, TypeOwner)>,
    /// The two worlds whose exports are compared, if exports are: a resource that one exports is another than the one of the
    /// same name that it imports.
    pub(super) exports: Option<(WorldId, WorldId)>,
    known: HashMap<(TypeId, TypeId), bool>,
    pairs: usize,
    /// Whether a limit was met, so that no answer since then is to be relied on.
    pub(super) exhausted: bool,
}

impl<'a> Types<'a> {
    pub(super) fn new(old: &'a Side, new: &'a Side) -> Self {
        Self {
            old,
            new,
            told: HashSet::new(),
            exports: None,
            known: HashMap::new(),
            pairs: 0,
            exhausted: false,
        }
    }

    /// From here on types of these two are not looked into where they are used.
    pub(super) fn tell(&mut self, old: TypeOwner, new: TypeOwner) {
        self.told.insert((old, new));
    }

    /// From here on the exports of these worlds are compared, or none.
    pub(super) fn turn_to(&mut self, exports: Option<(WorldId, WorldId)>) {
        self.exports = exports;
        self.known.clear();
    }

    /// Whether two types with names are each other's counterpart, whose differences are told where they are defined.
    fn is_told(&self, old: TypeId, new: TypeId) -> bool {
        let (old, new) = (self.old.type_def(old), self.new.type_def(new));
        old.name.is_some() && old.name == new.name && self.told.contains(&(old.owner, new.owner))
    }

    /// The same for two types of values. Of a resource there is more to tell than its definition: whose it is, where it is used.
    pub(super) fn is_told_of_values(&self, old: TypeId, new: TypeId) -> bool {
        self.is_told(old, new) && !matches!(self.old.type_def(old).kind, TypeDefKind::Resource)
    }

    /// Whether two types that stand at the end of a chain of names are defined the same.
    pub(super) fn same_definition(&mut self, old: Type, new: Type) -> bool {
        match (old, new) {
            (Type::Id(old), Type::Id(new)) => self.structure(old, new, 0),
            (old, new) => old == new,
        }
    }

    /// Whether two types, or none, are the same where they are used, but for differences that are told elsewhere.
    pub(super) fn same(&mut self, old: Option<Type>, new: Option<Type>) -> bool {
        self.option_at_depth(old, new, 0)
    }

    fn option_at_depth(&mut self, old: Option<Type>, new: Option<Type>, depth: usize) -> bool {
        match (old, new) {
            (None, None) => true,
            (Some(old), Some(new)) => self.at_depth(old, new, depth),
            _ => false,
        }
    }

    fn at_depth(&mut self, old: Type, new: Type, depth: usize) -> bool {
        if let (Type::Id(old), Type::Id(new)) = (old, new)
            && self.is_told(old, new)
        {
            return true;
        }
        let (old, new) = match (self.old.definition(old), self.new.definition(new)) {
            (Type::Id(old), Type::Id(new)) => (old, new),
            (old, new) => return old == new,
        };
        if let Some(known) = self.known.get(&(old, new)) {
            return *known;
        }
        self.pairs += 1;
        self.exhausted |= self.pairs > MAX_PAIRS || depth > MAX_DEPTH;
        if self.exhausted {
            return true;
        }
        let same = self.is_told_of_values(old, new) || self.structure(old, new, depth + 1);
        self.known.insert((old, new), same);
        same
    }

    fn structure(&mut self, old_id: TypeId, new_id: TypeId, depth: usize) -> bool {
        use TypeDefKind as Kind;
        let (old, new) = (self.old, self.new);
        match (&old.type_def(old_id).kind, &new.type_def(new_id).kind) {
            (Kind::Resource, Kind::Resource) => self.same_resource(old_id, new_id),
            (Kind::Handle(Handle::Own(old)), Kind::Handle(Handle::Own(new)))
            | (Kind::Handle(Handle::Borrow(old)), Kind::Handle(Handle::Borrow(new))) => {
                self.at_depth(Type::Id(*old), Type::Id(*new), depth)
            }
            (Kind::Record(old), Kind::Record(new)) => {
                old.fields.len() == new.fields.len()
                    && old
                        .fields
                        .iter()
                        .zip(&new.fields)
                        .all(|(old, new)| old.name == new.name && self.at_depth(old.ty, new.ty, depth))
            }
            (Kind::Variant(old), Kind::Variant(new)) => {
                old.cases.len() == new.cases.len()
                    && old
                        .cases
                        .iter()
                        .zip(&new.cases)
                        .all(|(old, new)| old.name == new.name && self.option_at_depth(old.ty, new.ty, depth))
            }
            (Kind::Enum(old), Kind::Enum(new)) => {
                let names = |cases: &'a [wit_parser::EnumCase]| cases.iter().map(|case| &case.name);
                names(&old.cases).eq(names(&new.cases))
            }
            (Kind::Flags(old), Kind::Flags(new)) => {
                let names = |flags: &'a [wit_parser::Flag]| flags.iter().map(|flag| &flag.name);
                names(&old.flags).eq(names(&new.flags))
            }
            (Kind::Tuple(old), Kind::Tuple(new)) => {
                old.types.len() == new.types.len()
                    && old
                        .types
                        .iter()
                        .zip(&new.types)
                        .all(|(old, new)| self.at_depth(*old, *new, depth))
            }
            (Kind::Result(old), Kind::Result(new)) => {
                self.option_at_depth(old.ok, new.ok, depth) && self.option_at_depth(old.err, new.err, depth)
            }
            (Kind::Option(old), Kind::Option(new)) | (Kind::List(old), Kind::List(new)) => {
                self.at_depth(*old, *new, depth)
            }
            (Kind::Map(old_key, old), Kind::Map(new_key, new)) => {
                self.at_depth(*old_key, *new_key, depth) && self.at_depth(*old, *new, depth)
            }
            (Kind::FixedLengthList(old, old_length), Kind::FixedLengthList(new, new_length)) => {
                old_length == new_length && self.at_depth(*old, *new, depth)
            }
            (Kind::Future(old), Kind::Future(new)) | (Kind::Stream(old), Kind::Stream(new)) => {
                self.option_at_depth(*old, *new, depth)
            }
            _ => false,
        }
    }

    fn same_resource(&self, old: TypeId, new: TypeId) -> bool {
        self.old.home(old) == self.new.home(new)
            && self
                .exports
                .is_none_or(|(in_old, in_new)| self.old.is_exported(in_old, old) == self.new.is_exported(in_new, new))
    }
}
