//! What a file is made of: where its bytes are, the core modules in it, its custom sections.

use std::{cmp::Reverse, collections::HashMap, ops::Range};

use serde::{Deserialize, Serialize};
use wasmparser::{CustomSectionReader, Encoding, Parser, Payload};

use super::dependencies::{self, Dependencies, DependencyList};
use crate::{
    features::ACCEPTED,
    inspect::own_name,
    invalid::Invalid,
    text::{MAX_NAME, printable},
};

/// How many names of custom sections are listed.
const MAX_SECTIONS: usize = 1_000;

/// How many names of custom sections are told apart; those that come later are not listed.
const MAX_SECTION_NAMES: usize = 10_000;

/// Where the bytes of a file or module are. The four together are its size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Space {
    /// The bytes of code sections: functions.
    pub code: u64,
    /// The bytes of data sections: what memories hold at the start.
    pub data: u64,
    /// The bytes of custom sections, their names included: debugging information, names, and what else tools leave.
    pub custom: u64,
    /// All other bytes: types, imports, exports, tables, and what stands before each section.
    pub rest: u64,
}

/// A core module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoreModule {
    /// The name that its name section gives it.
    pub name: Option<String>,
    /// Its size, in bytes.
    pub size: u64,
    /// How many functions it defines.
    pub functions: u32,
    /// Where its bytes are.
    #[serde(flatten)]
    pub space: Space,
}

/// The custom sections of one name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// The name.
    pub name: String,
    /// How many there are.
    pub count: u32,
    /// Their size together, in bytes, names included.
    pub size: u64,
}

pub(super) struct Contents {
    pub(super) space: Space,
    pub(super) modules: Vec<CoreModule>,
    pub(super) sections: Vec<Section>,
    pub(super) dependencies: DependencyList,
}

/// A module or component that is being read.
struct Level {
    start: u64,
    /// The place of a module in the list.
    module: Option<usize>,
}

#[derive(Default)]
struct Reader<'a> {
    space: Space,
    modules: Vec<CoreModule>,
    /// How many custom sections of a name there are, and their size.
    sections: HashMap<&'a str, (u32, u64)>,
    dependencies: Dependencies,
    /// The module or component that is being read, last, and those around it.
    levels: Vec<Level>,
}

impl Contents {
    /// Looks at a file that passed the gate.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader::default();
        let mut parser = Parser::new(0);
        parser.set_features(ACCEPTED);
        for payload in parser.parse_all(bytes) {
            reader.take(payload?);
        }
        Ok(reader.finish(bytes.len() as u64))
    }
}

impl<'a> Reader<'a> {
    fn take(&mut self, payload: Payload<'a>) {
        match payload {
            Payload::Version { encoding, range, .. } => self.begin(encoding, range.start),
            Payload::End(end) => self.end(end),
            Payload::CodeSectionStart {
                count, unchecked_range, ..
            } => {
                self.add(&unchecked_range, |space| &mut space.code);
                if let Some(module) = self.module() {
                    module.functions = count;
                }
            }
            Payload::DataSection(section) => self.add(&section.range(), |space| &mut space.data),
            Payload::CustomSection(section) => self.custom(&section),
            _ => {}
        }
    }

    fn begin(&mut self, encoding: Encoding, start: u64) {
        let module = (encoding == Encoding::Module).then_some(self.modules.len());
        if module.is_some() {
            self.modules.push(CoreModule {
                name: None,
                size: 0,
                functions: 0,
                space: Space::default(),
            });
        }
        self.levels.push(Level { start, module });
    }

    fn end(&mut self, end: u64) {
        let start = self.levels.last().map_or(end, |level| level.start);
        if let Some(module) = self.module() {
            module.size = end - start;
            module.space.rest = module.size - module.space.known();
        }
        self.levels.pop();
    }

    /// The core module that is being read, unless it is a component.
    fn module(&mut self) -> Option<&mut CoreModule> {
        let place = self.levels.last()?.module?;
        self.modules.get_mut(place)
    }

    fn add(&mut self, range: &Range<u64>, kind: impl Fn(&mut Space) -> &mut u64) {
        let size = range.end - range.start;
        *kind(&mut self.space) += size;
        if let Some(module) = self.module() {
            *kind(&mut module.space) += size;
        }
    }

    fn custom(&mut self, section: &CustomSectionReader<'a>) {
        let range = section.range();
        self.add(&range, |space| &mut space.custom);
        let room = self.sections.len() < MAX_SECTION_NAMES;
        if room || self.sections.contains_key(section.name()) {
            let (count, size) = self.sections.entry(section.name()).or_default();
            *count += 1;
            *size += range.end - range.start;
        }
        match section.name() {
            dependencies::SECTION => self.dependencies.add(section.data()),
            "name" => {
                let name = own_name(section).map(|name| printable(name, MAX_NAME));
                if let Some(module) = self.module() {
                    module.name = name.or(module.name.take());
                }
            }
            _ => {}
        }
    }

    fn finish(self, size: u64) -> Contents {
        let mut sections: Vec<_> = self.sections.into_iter().collect();
        sections.sort_by_key(|(name, (_, size))| (Reverse(*size), *name));
        sections.truncate(MAX_SECTIONS);
        let section = |(name, (count, size))| Section {
            name: printable(name, MAX_NAME),
            count,
            size,
        };
        Contents {
            space: Space {
                rest: size - self.space.known(),
                ..self.space
            },
            modules: self.modules,
            sections: sections.into_iter().map(section).collect(),
            dependencies: self.dependencies.finish(),
        }
    }
}

impl Space {
    fn known(&self) -> u64 {
        self.code + self.data + self.custom
    }
}
