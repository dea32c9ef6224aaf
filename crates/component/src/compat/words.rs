//! Types as WIT writes them, short enough for a sentence.

use wit_parser::{Function, Handle, Param, Type, TypeDefKind, TypeId, TypeOwner, WorldId};

use super::read::Side;

/// How long a text may become, in bytes, before the ellipsis.
const MAX_SHOWN: usize = 400;

/// How much is said of a type with a name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Detail {
    /// Its name, as WIT has it.
    Name,
    /// Where it is defined, too: `wasi:io/streams@0.2.6.{input-stream}`.
    Home,
    /// And of a resource in an export whether the world imports or exports it, as `import …` or `export …`.
    Direction,
    /// And how it is defined.
    Definition,
}

/// A text in the making.
pub(super) struct Words<'a> {
    side: &'a Side,
    detail: Detail,
    /// The world whose export it is about, if it is about one.
    exporter: Option<WorldId>,
    text: String,
}

impl<'a> Words<'a> {
    pub(super) fn new(side: &'a Side, detail: Detail, exporter: Option<WorldId>) -> Self {
        Self {
            side,
            detail,
            exporter,
            text: String::new(),
        }
    }

    pub(super) fn finish(mut self) -> String {
        if self.is_full() {
            let end = (0..=MAX_SHOWN).rev().find(|at| self.text.is_char_boundary(*at));
            self.text.truncate(end.unwrap_or_default());
            self.text.push('…');
        }
        self.text
    }

    fn is_full(&self) -> bool {
        self.text.len() > MAX_SHOWN
    }

    /// Adds `text`, unless nothing that is added will be seen.
    fn push(&mut self, text: &str) -> &mut Self {
        if !self.is_full() {
            self.text.push_str(text);
        }
        self
    }

    /// `list` with commas, each written by `write`.
    pub(super) fn list<T>(&mut self, list: impl IntoIterator<Item = T>, mut write: impl FnMut(&mut Self, T)) {
        for (index, item) in list.into_iter().enumerate() {
            if self.is_full() {
                return;
            }
            if index > 0 {
                self.push(", ");
            }
            write(self, item);
        }
    }

    /// `name`, `name: type`: parameters and fields.
    pub(super) fn field(&mut self, name: &str, ty: Type) {
        self.push(name).push(": ");
        self.ty(ty);
    }

    /// `name`, `name(type)`: cases.
    pub(super) fn case(&mut self, name: &str, ty: Option<Type>) {
        self.push(name);
        if let Some(ty) = ty {
            self.push("(");
            self.ty(ty);
            self.push(")");
        }
    }

    pub(super) fn function(&mut self, function: &Function) {
        let constructor = function.name.starts_with("[constructor]");
        self.push(if function.kind.is_async() { "async " } else { "" });
        self.push(if constructor { "constructor(" } else { "func(" });
        self.list(parameters(function), |words, parameter| {
            words.field(&parameter.name, parameter.ty);
        });
        self.push(")");
        if let Some(result) = function
            .result
            .filter(|_| !function.is_constructor_shorthand(&self.side.resolve))
        {
            self.push(" -> ");
            self.ty(result);
        }
    }

