//! What can go wrong: what failed, at which registry, and what to do about it.
//!
//! No secret is ever part of an error: tokens, passwords and `Authorization` headers are not among the data below, and an
//! answer's text is quoted only where the registry wrote it as an error message for people, cut short.

use std::{io, path::PathBuf, time::Duration};

use wreg_api::{Action, TokenScope};
use wreg_oci::{Digest, ErrorCode, Host};

/// A request that failed. `what` names the thing that was asked for, as a person would: `manifest acme/hello:1.0.0`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The registry does not hold it, or the caller may not see it.
    #[error("{registry} has no {what}")]
    NotFound {
        /// Where it was asked for.
        registry: Host,
        /// What was asked for.
        what: String,
    },
    /// Credentials are needed and there are none for this registry.
    #[error("{registry} wants credentials for {what}, and there are none{}", because(problem.as_ref()))]
    Unauthorized {
        /// Who wants them.
        registry: Host,
        /// For what.
        what: String,
        /// Why those that are configured could not be read.
        problem: Option<String>,
    },
    /// The registry does not know the credentials: mistyped, expired or revoked.
    #[error("{registry} does not accept the credentials that are kept for it{}", because(message.as_ref()))]
    CredentialsRefused {
        /// Who refused them.
        registry: Host,
        /// The registry's own words.
        message: Option<String>,
    },
    /// The registry knows the caller, who may not do this.
    #[error("{registry} denies {what}{}", because(message.as_ref()))]
    Denied {
        /// Who denies it.
        registry: Host,
        /// What was asked for.
        what: String,
        /// The registry's own words.
        message: Option<String>,
        /// What a token would have to give; wreg says it, other registries do not.
        needs: Option<TokenScope>,
    },
    /// The bytes, or the digest that the registry states for them, are not what was asked for. Nothing was written.
    #[error("{what} of {registry} is not what was asked for: expected {expected}, got {actual}")]
    DigestMismatch {
        /// Where it came from.
        registry: Host,
        /// What was asked for.
        what: String,
        /// The digest that was asked for.
        expected: Digest,
        /// The digest of the bytes, or the one that the registry stated.
        actual: Digest,
    },
    /// There are more or fewer bytes than the descriptor says. Nothing was written.
    #[error("{what} of {registry} is not what was asked for: expected {expected} bytes, got {}{actual}", if *longer { "more than " } else { "" })]
    SizeMismatch {
        /// Where it came from.
        registry: Host,
        /// What was asked for.
        what: String,
        /// The size that the descriptor names, in bytes.
        expected: u64,
        /// How many bytes there were, or were when the transfer was cut off.
        actual: u64,
        /// Whether the transfer was cut off at `actual` bytes.
        longer: bool,
    },
    /// An answer is larger than this client takes: a manifest, a list, or a blob that is wanted in memory.
    #[error("{what} of {registry} is larger than the {limit} {unit} that are taken")]
    TooLarge {
        /// Where it came from.
        registry: Host,
        /// What was asked for.
        what: String,
        /// The most that is taken.
        limit: u64,
        /// Of what: `bytes`, `tags`, `pages`.
        unit: &'static str,
    },
    /// A token realm, an upload's location or a redirect names another scheme, host or port. Nothing was sent there.
    #[error("{origin} names {foreign} as {role}: refused, for credentials and content stay where they belong")]
    ForeignOrigin {
        /// The registry's scheme, host and port.
        origin: String,
        /// The scheme, host and port that it names.
        foreign: String,
        /// What it names it as: `its token realm`.
        role: &'static str,
    },
    /// The registry answered with an error.
    #[error("{registry} answered {status} when asked for {what}{}", because(message.as_ref()))]
    Registry {
        /// Who answered.
        registry: Host,
        /// What was asked for.
        what: String,
        /// The HTTP status.
        status: u16,
        /// The first of the specification's codes, if the answer had one.
        code: Option<ErrorCode>,
        /// The registry's own words.
        message: Option<String>,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// The registry answered something that the protocol does not allow.
    #[error("{registry} was asked for {what}, and its answer cannot be understood: {problem}")]
    Protocol {
        /// Who answered.
        registry: Host,
        /// What was asked for.
        what: String,
        /// What is wrong with the answer.
        problem: String,
    },
    /// No answer: no connection, no trust in the certificate, or the connection broke and stayed broken.
    #[error("no answer from {registry}, asked for {what}: {problem}")]
    Network {
        /// Who was asked.
        registry: Host,
        /// What was asked for.
        what: String,
        /// What happened, down to its cause.
        problem: String,
        /// What kind of trouble it is, as far as it can be told.
        kind: NetworkKind,
    },
    /// The registry began to answer, and did not get to the end: what it said is not all.
    #[error("the {what} by {registry} was not finished: {problem}")]
    Unfinished {
        /// Who was asked.
        registry: Host,
        /// What was asked for.
        what: String,
        /// What is known of the reason.
        problem: String,
    },
    /// A file here could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file that is being pushed is not, or no longer, what its descriptor says.
    #[error("{}: expected {expected} bytes, found {actual}", path.display())]
    SourceChanged {
        /// The file.
        path: PathBuf,
        /// The size that the descriptor names, in bytes.
        expected: u64,
        /// The size that the file has.
        actual: u64,
    },
    /// What was given to push does not have the digest that it is to be pushed under.
    #[error("the bytes to push have the digest {actual}, not {expected}")]
    NotItsDigest {
        /// The digest that they were given under.
        expected: Digest,
        /// The digest that they have.
        actual: Digest,
    },
    /// Credentials could not be read or kept.
    #[error("{place}: {problem}")]
    Credentials {
        /// The file or helper.
        place: String,
        /// What is wrong.
        problem: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// The client cannot be made from its options.
    #[error("{0}")]
    Options(String),
}

/// What kind of trouble the network gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkKind {
    /// No connection could be made.
    Connect,
    /// The certificate is not one that this machine trusts.
    Certificate,
    /// The other end does not speak TLS.
    NotTls,
    /// The connection broke, or nothing came for too long.
    Broken,
}

