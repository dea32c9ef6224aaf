//! The result of `wreg validate`.

use std::fmt;

use serde::Serialize;
use wreg_oci::Digest;

use super::{
    text::{one_line, size},
    wasm::Wasm,
};

/// What was found in each file, in the order in which they were named.
#[derive(Debug, Serialize)]
pub(crate) struct Validated {
    pub(crate) files: Vec<File>,
}

/// One file.
#[derive(Debug, Serialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub(crate) enum File {
    /// It is valid.
    Valid {
        file: String,
        /// In bytes.
        size: u64,
        digest: Digest,
        #[serde(flatten)]
        wasm: Box<Wasm>,
    },
    /// It is not.
    Invalid {
        file: String,
        /// Where, in bytes from the start of the file, if there is one place to blame.
        offset: Option<u64>,
        message: String,
    },
    /// It could not be read, so nothing is known.
    Unreadable { file: String, message: String },
}

impl fmt::Display for Validated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for file in &self.files {
            match file {
                File::Valid {
                    file,
                    size: bytes,
                    digest,
                    wasm,
                } => {
                    writeln!(
                        f,
                        "{}: valid {}, {}, {digest}\n{wasm}",
                        one_line(file),
                        wasm.noun(),
                        size(*bytes)
                    )?;
                }
                File::Invalid { file, message, .. } | File::Unreadable { file, message } => {
                    writeln!(f, "{}: {}", one_line(file), one_line(message))?;
                }
            }
        }
        Ok(())
    }
}
