//! `wreg show`.

use super::Verdict;
use crate::{context::Context, error::CliError, output::Shown};

/// Show what the registry knows of a component
///
/// A page about one version: what it is, what it imports and exports, where its bytes are, what is not as it should be, what has been said of
/// it since, and with --history where its tag pointed before. Nothing but words is fetched. This is wreg's own interface: with other
/// registries `wreg inspect --deep` fetches the component and looks for itself.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  labelled lines

Examples:
  wreg show localhost:5000/acme/hello:1.2.0
  wreg show localhost:5000/acme/hello --history
  wreg show localhost:5000/acme/hello:1.2.0 --format json")]
pub(crate) struct Args {
    /// The version: host/repository:tag, host/repository@digest, or host/repository@^1.2
    reference: String,
    /// Where the tag pointed before
    #[arg(long)]
    history: bool,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    let wanted = context.wanted(&args.reference)?;
    let registry = context
        .client(std::slice::from_ref(wanted.host()))?
        .registry(wanted.host())?;
    let reference = wanted.choose(&registry).await?;
    let versions = registry.versions(&reference.repository).await?;
    let at = reference.tag_or_digest();
    let component = registry.component(&reference.repository, &at).await?;
    let version = versions
        .versions
        .iter()
        .find(|version| version.digest == component.digest);
    let history = match (&at, args.history) {
        (wreg_oci::TagOrDigest::Tag(tag), true) => Some(registry.history(&reference.repository, tag).await?),
        _ => None,
    };
    let shown = Shown::new(&reference, component, history)
        .map_err(|error| CliError::failed("the registry says what this wreg does not understand").because(error))?;
    for warning in version.iter().flat_map(|version| version.marks.warnings()) {
        context.printer.warning(warning);
    }
    context.printer.result(&shown)?;
    Ok(Verdict::Yes)
}
