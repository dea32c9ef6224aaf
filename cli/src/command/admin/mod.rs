//! `wreg admin`: what keeps a server in order, done by the running server.

mod fsck;
mod gc;
mod keys;
mod signing_keys;

use clap::Subcommand;

use super::Verdict;
use crate::{context::Context, error::CliError};

/// Look after a server: done by the server itself, while it runs
///
/// For tokens with the scope '*:server:admin'. This is wreg's own interface: other registries do not have it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  wreg admin fsck localhost:5000
  wreg admin gc --dry-run localhost:5000
  wreg admin keys list localhost:5000
  wreg admin keys rotate localhost:5000
  wreg admin signing-keys announce localhost:5000")]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Fsck(fsck::Args),
    Gc(gc::Args),
    Keys(keys::Args),
    SigningKeys(signing_keys::Args),
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    match args.verb {
        Verb::Fsck(args) => fsck::run(args, context).await,
        Verb::Gc(args) => gc::run(args, context).await,
        Verb::Keys(args) => keys::run(args, context).await,
        Verb::SigningKeys(args) => signing_keys::run(args, context).await,
    }
}
