//! Programs from the crate registry, at pinned versions: each is built once, by `cargo install`, into the cache.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};

use crate::{process, runner::Runner};

/// A program of a package of the same name.
pub(crate) struct CargoTool {
    /// The package and its program.
    pub(crate) name: &'static str,
    /// The package's version.
    pub(crate) version: &'static str,
}

impl CargoTool {
    /// The program: the machine's if it is that version, else built now unless that has been done.
    pub(crate) fn install(&self, runner: &Runner) -> Result<PathBuf> {
        self.install_with(&[], runner)
    }

    /// The same, built without optimisation, in half the time: for what is not about speed.
    pub(crate) fn install_unoptimised(&self, runner: &Runner) -> Result<PathBuf> {
        self.install_with(&["--debug"], runner)
    }

    fn install_with(&self, options: &[&str], runner: &Runner) -> Result<PathBuf> {
        let Self { name, version } = *self;
        let (folder, _lock) = runner.locked_folder("tools")?;
        let ours = folder.join("bin").join(name);
        if let Some(program) = [process::find_program(name), Some(ours.clone())]
            .into_iter()
            .flatten()
            .find(|file| self.is(file))
        {
            return Ok(program);
        }
        let target = folder.join("target");
        let mut cargo = runner.cargo();
        cargo
            .env("CARGO_TARGET_DIR", &target)
            .args(["install", "--quiet", "--locked"])
            .args(options)
            .arg("--root")
            .arg(&folder);
        process::run(cargo.arg(format!("{name}@{version}")))?;
        fs::remove_dir_all(target)?;
        ensure!(self.is(&ours), "{} is not version {version}", ours.display());
        Ok(ours)
    }

    fn is(&self, program: &Path) -> bool {
        let says = process::read(Command::new(program).arg("--version")).unwrap_or_default();
        says.split_whitespace()
            .any(|word| word.trim_start_matches("cargo:").trim_start_matches('v') == self.version)
    }
}
