//! What a command says, and how it is written.
//!
//! A command returns a model; [`Printer`] writes it to stdout as text or as JSON, so that the two cannot disagree. Everything
//! else (progress, warnings, errors, hints) goes to stderr.
//!
//! ```text
//! printer.rs   the one door to stdout and stderr      progress.rs  bars, on a terminal only
//! json.rs      the envelope of every JSON result      text.rs      columns, sizes, and text from elsewhere made harmless
//! log.rs       what the libraries log
//! wasm.rs      what a WebAssembly file is             validated.rs · inspected.rs · transferred.rs · listed.rs · tokens.rs · keys.rs · session.rs
//!                                                     collected.rs · checked.rs · understood.rs · differences.rs · successor.rs
//!                                                     trusted.rs · dependencies.rs · sizes.rs · sbom.rs · audited.rs · witnessing.rs
//! ```

mod audited;
mod checked;
mod collected;
mod dependencies;
mod differences;
mod inspected;
mod json;
mod keys;
mod listed;
mod log;
mod printer;
mod progress;
mod sbom;
mod session;
mod signed;
mod sizes;
mod successor;
mod text;
mod tokens;
mod transferred;
mod trusted;
mod understood;
mod validated;
mod wasm;
mod witnessing;

pub(crate) use audited::Audited;
pub(crate) use checked::{CheckDone, Found};
pub(crate) use collected::{Collection, DeletedShown, DeletedThings, Undeletion};
pub(crate) use dependencies::{Added, AddedPackage, FetchedPackages, Locked};
pub(crate) use differences::{Compared, Difference, Differences};
pub(crate) use inspected::{Annotated, InRegistry, Inspected, Source, Wit, WitFolder};
pub(crate) use keys::{KeyShown, Keys};
pub(crate) use listed::{Repositories, RepositoryShown, Tags};
pub(crate) use log::log;
pub(crate) use printer::{Printer, write_content};
pub(crate) use sbom::Sbom;
pub(crate) use session::{LoggedIn, LoggedOut, Version};
pub(crate) use signed::{KeyPair, RuleVerification, Signed, Unverified, Verification, VerifiedStatement};
pub(crate) use sizes::Sizes;
pub(crate) use successor::Successor;
pub(crate) use text::{size, time};
pub(crate) use tokens::{TokenCreated, TokenShown, Tokens, TokensRevoked};
pub(crate) use transferred::{Content, Copied, Deleted, Pulled, Pushed};
pub(crate) use trusted::{
    Forgotten, LogEntryShown, LogShown, LogVerified, PublishedKey, PublishedKeys, SigningKeyShown, SigningKeys, Trusted,
};
pub(crate) use understood::{FoundShown, Marked, NamespaceShown, Namespaces, SearchResults, Shown, Versions};
pub(crate) use validated::{File, Validated};
pub(crate) use wasm::Wasm;
pub(crate) use witnessing::Witnessing;

/// A result: `Display` writes it for people, `Serialize` for programs.
pub(crate) trait Report: serde::Serialize + std::fmt::Display {}

impl<T: serde::Serialize + std::fmt::Display> Report for T {}
