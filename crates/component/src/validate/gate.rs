//! wasmparser's parser and validator, driven a step at a time over bytes of which more may come.

use wasmparser::{
    Chunk, ComponentExportSectionReader, Encoding, FuncValidatorAllocations, Parser, Payload, ValidPayload,
    WasmFeatures,
    component_types::{ComponentAnyTypeId, ComponentEntityType},
    names::{ComponentName, ComponentNameKind},
    types::Types,
};

use super::{
    Kind, MAX_PENDING,
    body::{self, Bodies},
    large::{Begin, Large},
    waiting::Waiting,
    weight::Weight,
};
use crate::invalid::{self, Invalid, LooksLike, Reason};

const MAGIC: &[u8] = b"\0asm";

/// How deep a module or component may be nested. wasmparser bounds only how many there are in all, at 1,000; what reads components
/// afterwards calls itself for each level.
const MAX_DEPTH: usize = 100;

/// What became of the bytes that the gate was shown.
pub(super) enum Step {
    /// So many of them are done with.
    Took(usize),
    /// Nothing was taken: show these again when they are so many.
    Wants(usize),
}

/// A whole file that is valid, and what is known of it.
pub(crate) struct Passed {
    pub(crate) kind: Kind,
    pub(crate) size: u64,
    /// The types of the outermost module or component.
    pub(crate) types: Types,
}

pub(super) struct Gate {
    bodies: Bodies,
    validator: wasmparser::Validator,
    allocations: FuncValidatorAllocations,
    waiting: Waiting,
    weight: Weight,
    /// The module or component that is being read, last, and those around it.
    levels: Vec<Level>,
    /// The large section that is being read, if it is one.
    large: Option<Large>,
    taken: u64,
    /// Whether imports and exports so far are those of a WIT package; `None` before the first.
    wit_package: Option<bool>,
    passed: Option<Passed>,
}

struct Level {
    parser: Parser,
    /// `None` until the header is read.
    encoding: Option<Encoding>,
    /// Where the enclosing section ends, for nested ones.
    end: Option<u64>,
    /// Where the code section ends, if it has begun.
    code_end: u64,
}

impl Level {
    fn new(parser: Parser, end: Option<u64>) -> Self {
        Self {
            parser,
            encoding: None,
            end,
            code_end: 0,
        }
    }

    /// Whether the next byte, if there is one, is the first of a section.
    fn is_between_sections(&self) -> bool {
        let at = self.parser.offset();
        at >= self.code_end && self.end.is_none_or(|end| at < end)
    }
}

impl Gate {
    pub(super) fn new(features: WasmFeatures, bodies: Bodies) -> Self {
        let mut parser = Parser::new(0);
        parser.set_features(features);
        Self {
            bodies,
            validator: wasmparser::Validator::new_with_features(features),
            allocations: FuncValidatorAllocations::default(),
            waiting: Waiting::default(),
            weight: Weight::default(),
            levels: vec![Level::new(parser, None)],
            large: None,
            taken: 0,
            wit_package: None,
            passed: None,
        }
    }

    /// How many bytes of the file are done with.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// The result, once, after the last step.
    pub(super) fn passed(&mut self) -> Option<Passed> {
        self.passed.take()
    }

    /// The functions that were read and wait to be validated.
    pub(super) fn waiting(&mut self) -> &mut Waiting {
        &mut self.waiting
    }

    /// Whether something has begun that ends behind the bytes taken so far.
    fn is_inside(&self) -> bool {
        self.large.as_ref().is_some_and(Large::is_inside)
            || self
                .levels
                .last()
                .is_some_and(|level| level.end.max(Some(level.code_end)) > Some(self.taken))
    }

    /// Reads on in `bytes`, which begin with the first byte not taken yet; nothing follows them if `last`.
    pub(super) fn step(&mut self, bytes: &[u8], last: bool) -> Result<Step, Invalid> {
        let step = self.advance(bytes, last)?;
        if let Step::Took(count) = step {
            self.taken += count as u64;
        }
        Ok(step)
    }

    /// Reads on in `rest`, which nothing follows, and says how many bytes of it are done with. What is wrong whatever may follow is
    /// told as such. Only what waits for more is cut off.
    pub(super) fn step_to_the_end(&mut self, rest: &[u8]) -> Result<usize, Invalid> {
        let size = self.taken + rest.len() as u64;
        match self.step(rest, false)? {
            Step::Took(count) => return Ok(count),
            Step::Wants(count) if count > MAX_PENDING => return Err(Invalid::too_much(self.taken, count)),
            Step::Wants(_) => {}
        }
        match self.step(rest, true) {
            Ok(Step::Took(count)) => Ok(count),
            Ok(Step::Wants(_)) => Err(Invalid::truncated(size)),
            Err(invalid) if invalid.reason == Reason::Malformed && (!rest.is_empty() || self.is_inside()) => {
                Err(Invalid::truncated(size))
            }
            Err(invalid) => Err(invalid),
        }
    }

