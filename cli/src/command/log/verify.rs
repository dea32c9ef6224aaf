//! `wreg log verify`: a monitor.

use std::time::Duration;

use wreg_client::trust::{LogReader, Monitor, Names};

use super::pinned;
use crate::{command::Verdict, context::Context, error::CliError, output::LogVerified};

/// How often the registry is looked at again where it and its log differ: what changes meanwhile is in one before the other.
const LOOKS: usize = 3;
/// The time between two looks.
const PAUSE: Duration = Duration::from_millis(700);

/// Watch the log of a registry: nothing of it was rewritten, and what the registry shows is what it says
///
/// Reads what is new since the last time, compares it with the signed checkpoint, and compares the tags of your repositories with what the
/// log says of them. Run it now and then: what it has read is kept. Without --namespace, all repositories that you may see are yours.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  how long the log is, and a line for each thing that nobody can explain; exit code 1 if there is one

Examples:
  wreg log verify localhost:5000
  wreg log verify localhost:5000 --namespace acme --format json")]
pub(super) struct Args {
    /// The registry, host or host:port [default: `WREG_REGISTRY`]
    registry: Option<String>,
    /// A namespace whose tags are to be explained; can be repeated
    #[arg(long, value_name = "NAME")]
    namespace: Vec<String>,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    let host = context.host(args.registry.as_deref())?;
    let registry = context.client(std::slice::from_ref(&host))?.registry(&host)?;
    let trust = context.trust()?;
    let folder = trust
        .folder
        .clone()
        .ok_or_else(|| CliError::failed("there is no folder to keep what was read in").hint("set XDG_STATE_HOME"))?;
    let mut memory = trust.recall(&host).await?;
    let (key, path) = pinned(&trust, &registry, &mut memory, context).await?;
    let reader = LogReader {
        registry: &registry,
        path: &path,
        key: &key,
    };
    let mut monitor = Monitor::load(&folder, &host).await?;
    let before = monitor.size;
    let mut findings = Vec::new();
    let mut own = 0;
    let mut differences = Vec::new();
    for look in 0..LOOKS {
        if look > 0 {
            tokio::time::sleep_until(tokio::time::Instant::now() + PAUSE).await;
        }
        let names = Names::find(&registry, &args.namespace).await?;
        let watched = monitor.read(&reader, &mut memory, &names).await?;
        let watched = watched.map_err(|why| {
            CliError::no(format!("the log of {host} lies: {why}"))
                .hint("keep what is in ~/.local/state/wreg/trust: it shows what the log was before")
        })?;
        own += watched.own;
        findings.extend(watched.findings);
        differences = monitor.compare(&registry, &names).await?;
        if differences.is_empty() {
            break;
        }
    }
    findings.extend(differences);
    trust.remember(&host, &memory).await?;
    monitor.store(&folder, &host).await?;
    let verdict = if findings.is_empty() { Verdict::Yes } else { Verdict::No };
    context.printer.result(&LogVerified {
        registry: host.to_string(),
        log: key.name().to_owned(),
        before,
        size: monitor.size,
        own,
        findings,
    })?;
    Ok(verdict)
}
