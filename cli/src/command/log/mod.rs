//! `wreg log`: the log of a registry's changes.

mod show;
mod verify;

use clap::Subcommand;
use wreg_client::{
    Registry,
    trust::{Memory, Trust},
};
use wreg_oci::Host;
use wreg_trust::log::Verifier;

use super::Verdict;
use crate::{context::Context, error::CliError};

/// Read the log that a registry keeps of its changes, and watch it
///
/// Every tag that is made, moved or deleted, every yank and every change of who may see what is an entry of a log that only grows: what it
/// once said cannot be taken back unseen by whoever has seen it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  wreg log show localhost:5000/acme/hello:1.2.0
  wreg log verify localhost:5000 --namespace acme")]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Show(show::Args),
    Verify(verify::Args),
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    match args.verb {
        Verb::Show(args) => show::run(args, context).await,
        Verb::Verify(args) => verify::run(args, context).await,
    }
}

/// What is pinned of a registry's log: who checks it, and where it is. Pinned now, where nothing is.
async fn pinned(
    trust: &Trust,
    registry: &Registry,
    memory: &mut Memory,
    context: &Context,
) -> Result<(Verifier, String), CliError> {
    let host: &Host = registry.host();
    if memory.pins.is_none() {
        trust
            .pin(registry, memory)
            .await?
            .map_err(|_| CliError::no(format!("{host} keeps no log, or does not say so")))?;
        context.printer.status(format!(
            "the keys of {host} are pinned from now on, as it says them at the first use"
        ));
    }
    let pins = memory.pins.as_ref();
    let log = pins.and_then(|pins| Some((pins.verifier()?, pins.log.as_ref()?.path.clone())));
    log.ok_or_else(|| CliError::no(format!("{host} had no log when its keys were pinned")))
}
