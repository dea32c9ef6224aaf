//! `wreg fetch`.

use super::Verdict;
use crate::{
    context::Context,
    error::CliError,
    output::FetchedPackages,
    wit::{self, Filled, Keep, LOCK, Lock, Plan, Project, Registries},
};

/// Fetch the packages that the WIT project in this folder uses into wit/deps
///
/// Each package of wkg.lock is verified against its digest, and its text is written to wit/deps/namespace-name-version/package.wit,
/// where generators of bindings look for it and where wkg writes it; so is the text of the packages that it refers to. What nothing
/// wants any more is removed from there. Content is kept in the local store, and what is there is not fetched again.
///
/// wkg.lock is brought up to date first, as by `wreg lock`, unless --locked is given. Nothing in wit/deps is changed before everything
/// is at hand, nor if there is something that neither wreg nor wkg has put there.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  the files in wit/deps, one a line

Exit codes:
  0  done
  1  not found, not valid, not what the digest says; with --locked: wkg.lock is not up to date; with --offline: not in the local store
  2  could not tell

Examples:
  wreg fetch
  wreg fetch --locked
  wreg fetch --locked --offline")]
pub(crate) struct Args {
    /// Use wkg.lock as it is; exit with 1 if it is not up to date
    #[arg(long)]
    locked: bool,
    /// Ask no registry: use only what is in the local store
    #[arg(long)]
    offline: bool,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    let project = Project::read(wit::here())?;
    let registries = Registries::read(&context.config)?;
    let old = Lock::read(&project.folder)?;
    let plan = Plan::new(project.wanted()?, &registries, old.as_ref(), Keep::All)?;
    if args.locked {
        plan.check()?;
    }
    if args.offline {
        plan.check_offline()?;
    }
    let sources = wit::sources(&[&plan], context)?;
    let resolved = plan.resolve(&sources).await?;
    let folder = project.folder.clone();
    let filled = wit::fill(project, &resolved, &sources, args.offline).await?;
    let lock_changed = !args.locked && wit::lock(&resolved).write(&folder, old.as_ref())?;
    if lock_changed {
        context.printer.status(format!("wrote {LOCK}"));
    }
    warn_of_dangling(&filled, context);
    context.printer.result(&FetchedPackages::new(&filled, lock_changed))?;
    Ok(Verdict::Yes)
}

/// Says what the text refers to in vain: generators of bindings will stop there.
pub(super) fn warn_of_dangling(filled: &Filled, context: &Context) {
    for id in &filled.dangling {
        let there = filled.placed.iter().filter(|placed| placed.id.package == id.package);
        let there: Vec<_> = there.map(|placed| placed.id.to_string()).collect();
        context.printer.warning(format!(
            "the WIT text refers to {id}, and wit/deps has {}",
            if there.is_empty() {
                "no such package".to_owned()
            } else {
                there.join(", ")
            }
        ));
    }
    if !filled.dangling.is_empty() {
        context
            .printer
            .hint("write the version that is there into the text, or ask for the other with `wreg add`");
    }
}
