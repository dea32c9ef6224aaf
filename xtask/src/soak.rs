//! `cargo xtask soak --gc`: the collection under load, for thousands of passes, on release builds.

use anyhow::{Result, bail};

use crate::{process, runner::Runner};

/// What to soak. The rest goes to the soak itself: `--cycles`, `--blobs`, `--minutes`, `--folder`, …
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The collection: pushes, looks, mounts, pulls and deletions while a server collects without a pause
    #[arg(long)]
    gc: bool,
    /// Arguments of the soak, such as --cycles 1000 --minutes 5
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// Builds the server as it is released, and fails if a client saw an error.
pub(crate) fn run(runner: &mut Runner, arguments: &Arguments) -> Result<()> {
    if !arguments.gc {
        bail!("say what to soak: --gc");
    }
    let release = runner.part("build for release", |runner| runner.build_release())?;
    runner.part("soak", |_| {
        let mut bench = std::process::Command::new(release.join("wreg-bench"));
        bench
            .arg("soak")
            .args(&arguments.rest)
            .env("WREG_REGISTRY_BIN", release.join("wreg-registry"));
        process::run(&mut bench)
    })
}
