//! `cargo xtask setup`: installs what the tests need and this machine lacks, by the ordinary package clients.
//!
//! It says what it installs and why, and does nothing where nothing is missing. Programs of the system come from Debian's
//! packages; what belongs to a language comes from that language's packages, into folders of the cache.

mod debian;
mod languages;

use anyhow::Result;

pub(crate) use self::debian::{has_rust_target, install_clients, install_lint_tools};
pub(crate) use self::languages::{COMPONENTIZE_JS, COMPONENTIZE_PY, ESBUILD_WASM, SQLITE_WASM};
pub(crate) use self::languages::{go_program, install_npm, node_modules, python_program};
use crate::runner::Runner;

/// Which needs to meet. Other clients of registries (skopeo) are always needed.
#[derive(Clone, Copy)]
pub(crate) struct Wants {
    /// What brings up a temporary PostgreSQL.
    pub(crate) postgres: bool,
    /// What builds the real components.
    pub(crate) fixtures: bool,
}

impl Wants {
    /// Everything.
    pub(crate) const ALL: Self = Self {
        postgres: true,
        fixtures: true,
    };
}

/// Installs what is missing.
pub(crate) fn run(runner: &mut Runner, wants: Wants) -> Result<()> {
    runner.part("setup", |runner| {
        let (_folder, _lock) = runner.locked_folder("setup")?;
        runner.part("system packages", |_| debian::install(wants))?;
        if wants.fixtures {
            runner.part("Python packages", |runner| languages::install_python(runner))?;
            runner.part("npm packages", |runner| languages::install_node(runner))?;
        }
        Ok(())
    })
}
