//! Advisories: which versions of a package something is known against. One is parsed from the bytes of a file, and compared with a dependency.
//!
//! ```text
//! osv.rs       the JSON of the OSV schema       rustsec.rs   Markdown with TOML in front, as RustSec's database has it
//! versions.rs  which versions an advisory is about
//! ```

mod osv;
mod rustsec;
mod versions;

use semver::Version;

use self::versions::Versions;
use crate::{
    analysis::Dependency,
    text::{MAX_NAME, printable},
};

/// The most bytes of an advisory.
pub const MAX_ADVISORY: usize = 1 << 20;

/// The longest title kept, in bytes.
const MAX_TITLE: usize = 300;

/// How many aliases and fixed versions are kept.
const MAX_LISTED: usize = 100;

/// The form of a file in a database of advisories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The JSON of the OSV schema.
    Osv,
    /// Markdown with TOML in front.
    RustSec,
}

/// An advisory about packages of crates.io. Its texts are made printable and cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advisory {
    /// `RUSTSEC-2021-0001`, `GHSA-…` or another.
    pub id: String,
    /// What others call it.
    pub aliases: Vec<String>,
    /// What it says, in a sentence.
    pub title: String,
    /// How severe it is: a CVSS vector, or a word.
    pub severity: Option<String>,
    /// What it is if it is not of a vulnerability: `unmaintained`, `unsound`, `notice`.
    pub informational: Option<String>,
    about: Vec<About>,
}

/// What an advisory says of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
struct About {
    package: String,
    versions: Versions,
    fixed: Vec<String>,
}

/// Whether an advisory is about a dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Affects<'a> {
    /// It is not.
    No,
    /// It is, and these versions are not affected: as versions, or requirements of them. Empty if nothing is known to be better.
    Yes(&'a [String]),
    /// It is about the package, and the version of the dependency is none.
    Unclear,
}

/// A file that holds no advisory.
#[derive(Debug, thiserror::Error)]
pub enum InvalidAdvisory {
    /// It has too many bytes.
    #[error("it is larger than 1 MiB")]
    TooLarge,
    /// It is not the JSON of the OSV schema.
    #[error("it is no advisory in the JSON of the OSV schema")]
    Json(#[source] serde_json::Error),
    /// It does not begin with TOML.
    #[error("it does not begin with a block of TOML")]
    NoToml,
    /// It is not the TOML of a RustSec advisory.
    #[error("it is no advisory in the TOML of RustSec's database")]
    Toml(#[source] toml::de::Error),
    /// A version in it is none.
    #[error("{0:?} is no version")]
    Version(String),
}

impl Form {
    /// The form of the file at a path in a database, with `/` between its parts, going by its name; `None` if it is something else. RustSec
    /// has advisories about Rust itself in a folder of their own: they are not about packages.
    pub fn of(path: &str) -> Option<Self> {
        let mut parts = path.rsplit('/');
        let (name, extension) = parts.next()?.rsplit_once('.')?;
        match extension {
            "json" => Some(Self::Osv),
            "md" if name.starts_with("RUSTSEC-") && parts.nth(1) != Some("rust") => Some(Self::RustSec),
            _ => None,
        }
    }
}

impl Advisory {
    /// Reads an advisory. `None` if it was withdrawn, or is about nothing on crates.io.
    pub fn parse(form: Form, bytes: &[u8]) -> Result<Option<Self>, InvalidAdvisory> {
        if bytes.len() > MAX_ADVISORY {
            return Err(InvalidAdvisory::TooLarge);
        }
        match form {
            Form::Osv => osv::parse(bytes),
            Form::RustSec => rustsec::parse(bytes),
        }
    }

    /// The packages that it is about.
    pub fn packages(&self) -> impl Iterator<Item = &str> {
        self.about.iter().map(|about| &*about.package)
    }

    /// Whether it goes by that name.
    pub fn is_called(&self, id: &str) -> bool {
        self.id == id || self.aliases.iter().any(|alias| alias == id)
    }

    /// Whether it is about a dependency. It is about none that is not of crates.io.
    pub fn affects(&self, dependency: &Dependency) -> Affects<'_> {
        let mut about = self
            .about
            .iter()
            .filter(|about| dependency.is_of_crates_io() && about.package == dependency.name)
            .peekable();
        if about.peek().is_none() {
            return Affects::No;
        }
        let Ok(version) = Version::parse(&dependency.version) else {
            return Affects::Unclear;
        };
        about
            .find(|about| about.versions.contains(&version))
            .map_or(Affects::No, |about| Affects::Yes(&about.fixed))
    }
}

/// Whether a file that is no advisory names a package that is `wanted`, between quotation marks as both forms do.
pub fn may_be_about(bytes: &[u8], wanted: impl Fn(&str) -> bool) -> bool {
    bytes
        .split(|byte| *byte == b'"')
        .any(|word| word.len() <= MAX_NAME && std::str::from_utf8(word).is_ok_and(&wanted))
}

fn short(text: &str) -> String {
    printable(text, MAX_NAME)
}

fn list(texts: impl IntoIterator<Item = String>) -> Vec<String> {
    texts.into_iter().take(MAX_LISTED).map(|text| short(&text)).collect()
}

fn title(text: &str) -> String {
    printable(text.lines().next().unwrap_or_default().trim(), MAX_TITLE)
}