    /// What stands on the right-hand side of the definition of a type.
    pub(super) fn definition(&mut self, id: TypeId) {
        let side = self.side;
        match &side.type_def(id).kind {
            TypeDefKind::Record(record) => {
                let fields = record.fields.iter();
                self.block("record", fields, |words, field| words.field(&field.name, field.ty));
            }
            TypeDefKind::Variant(variant) => {
                let cases = variant.cases.iter();
                self.block("variant", cases, |words, case| words.case(&case.name, case.ty));
            }
            TypeDefKind::Enum(cases) => {
                let cases = cases.cases.iter();
                self.block("enum", cases, |words, case| words.case(&case.name, None));
            }
            TypeDefKind::Flags(flags) => {
                let flags = flags.flags.iter();
                self.block("flags", flags, |words, flag| words.case(&flag.name, None));
            }
            TypeDefKind::Resource => {
                self.push("resource");
            }
            TypeDefKind::Unknown => {
                self.push("unknown");
            }
            TypeDefKind::Handle(Handle::Own(id)) => self.ty(Type::Id(*id)),
            TypeDefKind::Handle(Handle::Borrow(id)) => self.generic("borrow", [Some(Type::Id(*id))]),
            TypeDefKind::Tuple(tuple) => self.generic("tuple", tuple.types.iter().copied().map(Some)),
            TypeDefKind::Option(ty) => self.generic("option", [Some(*ty)]),
            TypeDefKind::Result(result) => match (result.ok, result.err) {
                (None, None) => self.generic("result", []),
                (ok, None) => self.generic("result", [ok]),
                (ok, err) => self.generic("result", [ok, err]),
            },
            TypeDefKind::List(ty) => self.generic("list", [Some(*ty)]),
            TypeDefKind::Map(key, value) => self.generic("map", [Some(*key), Some(*value)]),
            TypeDefKind::FixedLengthList(ty, length) => {
                self.push("list<");
                self.ty(*ty);
                self.push(&format!(", {length}>"));
            }
            TypeDefKind::Future(ty) => self.generic("future", ty.map(Some)),
            TypeDefKind::Stream(ty) => self.generic("stream", ty.map(Some)),
            TypeDefKind::Type(ty) => self.ty(*ty),
        }
    }

    /// `noun { a, b }`.
    fn block<T>(&mut self, noun: &str, list: impl ExactSizeIterator<Item = T>, write: impl FnMut(&mut Self, T)) {
        self.push(noun).push(" { ");
        let is_empty = list.len() == 0;
        self.list(list, write);
        self.push(if is_empty { "}" } else { " }" });
    }

    /// `name<a, b>`, where what is absent is `_`.
    fn generic(&mut self, name: &str, arguments: impl IntoIterator<Item = Option<Type>>) {
        let mut arguments = arguments.into_iter().peekable();
        self.push(name);
        if arguments.peek().is_none() {
            return;
        }
        self.push("<");
        self.list(arguments, |words, argument| match argument {
            Some(ty) => words.ty(ty),
            None => {
                words.push("_");
            }
        });
        self.push(">");
    }

    pub(super) fn ty(&mut self, ty: Type) {
        let name = match ty {
            Type::Id(id) => return self.reference(id),
            Type::Bool => "bool",
            Type::U8 => "u8",
            Type::U16 => "u16",
            Type::U32 => "u32",
            Type::U64 => "u64",
            Type::S8 => "s8",
            Type::S16 => "s16",
            Type::S32 => "s32",
            Type::S64 => "s64",
            Type::F32 => "f32",
            Type::F64 => "f64",
            Type::Char => "char",
            Type::String => "string",
            Type::ErrorContext => "error-context",
        };
        self.push(name);
    }

    fn reference(&mut self, id: TypeId) {
        let side = self.side;
        let Some(name) = &side.type_def(id).name else {
            return self.definition(id);
        };
        if self.detail == Detail::Name {
            self.push(name);
            return;
        }
        let Type::Id(end) = side.definition(Type::Id(id)) else {
            self.push(name);
            return;
        };
        let def = side.type_def(end);
        let is_resource = matches!(def.kind, TypeDefKind::Resource);
        if self.detail >= Detail::Direction
            && is_resource
            && let Some(world) = self.exporter
        {
            self.push(if side.is_exported(world, end) {
                "export "
            } else {
                "import "
            });
        }
        let name = def.name.as_ref().unwrap_or(name);
        match def.owner {
            TypeOwner::Interface(owner) => self.push(&format!("{}.{{{name}}}", side.full_name(owner))),
            _ => self.push(name),
        };
        if self.detail == Detail::Definition && !is_resource && !self.is_full() {
            self.push(" = ");
            self.definition(end);
        }
    }
}

/// What `write` writes of `side`, with types by their names.
pub(super) fn written<'a>(side: &'a Side, write: impl FnOnce(&mut Words<'a>)) -> String {
    let mut words = Words::new(side, Detail::Name, None);
    write(&mut words);
    words.finish()
}

/// The parameters of a function, without the `self` of a method.
pub(super) fn parameters(function: &Function) -> &[Param] {
    let own = usize::from(function.name.starts_with("[method]"));
    function.params.get(own..).unwrap_or_default()
}
