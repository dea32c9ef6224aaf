//! What has members: the parameters of functions, the fields of records, the cases of variants and enums, flags.

use std::collections::HashMap;

use wit_parser::{Docs, Function, Type, TypeDefKind};

use super::{
    change::ChangeKind as Kind,
    comparer::{Comparer, Place, contents},
    read::Side,
    words::{Words, parameters, written},
};

/// A parameter, field, case or flag.
pub(super) struct Member<'a> {
    name: &'a str,
    ty: Option<Type>,
    docs: Option<&'a Docs>,
}

/// What has members, and what is said when they change.
#[derive(PartialEq, Eq)]
pub(super) struct Shape {
    /// What it is called.
    pub(super) noun: &'static str,
    added: Kind,
    removed: Kind,
    changed: Kind,
    reordered: Kind,
    /// Said of one that is in the place of another, where a place counts for as much as a name.
    renamed: Option<Kind>,
}

pub(super) const PARAMETERS: Shape = Shape {
    noun: "function",
    added: Kind::ParameterAdded,
    removed: Kind::ParameterRemoved,
    changed: Kind::ParameterTypeChanged,
    reordered: Kind::ParametersReordered,
    renamed: Some(Kind::ParameterRenamed),
};

const RECORD: Shape = Shape {
    noun: "record",
    added: Kind::FieldAdded,
    removed: Kind::FieldRemoved,
    changed: Kind::FieldTypeChanged,
    reordered: Kind::FieldsReordered,
    renamed: None,
};

const VARIANT: Shape = Shape {
    noun: "variant",
    added: Kind::CaseAdded,
    removed: Kind::CaseRemoved,
    changed: Kind::CaseTypeChanged,
    reordered: Kind::CasesReordered,
    renamed: None,
};

const ENUM: Shape = Shape {
    noun: "enum",
    ..VARIANT
};

const FLAGS: Shape = Shape {
    noun: "flags",
    added: Kind::FlagAdded,
    removed: Kind::FlagRemoved,
    // A flag has no type that could change.
    changed: Kind::TypeChanged,
    reordered: Kind::FlagsReordered,
    renamed: None,
};

impl<'a> Member<'a> {
    fn new(name: &'a str, ty: Option<Type>, docs: Option<&'a Docs>) -> Self {
        Self { name, ty, docs }
    }

    fn write(&self, words: &mut Words<'_>, shape: &Shape) {
        match self.ty {
            Some(ty) if shape.noun != VARIANT.noun => words.field(self.name, ty),
            ty => words.case(self.name, ty),
        }
    }
}

/// The members of a function.
pub(super) fn of_function(function: &Function) -> Vec<Member<'_>> {
    let parameters = parameters(function).iter();
    parameters
        .map(|parameter| Member::new(&parameter.name, Some(parameter.ty), None))
        .collect()
}

/// The members of a type that has any.
pub(super) fn of_type(side: &Side, ty: Type) -> Option<(&'static Shape, Vec<Member<'_>>)> {
    let Type::Id(id) = ty else {
        return None;
    };
    Some(match &side.type_def(id).kind {
        TypeDefKind::Record(record) => {
            let fields = record.fields.iter();
            let members = fields.map(|field| Member::new(&field.name, Some(field.ty), Some(&field.docs)));
            (&RECORD, members.collect())
        }
        TypeDefKind::Variant(variant) => {
            let cases = variant.cases.iter();
            let members = cases.map(|case| Member::new(&case.name, case.ty, Some(&case.docs)));
            (&VARIANT, members.collect())
        }
        TypeDefKind::Enum(cases) => {
            let cases = cases.cases.iter();
            let members = cases.map(|case| Member::new(&case.name, None, Some(&case.docs)));
            (&ENUM, members.collect())
        }
        TypeDefKind::Flags(flags) => {
            let flags = flags.flags.iter();
            let members = flags.map(|flag| Member::new(&flag.name, None, Some(&flag.docs)));
            (&FLAGS, members.collect())
        }
        _ => return None,
    })
}

/// Where each name is.
fn index<'m>(members: &[Member<'m>]) -> HashMap<&'m str, usize> {
    let members = members.iter().enumerate();
    members.map(|(at, member)| (member.name, at)).collect()
}

impl Comparer<'_> {
    /// Tells what came, went or changed among the members of what is called `item`.
    pub(super) fn members(
        &mut self,
        place: &Place,
        item: Option<&String>,
        shape: &Shape,
        old: &[Member<'_>],
        new: &[Member<'_>],
    ) {
        let (in_old, in_new) = (index(old), index(new));
        // Where in the newer one the common members are, in the order of the older one.
        let mut common = Vec::new();
        for (at, member) in old.iter().enumerate() {
            let (kind, counterpart) = match in_new.get(member.name) {
                Some(found) => {
                    common.push(*found);
                    (shape.changed, &new[*found])
                }
                None => match (shape.renamed, new.get(at)) {
                    (Some(renamed), Some(other)) if old.len() == new.len() && !in_old.contains_key(other.name) => {
                        (renamed, other)
                    }
                    _ => {
                        let before = written(self.old, |words| member.write(words, shape));
                        self.add(place, shape.removed, item.cloned(), Some(before), None);
                        continue;
                    }
                },
            };
            if contents(member.docs) != contents(counterpart.docs) {
                self.add(place, Kind::DocsChanged, item.cloned(), None, None);
            }
            if kind != shape.changed || !self.types.same(member.ty, counterpart.ty) {
                let (before, after) = self.write_both(
                    |words| member.write(words, shape),
                    |words| counterpart.write(words, shape),
                );
                self.add(place, kind, item.cloned(), Some(before), Some(after));
            }
        }
        for (at, member) in new.iter().enumerate() {
            let is_renamed = shape.renamed.is_some() && old.len() == new.len() && !in_new.contains_key(old[at].name);
            if !in_old.contains_key(member.name) && !is_renamed {
                let after = written(self.new, |words| member.write(words, shape));
                self.add(place, shape.added, item.cloned(), None, Some(after));
            }
        }
        if !common.is_sorted() {
            let all = |words: &mut Words<'_>, members: &[Member<'_>]| {
                words.list(members, |words, member| member.write(words, shape));
            };
            let before = written(self.old, |words| all(words, old));
            let after = written(self.new, |words| all(words, new));
            self.add(place, shape.reordered, item.cloned(), Some(before), Some(after));
        }
    }
}
