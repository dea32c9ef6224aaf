//! The result of `wreg audit`.

use std::fmt;

use serde::Serialize;

use super::text::{count, field, one_line};
use crate::audit::{Compared, Finding};

/// What is known against the packages of something.
#[derive(Debug, Serialize)]
pub(crate) struct Audited {
    /// The file as it was named, or `host/repository@digest`.
    pub(crate) name: String,
    /// Of the WebAssembly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) digest: Option<wreg_oci::Digest>,
    /// How many packages were compared.
    pub(crate) packages: u64,
    /// How many were not, because they are not of crates.io.
    pub(crate) elsewhere: u64,
    /// Whether there are packages that are not listed.
    pub(crate) incomplete: bool,
    #[serde(flatten)]
    pub(crate) compared: Compared,
}

impl fmt::Display for Audited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Compared {
            findings,
            unclear,
            advisories,
            ignored,
            ..
        } = &self.compared;
        for finding in findings {
            write!(f, "{finding}")?;
        }
        for Finding {
            id, package, version, ..
        } in unclear
        {
            writeln!(
                f,
                "{} may be about {}, whose version {} is none",
                one_line(id),
                one_line(package),
                one_line(version)
            )?;
        }
        let ignored = match ignored {
            0 => String::new(),
            number => format!(", {number} ignored"),
        };
        writeln!(
            f,
            "{}: {} for {}{ignored} ({} read)",
            one_line(&self.name),
            advisory(findings.len() as u64),
            count(self.packages, "package"),
            advisory(*advisories),
        )
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, package, version) = (one_line(&self.id), one_line(&self.package), one_line(&self.version));
        writeln!(f, "{id}: {package} {version}: {}", one_line(&self.title))?;
        field(f, "kind", &self.informational)?;
        field(f, "severity", &self.severity)?;
        field(f, "also", (!self.aliases.is_empty()).then(|| self.aliases.join(", ")))?;
        let fixed = match &*self.fixed {
            [] => "no version".to_owned(),
            fixed => fixed.join(" or "),
        };
        field(f, "fixed in", [fixed])
    }
}

fn advisory(number: u64) -> String {
    format!("{number} advisor{}", if number == 1 { "y" } else { "ies" })
}
