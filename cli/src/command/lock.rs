//! `wreg lock`.

use super::Verdict;
use crate::{
    context::Context,
    error::CliError,
    output::Locked,
    wit::{self, Keep, LOCK, Lock, Plan, Project, Registries},
};

/// Fix the versions of the packages that the WIT project in this folder uses
///
/// What the text in wit refers to, and what wkg.toml asks for, is looked up in its registry; wkg.lock gets the version and the digest of
/// each: the version that the text names, else the highest that is allowed. What wkg.lock says already stays, and where nothing
/// changes the file is not touched. wkg reads the same file, and writes it in the same form.
///
/// A WIT package carries what it needs of other packages, and its digest fixes that too. So only what the project itself refers to has
/// entries.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  namespace:name@version and the digest of each package, one a line

Which registry a package is of:
  The first that there is of: the entry of the package in wkg's configuration, that of its namespace, WREG_REGISTRY, the default_registry
  of wkg's configuration, and what wkg.lock says. That configuration is ~/.config/wasm-pkg/config.toml, such as
    default_registry = \"registry.example\"
    [namespace_registries]
    acme = \"localhost:5000\"
    [package_registry_overrides]
    \"acme:hello\" = \"other.example\"

Exit codes:
  0  done; with --check: nothing is to be done
  1  not found, not valid; with --check: wkg.lock is not up to date
  2  could not tell

Examples:
  wreg lock
  wreg lock --check
  wreg lock --update")]
pub(crate) struct Args {
    /// Change nothing; exit with 1 if wkg.lock is not what it would be. No registry is asked
    #[arg(long, conflicts_with = "update")]
    check: bool,
    /// Take the newest versions that are allowed, also where wkg.lock has others
    #[arg(long)]
    update: bool,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    let project = Project::read(wit::here())?;
    let registries = Registries::read(&context.config)?;
    let old = Lock::read(&project.folder)?;
    let keep = if args.update { Keep::Nothing } else { Keep::All };
    let plan = Plan::new(project.wanted()?, &registries, old.as_ref(), keep)?;
    if args.check {
        plan.check()?;
    }
    let sources = wit::sources(&[&plan], context)?;
    let lock = wit::lock(&plan.resolve(&sources).await?);
    let changed = !args.check && lock.write(&project.folder, old.as_ref())?;
    context.printer.status(if changed {
        format!("wrote {LOCK}")
    } else {
        format!("{LOCK} is up to date")
    });
    context.printer.result(&Locked {
        changed,
        packages: lock.entries().iter().map(Into::into).collect(),
    })?;
    Ok(Verdict::Yes)
}
