//! What a request to the bucket can come to instead of its answer.

use aws_sdk_s3::{
    config::http::HttpResponse,
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
};

use super::super::{Error, ErrorKind, Operation};

/// A request that did not succeed.
pub(super) struct Failure {
    pub(super) cause: Cause,
    pub(super) error: Error,
}

/// What a caller tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The server answered that there is no such object, or no such multipart upload.
    Absent,
    /// The range lies outside of the object.
    OutOfRange,
    /// The parts are not those that were named.
    Parts,
    /// Anything else. Nobody knows whether the request was carried out.
    Other,
}

impl Failure {
    /// Reads what the SDK has made of it.
    pub(super) fn of<E>(operation: Operation, object: &str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let status = error.raw_response().map(|response| response.status().as_u16());
        let code = error.code().unwrap_or_default().to_owned();
        let cause = match (status, &*code) {
            // A bucket that is not there says nothing about an object.
            (_, "NoSuchBucket") => Cause::Other,
            (Some(404), _) | (_, "NoSuchKey" | "NoSuchUpload") => Cause::Absent,
            (Some(416), _) => Cause::OutOfRange,
            (_, "InvalidPart" | "InvalidPartOrder" | "EntityTooSmall") => Cause::Parts,
            _ => Cause::Other,
        };
        let kind = match (status, &*code) {
            (Some(507), _) | (_, "QuotaExceeded" | "XMinioStorageFull" | "InsufficientStorage") => ErrorKind::NoSpace,
            (Some(401 | 403), _) => ErrorKind::Denied,
            (None | Some(429 | 500..), _) => ErrorKind::Transient,
            _ => ErrorKind::Broken,
        };
        let why = DisplayErrorContext(error).to_string();
        Self {
            cause,
            error: Error::of_kind(operation, object, kind, why),
        }
    }

    /// True if the server answered that it is not there.
    pub(super) fn is_absence(&self) -> bool {
        self.cause == Cause::Absent
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

/// Tells absence from failure.
pub(super) fn present<T>(outcome: Result<T, Failure>) -> Result<Option<T>, Error> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(failure) if failure.is_absence() => Ok(None),
        Err(failure) => Err(failure.error),
    }
}
