//! Versions by meaning: what changed between two interfaces, whether the newer may stand in for the older, and which version
//! it should have.
//!
//! Both sides are WIT texts as [`wit`](crate::wit()) makes them, of two components or of two WIT packages. They are read into
//! two separate resolves, and compared here.
//!
//! ```text
//! read.rs     text → packages, worlds and interfaces, with bounds on what a text may cost
//! worlds.rs   components, packages, worlds              pairs.rs    which import is which
//! items.rs    functions and types of an interface       members.rs  parameters, fields, cases, flags
//! same.rs     whether two types are the same type       comparer.rs who may rely on what, in each place
//! report.rs   the list of changes in the making         change.rs   one change, and its sentence
//! words.rs    types as WIT writes them                  version.rs  the number that a release should have
//! ```
//!
//! # Who is promised what
//!
//! A **component** promises its exports and asks for its imports. The newer one may stand in for the older where it exports as
//! much or more and imports as much or less. A **WIT package** is implemented by some and called by others. It promises what
//! stands in it: what is there stays as it is, and more may come. A world of a package is a promise to the components
//! that are made for it: they may count on its imports and must bring its exports, so that one more thing to export is a break, as
//! is one more function in an interface that they export. (wit-component's `semver_check` allows such a world to lose an
//! export, since its components still fit. Whoever calls that export thinks otherwise, so here whatever a package loses is a break.)
//! What is marked `@unstable` is no promise.
//!
//! Types have no subtypes: a function or type is the same, or it has changed and whoever used it is broken. Sameness is that of the
//! component model: by structure through `use` and aliases, in which names of parameters, fields and cases count, and
//! their order; a resource is known by its interface and name. What changed in a type is told where the type is defined,
//! if that interface is compared, and not again wherever it is used.
//!
//! An interface `ns:name/interface@version` is matched with itself on the same track: `@1`, `@0.2`, `@0.0.3`, the
//! number that no release may change without a break; a pre-release is a track of its own. That its version was raised or
//! lowered on the track is told and breaks nothing, on either side: wac and wasmtime take one for the other, and what
//! the structure asks or offers is compared. Another track is another interface: asking for it, or no longer offering the old one,
//! breaks. The versions that two compared WIT packages have themselves are not looked at: what they should be is the question.

mod change;
mod comparer;
mod items;
mod members;
mod pairs;
mod read;
mod report;
mod same;
mod version;
mod words;
mod worlds;

use crate::{
    apart::{Ended, apart},
    text::{MAX_NAME, printable},
    wit::MAX_WIT_TEXT,
};

pub use change::{Change, ChangeKind};
pub use report::{Comparison, Level, MAX_CHANGES};

/// Which of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The older one.
    Old,
    /// The newer one.
    New,
}

impl std::fmt::Display for Which {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Old => "older",
            Self::New => "newer",
        })
    }
}

/// Why two interfaces cannot be compared. `Display` is one line without control characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Incomparable {
    /// A text is no WIT, or it is cut off.
    #[error("the WIT of the {which} one cannot be read: {why}")]
    Unreadable {
        /// Which text.
        which: Which,
        /// What is wrong with it.
        why: String,
    },
    /// One text is longer than [`MAX_WIT_TEXT`], or would cost far more to compare than any real interface does.
    #[error("an interface of this size cannot be compared")]
    TooLarge,
    /// One is a component and the other a WIT package.
    #[error("a component and a WIT package cannot be compared")]
    DifferentKinds,
    /// The comparison has a fault, and ended.
    #[error("these two interfaces cannot be compared: wreg has a fault")]
    Failed,
    /// The system gave no thread to do it on.
    #[error("no thread to compare with: {0}")]
    NoThread(String),
}

/// Compares two interfaces, given as WIT texts of at most 2 MiB that [`wit`](crate::wit()) made.
///
/// Time and memory are bounded whatever the texts are: a few seconds and about 300 MB for the worst that is known, and
/// milliseconds for what compilers make.
pub fn compare(old_wit: &str, new_wit: &str) -> Result<Comparison, Incomparable> {
    if old_wit.len().max(new_wit.len()) > MAX_WIT_TEXT {
        return Err(Incomparable::TooLarge);
    }
    let compared = apart("compare", || {
        let old = read::Side::read(old_wit, Which::Old)?;
        let new = read::Side::read(new_wit, Which::New)?;
        worlds::compare(&old, &new)
    });
    match compared {
        Ok(compared) => compared,
        Err(Ended::Panicked) => Err(Incomparable::Failed),
        Err(Ended::NoThread(error)) => Err(Incomparable::NoThread(printable(&error.to_string(), MAX_NAME))),
    }
}
