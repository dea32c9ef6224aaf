//! What changed in an interface: its functions and types.

use wit_parser::{Function, IndexMap, InterfaceId, Type, TypeDefKind, TypeId};

use super::{
    change::ChangeKind as Kind,
    comparer::{Comparer, Place},
    members,
    words::{Words, written},
};

impl<'a> Comparer<'a> {
    pub(super) fn interface(&mut self, place: &Place, old: InterfaceId, new: InterfaceId) {
        let (old, new) = (&self.old.resolve.interfaces[old], &self.new.resolve.interfaces[new]);
        let place = &self.stability(place, None, &old.stability, &new.stability);
        self.docs(place, None, &old.docs, &new.docs);
        for (name, id) in &new.types {
            if !old.types.contains_key(name) {
                self.type_came(place, name, *id);
            }
        }
        for (name, id) in &old.types {
            match new.types.get(name) {
                Some(new) => self.type_def(place, Some(name), *id, *new),
                None => self.type_went(place, name, *id),
            }
        }
        // A resource that comes or goes takes its functions along.
        let has = |types: &IndexMap<String, TypeId>, function: &Function| {
            resource_of(&function.name).is_none_or(|resource| types.contains_key(resource))
        };
        for (name, function) in &new.functions {
            if !old.functions.contains_key(name) && has(&old.types, function) {
                let after = written(self.new, |words| words.function(function));
                let item = function_item(name);
                self.add(place, Kind::FunctionAdded, Some(item), None, Some(after));
            }
        }
        for (name, function) in &old.functions {
            let item = function_item(name);
            match new.functions.get(name) {
                Some(new) => self.function(place, Some(item), function, new),
                None if has(&new.types, function) => {
                    let place = place.unstable_if(&function.stability);
                    let before = written(self.old, |words| words.function(function));
                    self.add(&place, Kind::FunctionRemoved, Some(item), Some(before), None);
                }
                None => {}
            }
        }
    }

    pub(super) fn function(&mut self, place: &Place, item: Option<String>, old: &'a Function, new: &'a Function) {
        let place = &self.stability(place, item.as_ref(), &old.stability, &new.stability);
        self.docs(place, item.as_ref(), &old.docs, &new.docs);
        match (old.kind.is_async(), new.kind.is_async()) {
            (false, true) => self.add(place, Kind::AsyncAdded, item.clone(), None, None),
            (true, false) => self.add(place, Kind::AsyncRemoved, item.clone(), None, None),
            _ => {}
        }
        let (old_members, new_members) = (members::of_function(old), members::of_function(new));
        self.members(place, item.as_ref(), &members::PARAMETERS, &old_members, &new_members);
        if !self.types.same(old.result, new.result) {
            let (before, after) = self.write_both(
                |words| old.result.into_iter().for_each(|ty| words.ty(ty)),
                |words| new.result.into_iter().for_each(|ty| words.ty(ty)),
            );
            let before = old.result.map(|_| before);
            let after = new.result.map(|_| after);
            self.add(place, Kind::ResultChanged, item, before, after);
        }
    }

    /// Compares two types that are called `name`; where the place itself is the type, it is called nothing.
    pub(super) fn type_def(&mut self, place: &Place, name: Option<&String>, old_id: TypeId, new_id: TypeId) {
        let (old, new) = (self.old.type_def(old_id), self.new.type_def(new_id));
        let ends = (
            self.old.definition(Type::Id(old_id)),
            self.new.definition(Type::Id(new_id)),
        );
        if let (Type::Id(old_end), Type::Id(new_end)) = ends
            && (old_end, new_end) != (old_id, new_id)
            && self.types.is_told_of_values(old_end, new_end)
        {
            return;
        }
        let shapes = (members::of_type(self.old, ends.0), members::of_type(self.new, ends.1));
        let noun = match &shapes {
            (Some((old, _)), Some((new, _))) if old == new => old.noun,
            _ => "type",
        };
        let item = name.map(|name| format!("{noun} {name}"));
        let place = &self.stability(place, item.as_ref(), &old.stability, &new.stability);
        self.docs(place, item.as_ref(), &old.docs, &new.docs);
        match shapes {
            (Some((shape, old)), Some((other, new))) if shape == other => {
                self.members(place, item.as_ref(), shape, &old, &new);
            }
            _ if self.types.same_definition(ends.0, ends.1) => {}
            _ => {
                let text = |words: &mut Words<'a>, end: Type| match end {
                    Type::Id(id) => words.definition(id),
                    other => words.ty(other),
                };
                let (mut before, mut after) = self.write_both(|words| text(words, ends.0), |words| text(words, ends.1));
                if before == after {
                    // Two resources, which are known by where they are and not by what they are.
                    (before, after) = self.write_both(|words| words.ty(ends.0), |words| words.ty(ends.1));
                }
                self.add(place, Kind::TypeChanged, item, Some(before), Some(after));
            }
        }
    }

    fn type_came(&mut self, place: &Place, name: &str, id: TypeId) {
        if matches!(self.new.type_def(id).kind, TypeDefKind::Resource) {
            return self.add(place, Kind::ResourceAdded, Some(format!("resource {name}")), None, None);
        }
        let after = written(self.new, |words| words.definition(id));
        self.add(place, Kind::TypeAdded, Some(format!("type {name}")), None, Some(after));
    }

    fn type_went(&mut self, place: &Place, name: &str, id: TypeId) {
        let def = self.old.type_def(id);
        let place = &place.unstable_if(&def.stability);
        if matches!(def.kind, TypeDefKind::Resource) {
            return self.add(
                place,
                Kind::ResourceRemoved,
                Some(format!("resource {name}")),
                None,
                None,
            );
        }
        let before = written(self.old, |words| words.definition(id));
        self.add(
            place,
            Kind::TypeRemoved,
            Some(format!("type {name}")),
            Some(before),
            None,
        );
    }
}

/// What a function is called in a sentence.
pub(super) fn function_item(name: &str) -> String {
    match name.split_once(']') {
        Some(("[method", name)) => format!("method {name}"),
        Some(("[static", name)) => format!("static function {name}"),
        Some(("[constructor", name)) => format!("constructor of {name}"),
        _ => format!("function {name}"),
    }
}

/// The resource that a function of this name belongs to.
fn resource_of(name: &str) -> Option<&str> {
    let (_, name) = name.split_once(']')?;
    Some(name.split_once('.').map_or(name, |(resource, _)| resource))
}
