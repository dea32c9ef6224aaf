//! `wreg admin keys`.

use clap::Subcommand;

use crate::{
    command::Verdict,
    context::Context,
    error::CliError,
    output::{KeyShown, Keys},
};

/// List and rotate the keys that sign registry tokens
///
/// Each server signs with a key of its own, and takes a new one every 30 days.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  one key a line, newest first: id, state, when it was made, when what it signed is refused, and `signing` for the key of the
  server that answers

  active   its server signs with it
  retired  nothing is signed with it any more, and what was is still accepted
  ended    what it signed is refused

Examples:
  wreg admin keys list localhost:5000
  wreg admin keys rotate localhost:5000")]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the keys of all servers
    List(At),
    /// Retire the keys of all servers, so that each takes a new one
    ///
    /// Nobody is interrupted: what was signed with the old keys is accepted for as long as a registry token lives (six minutes), and
    /// refused after that.
    Rotate(At),
}

#[derive(Debug, clap::Args)]
struct At {
    /// The registry, host or host:port [default: `WREG_REGISTRY`]
    registry: Option<String>,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    let (At { registry }, rotates) = match args.verb {
        Verb::List(at) => (at, false),
        Verb::Rotate(at) => (at, true),
    };
    let host = context.host(registry.as_deref())?;
    let registry = context.client(std::slice::from_ref(&host))?.registry(&host)?;
    let keys = if rotates {
        let keys = registry.rotate_keys().await?;
        context
            .printer
            .status("the old keys are retired; what they signed is accepted for six minutes more");
        keys
    } else {
        registry.keys().await?
    };
    context.printer.result(&Keys {
        registry: host.to_string(),
        keys: keys.iter().map(KeyShown::new).collect(),
    })?;
    Ok(Verdict::Yes)
}
