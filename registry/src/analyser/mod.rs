//! Looking into WebAssembly, in a process of its own.
//!
//! Whoever pushes wrote every byte of it, and a thread can neither be stopped nor be kept from taking memory. So the server runs itself
//! again, as `wreg-registry analyse`, which first takes limits on itself, then reads the bytes from its standard input and writes what it
//! found to its standard output (`child.rs`). It gets no environment and no network of the server's, and of its files only the one to look
//! into, open for reading.

mod child;
mod process;

use std::process::Stdio;

use serde::{Deserialize, Serialize};
use wreg_component::{Analysis, Comparison, Invalid};

pub(crate) use self::{
    child::{run, run_comparison},
    process::{Analyser, Unanswered},
};

/// Grows when an analysis tells more than it did: then what an older one made is made again.
pub(crate) const VERSION: i64 = 1;

/// The most bytes that are read: 64 MiB.
pub(crate) const MAX_BYTES: u64 = 64 << 20;

/// The most memory that the process can make private, in bytes: 256 MiB.
const MAX_MEMORY: u64 = 256 << 20;

/// The most processor time that it can take, in seconds.
const MAX_SECONDS: u64 = 5;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The bytes, as they come.
type ByteStream = futures_util::stream::BoxStream<'static, Result<bytes::Bytes, BoxError>>;

/// What is analysed, which is read to its end.
pub(crate) enum Input {
    /// An open file, which the process reads by itself.
    File(Stdio),
    /// Bytes, which the process is sent.
    Stream(ByteStream),
}

/// What became of an analysis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// The bytes are valid WebAssembly.
    Analysed(Box<Analysis>),
    /// They are not.
    Invalid(Invalid),
    /// It could not be found out within the limits: in words, why.
    Failed(String),
}

/// Two interfaces to compare, as WIT texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Texts {
    /// The older one.
    pub(crate) old: String,
    /// The newer one.
    pub(crate) new: String,
}

/// What became of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Compared {
    /// What changed.
    Comparison(Comparison),
    /// They cannot be compared: in words, why.
    Incomparable(String),
}