    fn advance(&mut self, bytes: &[u8], last: bool) -> Result<Step, Invalid> {
        if let Some(large) = &mut self.large {
            match large.step(bytes, self.taken, &mut self.validator)? {
                Some(step) => return Ok(step),
                None => self.large = None,
            }
        }
        let Some(level) = self.levels.last_mut() else {
            return Ok(Step::Wants(0));
        };
        if level.encoding.is_none() && level.end.is_none() && !bytes.starts_with(MAGIC) {
            return not_wasm(bytes, last);
        }
        if let Some(encoding) = level.encoding
            && level.is_between_sections()
        {
            match Large::begin(&mut level.parser, encoding, bytes)? {
                Begin::No => {}
                Begin::Wants(count) => return Ok(Step::Wants(count)),
                Begin::Yes { large, took } => {
                    self.large = Some(large);
                    return Ok(Step::Took(took));
                }
            }
        }
        match level.parser.parse(bytes, last)? {
            Chunk::NeedMoreData(count) => Ok(Step::Wants(bytes.len().saturating_add(count))),
            // As if it had come in pieces.
            Chunk::Parsed { consumed, .. } if consumed > MAX_PENDING => Err(Invalid::too_much(self.taken, consumed)),
            Chunk::Parsed { consumed, payload } => {
                self.accept(payload, bytes)?;
                Ok(Step::Took(consumed))
            }
        }
    }

    /// Validates `payload`, which was read from the start of `bytes`.
    fn accept(&mut self, payload: Payload<'_>, bytes: &[u8]) -> Result<(), Invalid> {
        if let Some(types) = self.validator.types(0) {
            self.weight.add(&payload, types, self.taken)?;
        }
        if let Payload::ComponentTypeSection(section) = &payload {
            let place = |offset: u64| usize::try_from(offset - self.taken).unwrap_or(usize::MAX);
            let content = bytes
                .get(place(section.range().start)..place(section.range().end))
                .unwrap_or_default();
            return self.weight.validate_types(section, content, &mut self.validator);
        }
        match self.validator.payload(&payload)? {
            ValidPayload::Func(function, body) => match self.bodies {
                Bodies::Validate => body::validate(function, &body, &mut self.allocations)?,
                Bodies::Later => self.waiting.add(function, &body),
                Bodies::Skip => {}
            },
            ValidPayload::End(types) => self.end(types),
            ValidPayload::Ok | ValidPayload::Parser(_) => {}
        }
        let outermost = self.levels.len() == 1;
        match payload {
            Payload::Version { encoding, .. } => self.level(|level| level.encoding = Some(encoding)),
            Payload::CodeSectionStart { unchecked_range, .. } => {
                self.level(|level| level.code_end = unchecked_range.end);
            }
            Payload::ModuleSection {
                parser,
                unchecked_range,
            }
            | Payload::ComponentSection {
                parser,
                unchecked_range,
            } => {
                if self.levels.len() > MAX_DEPTH {
                    let what = format!("modules and components are nested more than {MAX_DEPTH} deep");
                    return Err(Invalid::too_large(unchecked_range.start, &what));
                }
                self.levels.push(Level::new(parser, Some(unchecked_range.end)));
            }
            Payload::ComponentImportSection(section) if outermost && section.count() > 0 => {
                self.wit_package = Some(false);
            }
            Payload::ComponentExportSection(section) if outermost => self.exports(section)?,
            _ => {}
        }
        Ok(())
    }

    fn level(&mut self, change: impl FnOnce(&mut Level)) {
        if let Some(level) = self.levels.last_mut() {
            change(level);
        }
    }

    fn end(&mut self, types: Types) {
        let ended = self.levels.pop().and_then(|level| level.encoding);
        if self.levels.is_empty() {
            let kind = match (ended, self.wit_package) {
                (Some(Encoding::Component), Some(true)) => Kind::WitPackage,
                (Some(Encoding::Component), _) => Kind::Component,
                _ => Kind::Module,
            };
            self.passed = Some(Passed {
                kind,
                size: self.taken,
                types,
            });
        }
    }

    /// Source: component model, "WIT.md", section "Package format": each export of an encoded package is the type of a
    /// component, under a plain name, or under `namespace:package/wit` in the older encoding.
    fn exports(&mut self, section: ComponentExportSectionReader<'_>) -> Result<(), wasmparser::Error> {
        for export in section {
            let name = export?.name.name;
            let item = self
                .validator
                .types(0)
                .and_then(|types| types.component_item_for_export(name));
            let is_component_type = item.is_some_and(|item| {
                matches!(
                    item.ty,
                    ComponentEntityType::Type {
                        created: ComponentAnyTypeId::Component(_),
                        ..
                    }
                )
            });
            let fits = self.wit_package.unwrap_or_else(|| names_wit(name));
            self.wit_package = Some(fits && is_component_type);
        }
        Ok(())
    }
}

fn names_wit(name: &str) -> bool {
    ComponentName::new(name, 0).is_ok_and(|name| match name.kind() {
        ComponentNameKind::Plain(plain) => plain.is_bare(),
        ComponentNameKind::Interface(interface) => interface.interface().as_str() == "wit",
    })
}

fn not_wasm(bytes: &[u8], last: bool) -> Result<Step, Invalid> {
    let may_become_wasm = MAGIC.starts_with(bytes);
    if !last && may_become_wasm {
        Ok(Step::Wants(MAGIC.len()))
    } else if !last && bytes.len() < invalid::START {
        Ok(Step::Wants(invalid::START))
    } else if may_become_wasm && !bytes.is_empty() {
        Err(Invalid::truncated(bytes.len() as u64))
    } else {
        Err(Invalid::not_wasm(LooksLike::from_start(bytes)))
    }
}
