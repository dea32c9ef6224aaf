//! `wreg log show`.

use wreg_client::trust::LogReader;
use wreg_trust::logged::Wanted;

use super::pinned;
use crate::{
    command::Verdict,
    context::Context,
    error::CliError,
    output::{LogEntryShown, LogShown},
};

/// Show what the log says of an artifact
///
/// The proofs that stand beside the artifact are checked, and that the log still goes on from where it was the last time.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  the artifact, how long the log is, and a line for each of its entries that put the tag there: index, time, and the token that did it

Examples:
  wreg log show localhost:5000/acme/hello:1.2.0
  wreg log show localhost:5000/acme/hello@^1.2 --format json")]
pub(super) struct Args {
    /// The artifact: host/repository:tag, @digest or @^1.2
    reference: String,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    let wanted = context.wanted(&args.reference)?;
    let client = context.client(std::slice::from_ref(wanted.host()))?;
    let registry = client.registry(wanted.host())?;
    let (reference, artifact) = wanted.find(&registry).await?;
    let trust = context.trust()?;
    let mut memory = trust.recall(registry.host()).await?;
    let (key, path) = pinned(&trust, &registry, &mut memory, context).await?;
    let reader = LogReader {
        registry: &registry,
        path: &path,
        key: &key,
    };
    let refuted =
        |why: wreg_client::trust::Refuted| CliError::no(format!("the log of {} lies: {why}", registry.host()));
    let (_, head) = reader.follow(&mut memory).await?.map_err(refuted)?;
    let proofs = registry.proofs(&reference.repository, artifact.digest()).await?;
    let mut entries = Vec::new();
    for (entry, proof) in proofs {
        let wanted = Wanted {
            repository: &reference.repository,
            tag: reference.tag.as_ref().filter(|_| reference.digest.is_none()),
            digest: artifact.digest(),
        };
        let Ok(logged) = wanted.check(&entry, &proof, &key) else {
            continue;
        };
        reader
            .holds(&mut memory, &logged.checkpoint, &head)
            .await?
            .map_err(refuted)?;
        entries.push(LogEntryShown {
            index: logged.index,
            entry: logged.entry,
        });
    }
    trust.remember(registry.host(), &memory).await?;
    entries.sort_by_key(|entry| entry.index);
    let is_there = !entries.is_empty();
    context.printer.result(&LogShown {
        reference: reference.at(artifact.digest().clone()).to_string(),
        log: head.origin,
        size: head.size,
        entries,
    })?;
    if !is_there {
        context
            .printer
            .warning("no proof that it is in the log stands beside it");
        return Ok(Verdict::No);
    }
    Ok(Verdict::Yes)
}
