//! What the machine allows: files hashed, written and synced with nothing else. No registry that keeps its word can push faster.

use std::{path::Path, process::Command};

use anyhow::Result;

use super::{line::Line, load::Figures, peers::Programs};
use crate::process;

/// Two kinds: many small files, and few large ones.
const KINDS: [(&str, &str, &str, &str); 2] = [
    ("limit-100k", "100KiB", "16", "per_second"),
    ("limit-32m", "32MiB", "4", "mb_per_second"),
];

/// Measures those that are asked for.
pub(super) fn measure(
    programs: &Programs,
    folder: &Path,
    seconds: f64,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<Vec<Line>> {
    let wanted = KINDS.iter().filter(|(id, ..)| is_wanted(id));
    let measure = |&(id, size, threads, figure): &(&'static str, &str, &str, &str)| {
        let mut limit = Command::new(&programs.bench);
        limit.args(["limit", "--size", size, "--threads", threads, "--folder"]);
        limit.arg(folder).args(["--seconds", &seconds.to_string()]);
        let figures = Figures::parse(&process::read(&mut limit)?)?;
        Ok(Line {
            stack: "sqlite-files",
            id,
            work: format!("SHA-256, write, fsync, rename, fsync of the folder: files of {size}, {threads} at once"),
            unit: if figure == "per_second" { "/s" } else { "MB/s" },
            values: vec![("the limit".to_owned(), figures.get(figure))],
            verdicts: Vec::new(),
            figures: Vec::new(),
        })
    };
    wanted.map(measure).collect()
}
