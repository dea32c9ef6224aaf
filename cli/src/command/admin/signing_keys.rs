//! `wreg admin signing-keys`.

use clap::Subcommand;
use wreg_api::SigningKeyAction;

use crate::{
    command::Verdict,
    context::Context,
    error::CliError,
    output::{SigningKeyShown, SigningKeys},
};

/// List and rotate the keys that sign artifacts
///
/// A new key is announced first, signed by the one before it, so that whoever has pinned that one accepts it; some time later it is
/// activated. What the old key signed stays good.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  one key a line, newest first: id, state, when it was made

  next     it will sign, and is told to everybody by now
  active   it signs
  retired  it signs nothing any more; what it signed stays good

Examples:
  wreg admin signing-keys list localhost:5000
  wreg admin signing-keys announce localhost:5000
  wreg admin signing-keys activate localhost:5000")]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the keys
    List(At),
    /// Make the next key, and have the active one announce it
    Announce(At),
    /// Have the next key sign from now on, and retire the one before it
    Activate(At),
}

#[derive(Debug, clap::Args)]
struct At {
    /// The registry, host or host:port [default: `WREG_REGISTRY`]
    registry: Option<String>,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    let (At { registry }, action) = match args.verb {
        Verb::List(at) => (at, None),
        Verb::Announce(at) => (at, Some(SigningKeyAction::Announce)),
        Verb::Activate(at) => (at, Some(SigningKeyAction::Activate)),
    };
    let host = context.host(registry.as_deref())?;
    let registry = context.client(std::slice::from_ref(&host))?.registry(&host)?;
    let keys = match action {
        Some(action) => registry.change_signing_keys(action).await?,
        None => registry.signing_keys().await?,
    };
    context.printer.result(&SigningKeys {
        registry: host.to_string(),
        keys: keys.iter().map(SigningKeyShown::new).collect(),
    })?;
    Ok(Verdict::Yes)
}
