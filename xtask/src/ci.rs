//! `cargo xtask ci`: everything that must pass before a change lands.

use anyhow::Result;

use crate::{lint, runner::Runner, test};

/// Runs the lints, then the tests with nothing left out.
pub(crate) fn run(runner: &mut Runner) -> Result<()> {
    lint::run(runner)?;
    test::run(runner, &test::Arguments::default())
}
