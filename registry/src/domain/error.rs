//! What can be wrong, in the registry's own words. What status that is over HTTP is decided in `http/error.rs` alone.

use wreg_api::{ComponentFinding, TokenName};
use wreg_oci::{Digest, RepositoryName, Tag, TagOrDigest, manifest::InvalidManifest, name::Namespace};

use super::{BoxError, gate::Unsigned};
use crate::{auth::permit::Needs, metadata, signer::SignerError, storage};

/// What can be wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such repository.
    #[error("there is no repository {0}")]
    NameUnknown(RepositoryName),
    /// There is no such namespace.
    #[error("there is no namespace {0}")]
    NamespaceUnknown(Namespace),
    /// The repository does not hold the blob.
    #[error("the repository holds no blob {0}")]
    BlobUnknown(Digest),
    /// The repository does not hold the manifest.
    #[error("the repository holds no manifest {0}")]
    ManifestUnknown(TagOrDigest),
    /// There is no such upload for this caller: never was, ended, expired, or somebody else's.
    #[error("there is no such upload")]
    UploadUnknown,
    /// The chunk does not begin where the upload stands.
    #[error("the upload stands at byte {at}: go on there")]
    UploadOutOfOrder {
        /// The number of bytes that are durable.
        at: u64,
    },
    /// Another request writes to the upload.
    #[error("another request is writing to this upload, which stands at byte {at}")]
    UploadBusy {
        /// The number of bytes that are durable.
        at: u64,
    },
    /// The caller has too many uploads open.
    #[error("{limit} uploads are open already: finish or cancel some")]
    TooManyUploads {
        /// The most that may be.
        limit: u64,
    },
    /// The bytes are not those that the digest names.
    #[error("the content has the digest {actual}, not {expected}")]
    DigestMismatch {
        /// The digest that the client gave.
        expected: Digest,
        /// The digest of what came.
        actual: Digest,
    },
    /// More or fewer bytes came than were announced.
    #[error("{expected} bytes were announced and {actual} came")]
    SizeMismatch {
        /// The announced number.
        expected: u64,
        /// The number that came.
        actual: u64,
    },
    /// The blob is larger than this server takes.
    #[error("a blob can have {limit} bytes at most")]
    BlobTooLarge {
        /// The largest size in bytes.
        limit: u64,
    },
    /// The manifest is larger than this server takes.
    #[error("a manifest can have {limit} bytes at most")]
    ManifestTooLarge {
        /// The largest size in bytes.
        limit: usize,
    },
    /// The bytes are no manifest.
    #[error("the manifest is not valid: {0}")]
    ManifestInvalid(#[from] InvalidManifest),
    /// The manifest is no Wasm artifact.
    #[error("{0} is no Wasm artifact")]
    NotWasm(TagOrDigest),
    /// The artifact has no WIT, or it is not known yet.
    #[error(
        "there is no WIT of {0}: a core module has none, and of a component that was just pushed it may not be known yet"
    )]
    NoWit(TagOrDigest),
    /// The policy refuses what is not as it should be.
    #[error("the component is refused here: {}", first(.0))]
    ComponentRefused(Vec<ComponentFinding>),
    /// No version is allowed by the requirement.
    #[error("no version of {repository} fits {requirement}{}", if *.yanked { ": what would fit was yanked" } else if .highest.is_none() { ": it has no versions" } else { "" })]
    NoVersion {
        /// The repository.
        repository: RepositoryName,
        /// What was asked for.
        requirement: String,
        /// The highest that there is.
        highest: Option<Tag>,
        /// Whether only yanked ones fit.
        yanked: bool,
    },
    /// What was to be said of a version cannot be kept.
    #[error(
        "a text of a mark is empty, has more than 500 characters or control characters, an id has spaces, or there are 20 advisories already"
    )]
    MarkInvalid,
    /// What was looked for makes no sense.
    #[error("cannot search: {0}")]
    SearchInvalid(String),
    /// The manifest names content with another size than it has.
    #[error("the manifest gives {0} another size than it has")]
    ManifestSizeDiffers(Digest),
    /// The manifest names content that the repository does not hold.
    #[error("the manifest names content that the repository does not hold")]
    ManifestBlobUnknown(Vec<Digest>),
    /// The tag exists, or did until it was deleted, and the repository lets such tags not move.
    #[error("the tag {tag} is taken{} and cannot be moved in this repository: choose another one", if *.deleted { ", although what it pointed to was deleted," } else { "" })]
    TagImmutable {
        /// The tag.
        tag: Tag,
        /// What it points to, or did when it was deleted.
        digest: Digest,
        /// Whether it was deleted.
        deleted: bool,
    },
    /// The caller may push here, and not do this to the tag.
    #[error("the token does not give {} here: {tag} {}", needs.actions, if *there { "is there, and moving it is what that is for" } else { "is not there, and making it is what that is for" })]
    TagDenied {
        /// The tag.
        tag: Tag,
        /// Whether it is there.
        there: bool,
        /// What the token would have to give.
        needs: Needs,
    },
    /// A token that is still good has the name.
    #[error("there is a token named {0} already: revoke it, or choose another name")]
    TokenExists(TokenName),
    /// There is no such token.
    #[error("there is no such token")]
    TokenUnknown,
    /// The new token would give more, or live longer, than the one that it is made with.
    #[error("a token can give no more than the one that it is made with, and ends with it: {what}")]
    TokenExceedsMaker {
        /// In what.
        what: String,
    },
    /// A lifetime that no token can have.
    #[error("a token lives from 1 to {limit} seconds")]
    TokenLifetime {
        /// The longest, in seconds.
        limit: u64,
    },
    /// The administrator's own token was to be revoked.
    #[error(
        "the administrator's own token cannot be revoked: let another one take its place at the next start of the server"
    )]
    AdministratorsToken,
    /// The keys that sign artifacts do not allow it.
    #[error(transparent)]
    SigningKey(SignerError),
    /// Nobody whom the namespace names has signed it.
    #[error("{0}: sign it (`wreg sign`, `cosign sign`) or ask its publisher to; who may push can read it before")]
    NotSigned(Box<Unsigned>),
    /// The signers of a namespace cannot be these.
    #[error("the signers are not valid: {0}")]
    SignersInvalid(String),
    /// What the request expected is not so.
    #[error("the tag has changed meanwhile")]
    PreconditionFailed,
    /// The repository's settings forbid to delete.
    #[error("deleting is switched off for this repository")]
    DeletionDisabled,
    /// A manifest is made of it.
    #[error("the manifest {by} is made of it: delete that first")]
    InUse {
        /// The digest of one such manifest.
        by: Digest,
    },
    /// The request's body broke off or stalled.
    #[error("the body of the request broke off")]
    BodyBroken(#[source] BoxError),
    /// There is no room.
    #[error("the store is full")]
    NoSpace(#[source] BoxError),
    /// The database or the store does not answer, for now.
    #[error("the registry cannot do this at the moment")]
    Unavailable(#[source] BoxError),
}

/// The first of them; there is one.
fn first(findings: &[ComponentFinding]) -> &str {
    findings
        .first()
        .map_or("it is not as it should be", |finding| &finding.message)
}

impl From<metadata::Error> for Error {
    fn from(error: metadata::Error) -> Self {
        match error {
            metadata::Error::Full(_) => Self::NoSpace(error.into()),
            _ => Self::Unavailable(error.into()),
        }
    }
}

impl From<storage::Error> for Error {
    fn from(error: storage::Error) -> Self {
        match error.kind() {
            storage::ErrorKind::NoSpace => Self::NoSpace(error.into()),
            _ => Self::Unavailable(error.into()),
        }
    }
}

/// An error with everything behind it, in one line.
pub(crate) fn with_sources(error: &dyn std::error::Error) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