/// What to ask for where a token lacks a right.
fn wanted_token(registry: &Host, needs: &TokenScope) -> String {
    let (pattern, mut actions) = (needs.pattern(), needs.actions());
    if !actions.contains(Action::AdministerServer) {
        // Clients look before they do anything.
        actions = actions | Action::Pull.into();
    }
    format!(
        "use a token that gives it: whoever administers {registry} makes one with \
         `wreg token create NAME {registry} --scope '{pattern}:{actions}'`"
    )
}

fn because(reason: Option<&String>) -> String {
    reason.map_or_else(String::new, |reason| format!(": {reason}"))
}

impl Error {
    /// What the caller can do about it, as a sentence to show after the error.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unauthorized { registry, .. } => {
                Some(format!("log in with `wreg login {registry}`, or set WREG_TOKEN"))
            }
            Self::CredentialsRefused { registry, .. } => Some(format!("log in again with `wreg login {registry}`")),
            Self::Denied {
                registry,
                needs: Some(needs),
                ..
            } => Some(wanted_token(registry, needs)),
            Self::Denied { .. } => Some("ask who administers the registry for access to the repository".to_owned()),
            Self::ForeignOrigin { .. } => Some("check the public URL in the registry's configuration".to_owned()),
            Self::Registry {
                retry_after: Some(wait),
                ..
            } => Some(format!(
                "the registry asks to try again after {} seconds",
                wait.as_secs()
            )),
            Self::Network { registry, kind, .. } => kind.hint(registry),
            Self::Credentials { hint, .. } => hint.clone(),
            _ => None,
        }
    }

    /// Whether this is an answer, and it is no: the thing is not there, is not what was asked for, or is refused for good.
    /// Otherwise the question could not be answered: trouble of the network, of this machine or inside the registry.
    pub fn is_no(&self) -> bool {
        match self {
            Self::NotFound { .. }
            | Self::CredentialsRefused { .. }
            | Self::Denied { .. }
            | Self::DigestMismatch { .. }
            | Self::SizeMismatch { .. }
            | Self::NotItsDigest { .. } => true,
            Self::Registry { status, .. } => (400..500).contains(status) && !matches!(status, 408 | 425 | 429),
            Self::Unauthorized { .. }
            | Self::TooLarge { .. }
            | Self::ForeignOrigin { .. }
            | Self::Protocol { .. }
            | Self::Network { .. }
            | Self::Unfinished { .. }
            | Self::File { .. }
            | Self::SourceChanged { .. }
            | Self::Credentials { .. }
            | Self::Options(_) => false,
        }
    }
}

impl NetworkKind {
    fn hint(self, registry: &Host) -> Option<String> {
        match self {
            Self::Certificate => Some(format!(
                "if {registry} uses a private certificate authority, name its certificate with --ca-file"
            )),
            Self::NotTls => Some(format!(
                "if {registry} speaks plain http, and you trust the network, use --plain-http"
            )),
            Self::Connect => Some(format!(
                "check that {registry} is the right address, and that the registry runs"
            )),
            Self::Broken => None,
        }
    }
}
