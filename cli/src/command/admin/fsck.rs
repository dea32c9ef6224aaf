//! `wreg admin fsck`.

use std::ops::ControlFlow;

use wreg_api::Checked;
use wreg_oci::Host;

use crate::{
    command::Verdict,
    context::Context,
    error::CliError,
    output::{CheckDone, Found},
};

/// Check the store against the database
///
/// Each blob that the database knows must be in the store with its size, each blob of the store in the database, and what each manifest is
/// made of in its repository. The registry does it while it serves, and nothing is deleted. `wreg-registry fsck` does the same while no
/// server runs.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  each finding as it comes, as kind: what: how, then how much was looked at; with --format json a line for each:
  {\"schema\":1,\"finding\":{\"kind\":…,\"subject\":…,\"detail\":…,\"repaired\":…}}, and at the end {\"schema\":1,\"checked\":{…}}

Exit codes:
  0  all is well, or has been made good    1  something is not    2  it could not be told: also if the check broke off, or is denied

Examples:
  wreg admin fsck localhost:5000
  wreg admin fsck --deep --format json localhost:5000
  wreg admin fsck --repair localhost:5000")]
pub(super) struct Args {
    /// The registry, host or host:port [default: `WREG_REGISTRY`]
    registry: Option<String>,
    /// Read all bytes and compare their digests
    #[arg(long)]
    deep: bool,
    /// Make good what can be made good without losing anything
    #[arg(long)]
    repair: bool,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    let host = context.host(args.registry.as_deref())?;
    // A registry without this check, or one that denies it, has not said that something is wrong with its store.
    let checked = check(&host, &args, context).await.map_err(CliError::unanswered)?;
    context.printer.result(&CheckDone {
        registry: host.to_string(),
        checked,
    })?;
    if checked.findings == checked.repaired {
        Ok(Verdict::Yes)
    } else {
        Ok(Verdict::No)
    }
}

async fn check(host: &Host, args: &Args, context: &Context) -> Result<Checked, CliError> {
    let registry = context.client(std::slice::from_ref(host))?.registry(host)?;
    let mut check = registry.check(args.deep, args.repair).await?;
    loop {
        match check.next().await? {
            ControlFlow::Continue(finding) => context.printer.result(&Found { finding })?,
            ControlFlow::Break(checked) => return Ok(checked),
        }
    }
}
