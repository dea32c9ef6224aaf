//! `wreg version`.

use super::Verdict;
use crate::{context::Context, error::CliError, output::Version};

/// Show the version
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  wreg version --format json")]
pub(crate) struct Args {}

pub(super) fn run(_args: &Args, context: &Context) -> Result<Verdict, CliError> {
    context.printer.result(&Version {
        version: env!("CARGO_PKG_VERSION"),
    })?;
    Ok(Verdict::Yes)
}
