//! `cargo xtask figures`: start-up time, memory, and the time of a push and a pull, measured on release builds.

use anyhow::Result;

use crate::{
    fixtures,
    garage::Garage,
    process,
    runner::Runner,
    setup::{self, Wants},
};

/// Builds both programs as they are released, and measures them from outside. It judges nothing.
pub(crate) fn run(runner: &mut Runner) -> Result<()> {
    setup::run(
        runner,
        Wants {
            postgres: false,
            fixtures: true,
        },
    )?;
    let fixtures = fixtures::make(runner)?;
    let release = runner.part("build for release", |runner| runner.build_release())?;
    let garage = runner.part("start Garage", |runner| Garage::start(runner))?;
    runner.part("measure", |_| {
        let mut bench = std::process::Command::new(release.join("wreg-bench"));
        bench
            .env("WREG_REGISTRY_BIN", release.join("wreg-registry"))
            .env("WREG_BIN", release.join("wreg"))
            .env("WREG_FIXTURES", fixtures)
            .env("WREG_TEST_S3_UNITS", garage.url());
        process::run(&mut bench)
    })
}
