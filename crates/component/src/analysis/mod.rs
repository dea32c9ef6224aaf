//! Everything that a registry derives from a file, in one call.

mod contents;
mod dependencies;
mod docs;

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use crate::{
    inspect::{Inspection, inspect_on},
    invalid::Invalid,
    validate::Kind,
    wit::{self, Wit},
};
pub use contents::{CoreModule, Section, Space};
pub(crate) use dependencies::CRATES_IO;
pub use dependencies::{Dependency, DependencyKind, DependencyList};

use contents::Contents;

/// What a valid file is, says of itself and is made of. It goes through JSON and back unchanged.
///
/// Names and texts are the file's own claims, made printable and cut, as in [`Inspection`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Analysis {
    /// What it is and says of itself.
    #[serde(flatten)]
    pub inspection: Inspection,
    /// Its WIT text; `None` for core modules, and where [`wit()`](crate::wit()) says that there is none.
    pub wit: Option<Wit>,
    /// The documentation in the WIT text as one line of words, for a search index; cut at 64 KiB with an ellipsis. Components carry
    /// none as a rule, WIT packages do.
    pub docs: String,
    /// The packages that its modules were made from, sorted, if they say so; at most 5,000. Source: the sections `.dep-v0`, as
    /// cargo-auditable writes them.
    pub dependencies: Vec<Dependency>,
    /// Where its bytes are.
    pub space: Space,
    /// The custom sections of all modules and components, those of one name together, the largest first; at most 1,000 names.
    pub sections: Vec<Section>,
    /// The core modules in it, in their order in the file; at most 1,000, since the gate lets in no more. A core module is its own
    /// only one.
    pub modules: Vec<CoreModule>,
}

/// Validates a file that is in memory, and derives everything that is to be known of it. Function bodies are validated on up to
/// `threads` threads; the answer does not depend on their number.
pub fn analyse(bytes: &[u8], threads: NonZeroUsize) -> Result<Analysis, Invalid> {
    let inspection = inspect_on(bytes, threads)?;
    let wit = match inspection.kind {
        Kind::Module => None,
        Kind::Component | Kind::WitPackage => wit::write(bytes).ok(),
    };
    let contents = Contents::read(bytes)?;
    Ok(Analysis {
        docs: wit.as_ref().map(|wit| docs::words(&wit.text)).unwrap_or_default(),
        wit,
        inspection,
        dependencies: contents.dependencies.dependencies,
        space: contents.space,
        sections: contents.sections,
        modules: contents.modules,
    })
}

/// The lists of packages in a file that passed the gate.
pub fn dependency_list(bytes: &[u8]) -> Result<DependencyList, Invalid> {
    Contents::read(bytes).map(|contents| contents.dependencies)
}
