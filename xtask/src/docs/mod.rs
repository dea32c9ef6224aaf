//! `cargo xtask docs`: the generated pages of `docs/reference`.
//!
//! What the programs know of themselves they print, by a hidden subcommand, and it is written as it comes; `faults.md` is
//! gathered from the tests.

mod faults;
mod waiting;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::{process, runner::Runner};

/// Whether to write or to compare.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Write nothing; fail if a page is not what it would be.
    #[arg(long)]
    check: bool,
}

/// A page by name, and how its text is made.
type Page = (&'static str, fn(&Runner) -> Result<String>);

const PAGES: [Page; 5] = [
    ("cli.md", |runner| printed(runner, "wreg", &["reference"])),
    ("errors.md", |runner| {
        printed(runner, "wreg-registry", &["reference", "errors"])
    }),
    ("config.md", |runner| {
        printed(runner, "wreg-registry", &["reference", "config"])
    }),
    ("openapi.json", |runner| {
        printed(runner, "wreg-registry", &["reference", "openapi"])
    }),
    ("faults.md", |runner| faults::page(&runner.root)),
];

/// Writes the pages, or compares them with what lies there.
pub(crate) fn run(runner: &mut Runner, arguments: &Arguments) -> Result<()> {
    runner.part(
        "documents",
        |runner| if arguments.check { check(runner) } else { write(runner) },
    )
}

/// Fails if a page is not what it would be.
pub(crate) fn check(runner: &Runner) -> Result<()> {
    let made = make(runner)?;
    let stale: Vec<_> = made
        .iter()
        .filter(|(file, text)| !is_fresh(file, text))
        .map(|(file, _)| file.display().to_string())
        .collect();
    ensure!(
        stale.is_empty(),
        "not fresh: {}; run cargo xtask docs",
        stale.join(", ")
    );
    println!("fresh: all {} pages", made.len());
    Ok(())
}

fn write(runner: &Runner) -> Result<()> {
    for (file, text) in make(runner)? {
        let state = if is_fresh(&file, &text) { "unchanged" } else { "written" };
        fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
        println!("{state}: {}", file.display());
    }
    Ok(())
}

/// Each page's file and text.
fn make(runner: &Runner) -> Result<Vec<(PathBuf, String)>> {
    runner.build_programs()?;
    let folder = runner.root.join("docs/reference");
    let page = |(name, text): Page| {
        Ok((
            folder.join(name),
            text(runner).with_context(|| format!("making {name}"))?,
        ))
    };
    PAGES.into_iter().map(page).collect()
}

fn is_fresh(file: &Path, text: &str) -> bool {
    fs::read_to_string(file).is_ok_and(|written| written == text)
}

fn printed(runner: &Runner, program: &str, arguments: &[&str]) -> Result<String> {
    process::read(Command::new(runner.built(program)).args(arguments))
}
