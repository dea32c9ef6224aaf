//! Why bytes are refused, in words for a person.

use serde::{Deserialize, Serialize};

use crate::{
    MAX_PENDING,
    features::Feature,
    text::{self, MAX_NAME},
};

/// Bytes that are refused: what is wrong, and where.
///
/// `Display` gives the message: one line, at most about 1 KiB, without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Invalid {
    /// The offset of the first byte that is wrong, from the start of the file; `None` where no single place is to blame.
    pub offset: Option<u64>,
    /// What kind of fault it is.
    pub reason: Reason,
    /// The sentence to show.
    pub message: String,
}

/// What is wrong with the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The file does not begin as WebAssembly does.
    NotWasm(LooksLike),
    /// The file ends in the middle of something.
    Truncated,
    /// The bytes break a rule of the WebAssembly or component-model specification.
    Malformed,
    /// The file needs a feature outside [`ACCEPTED`](crate::ACCEPTED).
    NeedsFeature(Feature),
    /// One part of the file is larger than the gate holds ([`MAX_PENDING`]), or would make the gate
    /// hold far more than the file is large.
    TooLarge,
    /// A valid file that carries no WIT: a core module, or a component whose interface WIT cannot express.
    NoWit,
}

impl Invalid {
    pub(crate) fn new(reason: Reason, offset: Option<u64>, message: impl AsRef<str>) -> Self {
        Self {
            offset,
            reason,
            message: text::printable(message.as_ref(), MAX_NAME),
        }
    }

    pub(crate) fn not_wasm(looks_like: LooksLike) -> Self {
        Self::new(Reason::NotWasm(looks_like), Some(0), looks_like.message())
    }

    pub(crate) fn truncated(at: u64) -> Self {
        let message = format!("the file is cut off: it ends after {at} bytes, in the middle of something");
        Self::new(Reason::Truncated, Some(at), message)
    }

    /// For `count` bytes, or more, that would have to be held together.
    pub(crate) fn too_much(at: u64, count: usize) -> Self {
        let what = format!("a section or function of at least {count} bytes, and at most {MAX_PENDING} are held");
        Self::too_large(at, &what)
    }

    pub(crate) fn too_large(at: u64, what: &str) -> Self {
        Self::new(Reason::TooLarge, Some(at), format!("too large at byte {at:#x}: {what}"))
    }

    pub(crate) fn malformed(at: u64, what: &str) -> Self {
        Self::new(
            Reason::Malformed,
            Some(at),
            format!("not valid at byte {at:#x}: {what}"),
        )
    }
}

impl From<wasmparser::Error> for Invalid {
    fn from(error: wasmparser::Error) -> Self {
        let at = error.offset();
        let what = error.message();
        match error.missing_wasm_feature().and_then(Feature::first_of) {
            Some(feature) => {
                let message = format!("needs the feature {feature}, which is not accepted; byte {at:#x}: {what}");
                Self::new(Reason::NeedsFeature(feature), Some(at), message)
            }
            None => Self::malformed(at, what),
        }
    }
}

/// What a file that is not WebAssembly seems to be, from its first bytes. Nothing is unpacked to find out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LooksLike {
    /// No bytes at all.
    Empty,
    /// gzip, as in `.wasm.gz` and `.tar.gz`.
    Gzip,
    /// Zstandard.
    Zstd,
    /// zip and what is built on it.
    Zip,
    /// tar, uncompressed.
    Tar,
    /// Native code that wasmtime compiled from WebAssembly, `.cwasm`.
    Precompiled,
    /// A native program or library of this or another system.
    NativeProgram,
    /// WebAssembly text, `.wat`.
    Wat,
    /// WIT text, `.wit`.
    Wit,
    /// JSON, such as a manifest instead of the layer that it names.
    Json,
    /// HTML, such as the error page of a download.
    Html,
    /// None of these.
    Unknown,
}

/// How many of the first bytes [`LooksLike::from_start`] wants to see: a tar archive says so at byte 257.
pub(crate) const START: usize = 512;

impl LooksLike {
    /// Names what begins with `start`: the first [`START`] bytes, or all of a shorter file.
    pub(crate) fn from_start(start: &[u8]) -> Self {
        /// `EI_OSABI` of an ELF file from wasmtime. Source: wasmtime-environ 48.0.8, `src/obj.rs`.
        const ELFOSABI_WASMTIME: u8 = 200;
        match start {
            [] => Self::Empty,
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [b'P', b'K', 3 | 5, 4 | 6, ..] => Self::Zip,
            [0x7f, b'E', b'L', b'F', _, _, _, ELFOSABI_WASMTIME, ..] => Self::Precompiled,
            [0x7f, b'E', b'L', b'F', ..]
            | [b'M', b'Z', ..]
            | [0xcf | 0xce, 0xfa, 0xed, 0xfe, ..]
            | [0xca, 0xfe, 0xba, 0xbe, ..] => Self::NativeProgram,
            _ if start.get(257..262) == Some(b"ustar") => Self::Tar,
            _ => Self::from_text(start),
        }
    }

    fn from_text(start: &[u8]) -> Self {
        let text = String::from_utf8_lossy(start);
        let begins = |words: &[&str]| words.iter().any(|word| text.trim_start().starts_with(word));
        if begins(&["(", ";;"]) {
            Self::Wat
        } else if begins(&["package ", "interface ", "world ", "//", "/*"]) {
            Self::Wit
        } else if begins(&["{", "["]) {
            Self::Json
        } else if begins(&["<"]) {
            Self::Html
        } else {
            Self::Unknown
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::Empty => "not WebAssembly: the file is empty",
            Self::Gzip => "not WebAssembly but gzip: unpack it first",
            Self::Zstd => "not WebAssembly but Zstandard: unpack it first",
            Self::Zip => "not WebAssembly but a zip archive: unpack it first",
            Self::Tar => "not WebAssembly but a tar archive: unpack it first",
            Self::Precompiled => {
                "not WebAssembly but native code that wasmtime compiled from it (.cwasm): use the .wasm that it was made from"
            }
            Self::NativeProgram => "not WebAssembly but a native program or library",
            Self::Wat => "not a WebAssembly binary but its text form (.wat): translate it first",
            Self::Wit => "not a WebAssembly binary but WIT text: encode it first",
            Self::Json => "not WebAssembly but JSON",
            Self::Html => "not WebAssembly but HTML, perhaps the error page of a download",
            Self::Unknown => "not WebAssembly: the file does not begin with the bytes 00 61 73 6d",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LooksLike;

    #[test]
    fn what_is_not_wasm_is_named_by_its_first_bytes() {
        let mut tar = vec![b'a'; 512];
        tar[257..262].copy_from_slice(b"ustar");
        let table: [(&[u8], LooksLike); 12] = [
            (b"", LooksLike::Empty),
            (b"\x1f\x8b\x08\0", LooksLike::Gzip),
            (b"\x28\xb5\x2f\xfd\x04", LooksLike::Zstd),
            (b"PK\x03\x04", LooksLike::Zip),
            (&tar, LooksLike::Tar),
            (b"\x7fELF\x02\x01\x01\xc8", LooksLike::Precompiled),
            (b"\x7fELF\x02\x01\x01\x00", LooksLike::NativeProgram),
            (b"\n  (component)", LooksLike::Wat),
            (b"package a:b;\n", LooksLike::Wit),
            (b"{\"schemaVersion\":2}", LooksLike::Json),
            (b"<!doctype html>", LooksLike::Html),
            (b"hello", LooksLike::Unknown),
        ];
        for (start, expected) in table {
            assert_eq!(LooksLike::from_start(start), expected);
        }
    }
}
