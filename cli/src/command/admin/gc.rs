//! `wreg admin gc`.

use std::time::Duration;

use wreg_api::Collected;

use crate::{command::Verdict, context::Context, error::CliError, output::Collection};

/// How long to wait where the registry is collecting by itself, and how often at most.
const PAUSE: Duration = Duration::from_secs(1);
const ATTEMPTS: u32 = 600;

/// Collect what nothing refers to any more
///
/// The registry does so by itself; this does it now. Nothing stops meanwhile, and nothing is lost that a client has been told of: blobs
/// that no manifest names are kept for a while after that, a day unless the registry is configured otherwise. The bytes of what is given
/// up now go a minute later, with the next collection.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  with --dry-run each blob that would go, with its size; then how much of what

Examples:
  wreg admin gc --dry-run localhost:5000
  wreg admin gc localhost:5000 --format json")]
pub(super) struct Args {
    /// The registry, host or host:port [default: `WREG_REGISTRY`]
    registry: Option<String>,
    /// Take nothing: say what would go
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    let host = context.host(args.registry.as_deref())?;
    let registry = context.client(std::slice::from_ref(&host))?.registry(&host)?;
    let mut collection = Collection::new(&host, args.dry_run);
    let (mut cursor, mut attempts) = (None, 0);
    loop {
        let part: Collected = registry.collect(args.dry_run, cursor.as_deref()).await?;
        if let Some(until) = part.held_until {
            collection.hold(until);
            break;
        }
        if part.busy {
            attempts += 1;
            if attempts > ATTEMPTS {
                return Err(CliError::failed(format!(
                    "{host} has been collecting by itself for ten minutes"
                )));
            }
            #[expect(
                clippy::disallowed_methods,
                reason = "it is the pause between two questions, of which there are so many"
            )]
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        cursor.clone_from(&part.next);
        collection.add(part);
        if cursor.is_none() {
            break;
        }
    }
    context.printer.result(&collection)?;
    Ok(Verdict::Yes)
}
