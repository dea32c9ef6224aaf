//! What can be wrong with a store. Absence is not: that is `Ok(None)`.

use std::io;

use super::{Operation, Position};

/// Any error, as streams carry it.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A step that a backend could not do. The text names the step and the object; the source says why.
#[derive(Debug, thiserror::Error)]
#[error("the store cannot {operation} {object}")]
pub(crate) struct Error {
    operation: Operation,
    object: String,
    kind: ErrorKind,
    #[source]
    source: BoxError,
}

/// What a caller can do about an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// The disk, the quota or the largest file size is used up. Reads and deletes go on; writes work again once there is room.
    NoSpace,
    /// Too much at once: descriptors, memory, a device that is busy. The same call can succeed in a moment.
    Transient,
    /// The store takes no writes: mounted read-only, a missing permission, or a flush that failed earlier. Reads go on.
    Denied,
    /// Anything else: a broken device, a file that is shorter than it was, a file system that lacks what wreg needs.
    Broken,
}

impl Error {
    /// `operation` on `object` (its name within the store, not a path of the machine) met `source`.
    pub(super) fn new(operation: Operation, object: impl Into<String>, source: io::Error) -> Self {
        Self {
            operation,
            object: object.into(),
            kind: ErrorKind::of(&source),
            source: source.into(),
        }
    }

    /// The same from a backend that knows its errors better than by their number.
    #[cfg(feature = "s3")]
    pub(super) fn of_kind(
        operation: Operation,
        object: impl Into<String>,
        kind: ErrorKind,
        source: impl Into<BoxError>,
    ) -> Self {
        Self {
            operation,
            object: object.into(),
            kind,
            source: source.into(),
        }
    }

    /// What a caller can do about it.
    pub(crate) fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// True if the step failed because its object is not there.
    pub(super) fn is_absence(&self) -> bool {
        self.source
            .downcast_ref::<io::Error>()
            .is_some_and(|source| source.kind() == io::ErrorKind::NotFound)
    }
}

impl ErrorKind {
    /// The two that [`io::ErrorKind`] has no stable name for; the same numbers on Linux, macOS and the BSDs.
    const TOO_MANY_FILES: [i32; 2] = [23, 24];

    fn of(error: &io::Error) -> Self {
        use io::ErrorKind as Io;
        match error.kind() {
            Io::StorageFull | Io::QuotaExceeded | Io::FileTooLarge => Self::NoSpace,
            Io::WouldBlock | Io::Interrupted | Io::ResourceBusy | Io::OutOfMemory | Io::TimedOut => Self::Transient,
            Io::ReadOnlyFilesystem | Io::PermissionDenied => Self::Denied,
            _ if error
                .raw_os_error()
                .is_some_and(|code| Self::TOO_MANY_FILES.contains(&code)) =>
            {
                Self::Transient
            }
            _ => Self::Broken,
        }
    }
}

/// Why an append did not take in the whole body.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppendError {
    /// The upload holds fewer bytes than the caller was told, `durable` in all (0 if it is gone: committed or aborted). Whoever
    /// goes on from there hashes from the start: a store that lost bytes may have lost others.
    #[error("the upload holds only {durable} bytes")]
    Lost {
        /// How long the upload is.
        durable: u64,
    },
    /// The upload is not there any more: committed, aborted, or lost. It cannot go on, from the start neither.
    #[error("the upload is gone")]
    Gone,
    /// The body or the store failed on the way. What is before `durable` is safe, and the next append goes on there.
    #[error("the upload stopped after {} bytes", durable.offset)]
    Stopped {
        /// Where the next append begins: never before the position of this one.
        durable: Position,
        /// Which of the two failed.
        #[source]
        cause: StopCause,
    },
}

/// What stopped an append.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StopCause {
    /// The body ended with an error: the client went away, or what reads the body refused it.
    #[error("the body broke off")]
    Body(#[source] BoxError),
    /// The store could not write; [`Error::kind`] tells a full disk apart.
    #[error(transparent)]
    Storage(#[from] Error),
}

/// Why a commit did not take place.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommitError {
    /// The upload holds fewer bytes than were to be committed, `durable` in all (0 if it is gone). It is as it was.
    #[error("the upload holds only {durable} bytes")]
    Lost {
        /// How long the upload is.
        durable: u64,
    },
    /// The upload is not there any more, and no blob of this digest came of it.
    #[error("the upload is gone")]
    Gone,
    /// The store failed. Whether the blob is there is open; the upload is held still, and repeating the commit finds out.
    #[error(transparent)]
    Storage(#[from] Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_caller_can_do_is_read_from_the_error_number() {
        for (code, kind) in [
            (28, ErrorKind::NoSpace),   // ENOSPC
            (122, ErrorKind::NoSpace),  // EDQUOT
            (27, ErrorKind::NoSpace),   // EFBIG
            (24, ErrorKind::Transient), // EMFILE
            (23, ErrorKind::Transient), // ENFILE
            (11, ErrorKind::Transient), // EAGAIN
            (12, ErrorKind::Transient), // ENOMEM
            (30, ErrorKind::Denied),    // EROFS
            (13, ErrorKind::Denied),    // EACCES
            (5, ErrorKind::Broken),     // EIO
            (18, ErrorKind::Broken),    // EXDEV
        ] {
            let error = Error::new(Operation::Write, "uploads/x", io::Error::from_raw_os_error(code));
            assert_eq!(error.kind(), kind, "error {code}");
        }
    }

    #[test]
    fn the_text_names_the_step_and_the_object_and_keeps_the_source() {
        let error = Error::new(Operation::Sync, "uploads/x", io::Error::from_raw_os_error(5));
        assert_eq!(error.to_string(), "the store cannot flush uploads/x");
        assert!(std::error::Error::source(&error).is_some_and(|source| source.to_string().contains("os error 5")));
    }
}
