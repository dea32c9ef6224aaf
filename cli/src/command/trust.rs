//! `wreg trust`.

use clap::Subcommand;
use wreg_client::trust::{Compared, NoRule};
use wreg_oci::Host;

use super::Verdict;
use crate::{
    context::Context,
    error::CliError,
    output::{Forgotten, Trusted},
};

/// Say whose registries' keys are trusted
///
/// A registry that signs tells its keys to everybody. The first time that it is used they are pinned, and from then on what is pulled from
/// it must be signed by them and be in its log; a key that changes without having been announced by the one before it is refused. Rules that
/// ask for other keys, or for more, stand in ~/.config/wreg/trust.toml.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  wreg trust init localhost:5000
  wreg trust show localhost:5000
  wreg trust forget localhost:5000")]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Pin the keys of a registry, or compare them with those that are pinned
    ///
    /// The keys are believed as they come this first time: compare them with what the registry's operator tells you by another way. Where
    /// some are pinned already, exit code 1 says that something else came.
    Init(At),
    /// Show what is pinned of a registry, without asking it
    Show(At),
    /// Forget what is pinned of a registry
    ///
    /// The next use pins what the registry says then. Its log may begin anew.
    Forget(At),
}

#[derive(Debug, clap::Args)]
struct At {
    /// The registry, host or host:port [default: `WREG_REGISTRY`]
    registry: Option<String>,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    match args.verb {
        Verb::Init(at) => init(context.host(at.registry.as_deref())?, context).await,
        Verb::Show(at) => {
            let host = context.host(at.registry.as_deref())?;
            let memory = context.trust()?.recall(&host).await?;
            let shown = Trusted::new(&host, &memory).ok_or_else(|| nothing_pinned(&host))?;
            context.printer.result(&shown)?;
            Ok(Verdict::Yes)
        }
        Verb::Forget(at) => {
            let host = context.host(at.registry.as_deref())?;
            if !context.trust()?.forget(&host).await? {
                return Err(nothing_pinned(&host));
            }
            context.printer.result(&Forgotten {
                registry: host.to_string(),
            })?;
            Ok(Verdict::Yes)
        }
    }
}

async fn init(host: Host, context: &mut Context) -> Result<Verdict, CliError> {
    let registry = context.client(std::slice::from_ref(&host))?.registry(&host)?;
    let trust = context.trust()?;
    let mut memory = trust.recall(&host).await?;
    if let Some(pins) = &mut memory.pins {
        let anchors = registry.anchors().await?;
        let anchors = anchors.ok_or_else(|| CliError::no(format!("{host} does not tell its keys any more")))?;
        match pins.compare(&anchors) {
            Compared::Same => context
                .printer
                .status(format!("the keys of {host} are those that are pinned")),
            Compared::Extended(new) => {
                for key in &new {
                    context.printer.status(format!(
                        "{host} has a new key, {}, which one of those that are pinned announces",
                        key.hint()
                    ));
                }
            }
            Compared::Changed(why) => {
                return Err(
                    CliError::no(format!("{host} is not the registry that it was: {why}")).hint(format!(
                        "ask its operator by another way; if the change is meant, `wreg trust forget {host}` lets it be pinned anew"
                    )),
                );
            }
        }
        trust.remember(&host, &memory).await?;
    } else {
        match trust.pin(&registry, &mut memory).await? {
            Ok(()) => context
                .printer
                .status(format!("the keys of {host} are pinned, as it says them now")),
            Err(NoRule::SignsNothing) => {
                return Err(CliError::no(format!(
                    "{host} says that it signs nothing: there is nothing to pin"
                )));
            }
            Err(_) => {
                return Err(
                    CliError::no(format!("{host} tells no keys: it is no registry that signs"))
                        .hint("rules in ~/.config/wreg/trust.toml can name the keys of those who publish there"),
                );
            }
        }
    }
    let shown = Trusted::new(&host, &memory).ok_or_else(|| nothing_pinned(&host))?;
    context.printer.result(&shown)?;
    Ok(Verdict::Yes)
}

fn nothing_pinned(host: &Host) -> CliError {
    CliError::no(format!("nothing is pinned of {host}")).hint(format!("`wreg trust init {host}` does that"))
}
