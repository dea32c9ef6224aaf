//! `wreg tags`.

use super::Verdict;
use crate::{context::Context, error::CliError, output::Tags};

/// List the tags of a repository
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  one tag a line, in the registry's order

Examples:
  wreg tags localhost:5000/acme/hello
  wreg tags localhost:5000/acme/hello | sort -V | tail -n 1")]
pub(crate) struct Args {
    /// The repository: host/repository
    repository: String,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    let (host, name) = context.repository(&args.repository)?;
    let tags = context
        .client(std::slice::from_ref(&host))?
        .registry(&host)?
        .tags(&name)
        .await?;
    context.printer.result(&Tags {
        repository: format!("{host}/{name}"),
        tags,
    })?;
    Ok(Verdict::Yes)
}
