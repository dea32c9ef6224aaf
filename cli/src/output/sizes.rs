//! The result of `wreg size`.

use std::{cmp::Reverse, fmt};

use serde::Serialize;
use wreg_component::{CoreModule, Section, Space};
use wreg_oci::Digest;

use super::text::{count, one_line, size};

/// How many modules, and how many sections, are shown to people.
const MAX_SHOWN: usize = 20;

/// Where the bytes of a file are.
#[derive(Debug, Serialize)]
pub(crate) struct Sizes {
    /// The file as it was named, or `host/repository@digest`.
    pub(crate) name: String,
    /// `module`, `component` or `wit-package`.
    pub(crate) kind: &'static str,
    /// In bytes, as all sizes are.
    pub(crate) size: u64,
    pub(crate) digest: Digest,
    /// The four parts that the whole is made of.
    pub(crate) space: Space,
    /// The core modules, in their order in the file.
    pub(crate) modules: Vec<CoreModule>,
    /// The custom sections by name, the largest first.
    pub(crate) sections: Vec<Section>,
}

impl Sizes {
    /// A size, and what part of the whole it is.
    fn part(&self, bytes: u64) -> String {
        // Sizes are below 1 GiB.
        let percent = (bytes * 100 + self.size / 2) / self.size.max(1);
        format!("{:>10}  {percent:>3} %", size(bytes))
    }

    fn rest(&self, f: &mut fmt::Formatter<'_>, left: &[u64]) -> fmt::Result {
        if left.is_empty() {
            return Ok(());
        }
        writeln!(f, "  {}  {} more", self.part(left.iter().sum()), left.len())
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Space {
            code,
            data,
            custom,
            rest,
        } = self.space;
        writeln!(f, "{}: {}", one_line(&self.name), size(self.size))?;
        for (bytes, what) in [
            (code, "code"),
            (data, "data"),
            (custom, "custom sections"),
            (rest, "the rest"),
        ] {
            writeln!(f, "  {}  {what}", self.part(bytes))?;
        }
        let mut modules: Vec<_> = self.modules.iter().collect();
        modules.sort_by_key(|module| Reverse(module.size));
        if self.kind != "module" && !modules.is_empty() {
            writeln!(f, "modules:")?;
            let (shown, left) = modules.split_at(modules.len().min(MAX_SHOWN));
            for module in shown {
                writeln!(
                    f,
                    "  {}  {}, {}",
                    self.part(module.size),
                    one_line(module.name.as_deref().unwrap_or("without a name")),
                    count(module.functions.into(), "function")
                )?;
            }
            self.rest(f, &left.iter().map(|module| module.size).collect::<Vec<_>>())?;
        }
        if !self.sections.is_empty() {
            writeln!(f, "custom sections:")?;
        }
        let (shown, left) = self.sections.split_at(self.sections.len().min(MAX_SHOWN));
        for section in shown {
            let times = if section.count == 1 {
                String::new()
            } else {
                format!(" ({} of them)", section.count)
            };
            writeln!(f, "  {}  {}{times}", self.part(section.size), one_line(&section.name))?;
        }
        self.rest(f, &left.iter().map(|section| section.size).collect::<Vec<_>>())
    }
}
