//! `wreg logout`.

use super::{Verdict, login::place};
use crate::{context::Context, error::CliError, output::LoggedOut};

/// Forget the token for a registry
///
/// It is removed from where `wreg login` keeps it. The token itself stays good: revoke it at the registry if it must not be used
/// any more.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  wreg logout localhost:5000")]
pub(crate) struct Args {
    /// The registry, host or host:port [default: `WREG_REGISTRY`]
    registry: Option<String>,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    let host = context.host(args.registry.as_deref())?;
    let erased = context.credentials(&[])?.erase(&host).await?;
    if context.config.token.is_some() {
        context
            .printer
            .warning("WREG_TOKEN is still set, and is used without a login");
    }
    context.printer.result(&LoggedOut {
        registry: host.to_string(),
        erased_from: erased.iter().map(place).collect(),
    })?;
    Ok(Verdict::Yes)
}
