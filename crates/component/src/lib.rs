//! What a WebAssembly component is: bytes in, facts out. No network, no files, no threads that outlive a call.
//!
//! ```text
//! validate/   the gate: is this WebAssembly that wreg accepts, and is it a module, a component or a WIT package
//! features.rs what the gate accepts, what wasmtime 48 runs, and how features are called
//! invalid.rs  why the gate says no, in words for a person
//! inspect/    imports, exports, package, world, producers, metadata
//! wit/        the WIT text of a component or WIT package, with its documentation; packages that refer to each other
//! analysis/   all of this in one call, and what a file is made of: modules, sections, dependencies
//! sbom/       what a file is made from, as a CycloneDX document
//! advisories/ one advisory, and whether it is about a dependency
//! agreement.rs whether the config of an artifact says what its bytes are
//! compat/     what changed between two of them, and which version the newer should have
//! apart.rs    a thread of its own for what may panic
//! text.rs     every text that comes out of a binary, made short and printable
//! ```
//!
//! Two generations of wasm-tools meet here. wasmparser 0.263 is the gate and the only reader of bytes that nobody has
//! looked at yet; `inspect` needs nothing else. `wit` hands bytes that passed to wit-component of the generation that the
//! composing and transpiling crates use. Only bytes pass between the two: their types are never mixed.

pub mod advisories;
mod agreement;
mod analysis;
mod apart;
mod compat;
mod features;
mod inspect;
mod invalid;
mod sbom;
mod text;
mod validate;
mod wit;

pub use agreement::contradictions;
pub use analysis::{
    Analysis, CoreModule, Dependency, DependencyKind, DependencyList, Section, Space, analyse, dependency_list,
};
pub use compat::{Change, ChangeKind, Comparison, Incomparable, Level, MAX_CHANGES, Which, compare};
pub use features::{ACCEPTED, Feature, WASMTIME_48};
pub use inspect::{Inspection, Item, ItemKind, Metadata, Package, Producer, inspect, outline};
pub use invalid::{Invalid, LooksLike, Reason};
pub use sbom::sbom;
pub use text::printable_text as printable;
pub use validate::{Kind, MAX_PENDING, Valid, Validator, beyond_wasmtime_48, validate};
pub use wit::{
    FolderFile, InvalidWit, MAX_WIT_PACKAGES, MAX_WIT_TEXT, Wit, WitFile, WitPackage, WitPart, WitSource, wit,
    wit_folder, wit_packages, wit_source,
};
