//! `wreg versions`.

use super::Verdict;
use crate::{context::Context, error::CliError, output::Versions};

/// List the versions of a repository
///
/// The tags that are semantic versions, the highest first, with what has been said of them since. This is wreg's own interface: with other
/// registries `wreg tags` lists the tags.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  one version a line: version, date, size, yanked or deprecated, digest

Examples:
  wreg versions localhost:5000/acme/hello
  wreg versions localhost:5000/acme/hello --format json")]
pub(crate) struct Args {
    /// The repository: host/repository
    repository: String,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    let (host, name) = context.repository(&args.repository)?;
    let registry = context.client(std::slice::from_ref(&host))?.registry(&host)?;
    let list = registry.versions(&name).await?;
    context.printer.result(&Versions::new(&host, list))?;
    Ok(Verdict::Yes)
}
