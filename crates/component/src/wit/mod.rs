//! WIT text: of a component or WIT package, of several WIT packages that belong together, and what a text refers to.
//!
//! The text is read and made by wit-parser and wit-component, which take whatever passed the gate but were not made for hostile
//! input: they assert, and their output can be far larger than their input. So they run on a thread of its own, whose panics end
//! there, with room for deep recursion, and write into a sink that ends it when the text is long enough.
//!
//! ```text
//! print.rs    the sink          source.rs   text, and the packages that it refers to
//! packages.rs several packages, unfolded into the text of each that is in them
//! folder.rs   a package and those that it mentions, as files
//! ```

mod folder;
mod packages;
mod print;
mod source;

use serde::{Deserialize, Serialize};

pub use folder::{FolderFile, wit_folder};
pub use packages::{MAX_WIT_PACKAGES, WitPackage, WitPart, wit_packages};
pub use source::{WitFile, WitSource, wit_source};

use crate::{
    apart::{Ended, apart},
    invalid::{Invalid, Reason},
    text::{self, MAX_TEXT},
    validate::{Kind, validate},
};

/// The longest WIT text, in bytes: 2 MiB.
pub const MAX_WIT_TEXT: usize = 2 << 20;

/// WIT text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wit {
    /// The main package, then every other package that it mentions, in `package … { … }` blocks; documentation included
    /// where the file carries it. A component's main package is called `root:component` and its world `root`, since a
    /// component carries no better name.
    pub text: String,
    /// Whether the text was longer than [`MAX_WIT_TEXT`] and ends before the end, after a whole line.
    pub truncated: bool,
}

/// WIT text that is not valid, or WIT packages that do not go together: why, on one line that is safe to show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidWit(String);

impl InvalidWit {
    fn new(message: impl AsRef<str>) -> Self {
        Self(text::printable(message.as_ref(), MAX_TEXT))
    }
}

impl From<Invalid> for InvalidWit {
    fn from(invalid: Invalid) -> Self {
        Self(invalid.message)
    }
}

/// The WIT text of a component or WIT package that is in memory.
///
/// # Errors
///
/// [`Reason::NoWit`] for a core module, and for a component whose interface WIT cannot express or that the text maker does not
/// understand; otherwise what [`validate`] says.
pub fn wit(bytes: &[u8]) -> Result<Wit, Invalid> {
    check(bytes)?;
    write(bytes)
}

/// Refuses what is not valid, and core modules.
fn check(bytes: &[u8]) -> Result<(), Invalid> {
    if validate(bytes)?.kind == Kind::Module {
        return Err(no_wit(
            "a core module has no WIT: only components and WIT packages have",
        ));
    }
    Ok(())
}

/// [`wit`] of a component or WIT package that passed the gate.
pub(crate) fn write(bytes: &[u8]) -> Result<Wit, Invalid> {
    write_apart(|| make(bytes))
}

/// The writing of WIT, on a thread of its own.
fn write_apart<T: Send>(work: impl FnOnce() -> Result<T, String> + Send) -> Result<T, Invalid> {
    let cannot = |why: &str| no_wit(&format!("the WIT of this component cannot be written{why}"));
    match apart("wit", work) {
        Ok(made) => made.map_err(|error| cannot(&format!(": {error}"))),
        Err(Ended::Panicked) => Err(cannot("")),
        Err(Ended::NoThread(error)) => Err(no_wit(&format!("no thread to write the WIT with: {error}"))),
    }
}

fn no_wit(message: &str) -> Invalid {
    Invalid::new(Reason::NoWit, None, message)
}

fn make(bytes: &[u8]) -> Result<Wit, String> {
    let decoded = wit_component::decode(bytes).map_err(|error| format!("{error:#}"))?;
    let (resolve, main) = (decoded.resolve(), decoded.package());
    let others: Vec<_> = resolve
        .packages
        .iter()
        .map(|(id, _)| id)
        .filter(|id| *id != main)
        .collect();
    let printed = print::print(resolve, main, &others, MAX_WIT_TEXT)?;
    Ok(Wit {
        text: printed.text,
        truncated: printed.truncated,
    })
}

/// The reading of WIT, on a thread of its own.
fn read_apart<T: Send>(work: impl FnOnce() -> Result<T, InvalidWit> + Send) -> Result<T, InvalidWit> {
    apart("wit", work).unwrap_or_else(|ended| {
        Err(match ended {
            Ended::Panicked => InvalidWit::new("the WIT cannot be understood: its reader gave up"),
            Ended::NoThread(error) => InvalidWit::new(format!("no thread to read the WIT with: {error}")),
        })
    })
}
