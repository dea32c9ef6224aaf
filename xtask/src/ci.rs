//! `cargo xtask ci`: everything that must pass before a change lands.

use anyhow::Result;

use crate::{api, bench, conformance, interop, lint, runner::Runner, test};

/// Runs the lints, then the tests with nothing left out, then the conformance suite, then other clients, then our own API, then the smoke test of the benchmark.
pub(crate) fn run(runner: &mut Runner) -> Result<()> {
    lint::run(runner)?;
    test::run(runner, &test::Arguments::default())?;
    conformance::run(runner, &conformance::Arguments::default())?;
    interop::run(runner, &interop::Arguments::CHECK)?;
    api::run(runner)?;
    bench::run_quick(runner)
}
