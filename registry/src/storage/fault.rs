//! The one seam for injected faults: every step of a backend that can fail asks here first.
//!
//! A running server has [`Faults::NONE`], which is one comparison with a null pointer. A test gives a closure that returns the
//! error of its choice, counts, blocks or panics.

use std::{fmt, io, sync::Arc};

/// A step of a backend that can fail by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Make a folder.
    CreateDir,
    /// Open a file that is there.
    Open,
    /// Open a file, and make it if it is not there.
    Create,
    /// Take a file for oneself.
    Lock,
    /// Ask for an object's length and identity.
    Inspect,
    /// Put bytes into a file.
    Write,
    /// Cut a file off.
    Truncate,
    /// Flush a file to the device.
    Sync,
    /// Move a file to its final name.
    Rename,
    /// Take away the permission to write.
    Protect,
    /// Flush a folder's names to the device.
    SyncDir,
    /// Get bytes of a file.
    Read,
    /// Remove a name.
    Unlink,
    /// Walk a folder.
    List,
    /// Make one object of the parts that came for it.
    Join,
}

impl Operation {
    /// True for the steps that change what is stored.
    pub(super) fn changes(self) -> bool {
        match self {
            Self::CreateDir
            | Self::Create
            | Self::Write
            | Self::Truncate
            | Self::Rename
            | Self::Protect
            | Self::Unlink
            | Self::Join => true,
            Self::Open | Self::Lock | Self::Inspect | Self::Sync | Self::SyncDir | Self::Read | Self::List => false,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CreateDir => "create the folder",
            Self::Open => "open",
            Self::Create => "create",
            Self::Lock => "lock",
            Self::Inspect => "look up",
            Self::Write => "write",
            Self::Truncate => "shorten",
            Self::Sync => "flush",
            Self::Rename => "move into place",
            Self::Protect => "make read-only",
            Self::SyncDir => "flush the folder",
            Self::Read => "read",
            Self::Unlink => "remove",
            Self::List => "list",
            Self::Join => "join the parts of",
        })
    }
}

type Check = dyn Fn(Operation, &str) -> io::Result<()> + Send + Sync;

/// What is to go wrong.
#[derive(Clone)]
pub struct Faults(Option<Arc<Check>>);

impl Faults {
    /// Nothing: the value of a running server.
    pub const NONE: Self = Self(None);

    /// `check` is called before each step, with the name of its object within the store, on the thread that does the step. An error
    /// takes the place of the step's own.
    pub fn new(check: impl Fn(Operation, &str) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(check)))
    }

    /// Whether anything may go wrong.
    pub(super) fn are_injected(&self) -> bool {
        self.0.is_some()
    }

    /// The error that `operation` on `object` is to fail with, if any.
    pub(super) fn check(&self, operation: Operation, object: &str) -> io::Result<()> {
        match &self.0 {
            None => Ok(()),
            Some(check) => check(operation, object),
        }
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() {
            "Faults(injected)"
        } else {
            "Faults(none)"
        })
    }
}
