//! `wreg yank` and `wreg deprecate`.

use wreg_api::MarkChange;

use super::Verdict;
use crate::{context::Context, error::CliError, output::Marked};

/// Take a version out of what is resolved to
///
/// Whoever pulls it by tag or digest still gets it, with a warning; `wreg pull acme/hello@^1`, search and other resolvers pass it over. This
/// is wreg's own interface: other registries do not have it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  what is said of the version then

Examples:
  wreg yank localhost:5000/acme/hello:1.2.0 --reason 'it loses data: use 1.2.1'
  wreg yank localhost:5000/acme/hello:1.2.0 --undo")]
pub(crate) struct Yank {
    /// The version: host/repository:tag or host/repository@digest
    reference: String,
    /// Why, for everybody who still pulls it
    #[arg(long, value_name = "TEXT", conflicts_with = "undo")]
    reason: Option<String>,
    /// Put it back
    #[arg(long)]
    undo: bool,
}

/// Say that a version should not be used any more
///
/// It is resolved to as before, and everybody is told. This is wreg's own interface: other registries do not have it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  what is said of the version then

Examples:
  wreg deprecate localhost:5000/acme/hello:1.2.0 --replacement acme/greet@^2
  wreg deprecate localhost:5000/acme/hello:1.2.0 --undo")]
pub(crate) struct Deprecate {
    /// The version: host/repository:tag or host/repository@digest
    reference: String,
    /// Why, for everybody who pulls it
    #[arg(long, value_name = "TEXT", conflicts_with = "undo")]
    reason: Option<String>,
    /// What to use instead
    #[arg(long, value_name = "TEXT", conflicts_with = "undo")]
    replacement: Option<String>,
    /// Take it back
    #[arg(long)]
    undo: bool,
}

pub(super) async fn yank(args: Yank, context: &mut Context) -> Result<Verdict, CliError> {
    let change = if args.undo {
        MarkChange::Unyank {}
    } else {
        MarkChange::Yank { reason: args.reason }
    };
    mark(&args.reference, &change, context).await
}

pub(super) async fn deprecate(args: Deprecate, context: &mut Context) -> Result<Verdict, CliError> {
    let change = if args.undo {
        MarkChange::Undeprecate {}
    } else {
        MarkChange::Deprecate {
            reason: args.reason,
            replacement: args.replacement,
        }
    };
    mark(&args.reference, &change, context).await
}

async fn mark(text: &str, change: &MarkChange, context: &Context) -> Result<Verdict, CliError> {
    let reference = context.reference(text)?;
    if !change.is_valid() {
        return Err(CliError::usage("a text has from 1 to 500 characters, on one line"));
    }
    let registry = context
        .client(std::slice::from_ref(&reference.host))?
        .registry(&reference.host)?;
    let marks = registry
        .mark(&reference.repository, &reference.tag_or_digest(), change)
        .await?;
    context.printer.result(&Marked {
        reference: reference.to_string(),
        marks,
    })?;
    Ok(Verdict::Yes)
}
