//! `wreg repository`.

use clap::{Subcommand, builder::PossibleValuesParser};
use wreg_api::{ComponentPolicy, ImmutableTags, MissingReferences, RepositorySettings, Visibility};

use super::Verdict;
use crate::{
    context::Context,
    error::CliError,
    output::{Repositories, RepositoryShown},
};

/// List repositories, and show or change their settings
///
/// This is wreg's own interface: other registries do not have it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  wreg repository list localhost:5000
  wreg repository show localhost:5000/acme/hello
  wreg repository set localhost:5000/acme/hello --visibility public")]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    List(List),
    Show(Show),
    Set(Set),
}

/// List the repositories that you may see
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  one repository a line: name, visibility, tags, size

Examples:
  wreg repository list localhost:5000")]
struct List {
    /// The registry, host or host:port [default: `WREG_REGISTRY`]
    registry: Option<String>,
}

/// Show a repository's settings and size
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  wreg repository show localhost:5000/acme/hello")]
struct Show {
    /// The repository: host/repository
    name: String,
}

/// Change a repository's settings
///
/// What is not named stays as it is. A repository that is not there is made.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "wreg repository set [OPTIONS] <NAME> <SETTING>...",
    after_long_help = "\
Output:
  the repository after the change

Examples:
  wreg repository set localhost:5000/acme/hello --visibility public
  wreg repository set localhost:5000/acme/hello --immutable-tags semver --deletable false"
)]
struct Set {
    /// The repository: host/repository
    name: String,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
struct Settings {
    /// Who may pull without having been given access: nobody, or everybody
    #[arg(long, value_name = "WHO", value_parser = PossibleValuesParser::new(Visibility::WORDS))]
    visibility: Option<String>,
    /// Which tags, once there, keep their manifest: none, semantic versions, or all
    #[arg(long, value_name = "WHICH", value_parser = PossibleValuesParser::new(ImmutableTags::WORDS))]
    immutable_tags: Option<String>,
    /// What happens to a manifest that names content which the repository does not hold
    #[arg(long, value_name = "WHAT", value_parser = PossibleValuesParser::new(MissingReferences::WORDS))]
    missing_references: Option<String>,
    /// Whether tags, manifests and blobs can be deleted
    #[arg(long, value_name = "YES")]
    deletable: Option<bool>,
    /// What happens to components that are not what they should be: what the namespace says, or nothing, a warning, a refusal
    #[arg(long, value_name = "POLICY", value_parser = PossibleValuesParser::new(ComponentPolicy::WORDS))]
    components: Option<String>,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    match args.verb {
        Verb::List(list) => {
            let host = context.host(list.registry.as_deref())?;
            let found = context
                .client(std::slice::from_ref(&host))?
                .registry(&host)?
                .repositories()
                .await?;
            let repositories = found
                .iter()
                .map(|repository| RepositoryShown::new(&host, repository))
                .collect();
            context.printer.result(&Repositories {
                registry: host.to_string(),
                repositories,
            })?;
        }
        Verb::Show(show) => {
            let (host, name) = context.repository(&show.name)?;
            let found = context
                .client(std::slice::from_ref(&host))?
                .registry(&host)?
                .repository(&name)
                .await?;
            context.printer.result(&RepositoryShown::new(&host, &found))?;
        }
        Verb::Set(set) => {
            let (host, name) = context.repository(&set.name)?;
            let settings = set.settings.parsed()?;
            let registry = context.client(std::slice::from_ref(&host))?.registry(&host)?;
            let changed = registry.set_repository(&name, &settings).await?;
            context.printer.result(&RepositoryShown::new(&host, &changed))?;
        }
    }
    Ok(Verdict::Yes)
}

impl Settings {
    fn parsed(&self) -> Result<RepositorySettings, CliError> {
        let unknown = |error| CliError::usage("not a setting").because(error);
        Ok(RepositorySettings {
            visibility: self
                .visibility
                .as_deref()
                .map(str::parse)
                .transpose()
                .map_err(unknown)?,
            immutable_tags: self
                .immutable_tags
                .as_deref()
                .map(str::parse)
                .transpose()
                .map_err(unknown)?,
            missing_references: self
                .missing_references
                .as_deref()
                .map(str::parse)
                .transpose()
                .map_err(unknown)?,
            deletable: self.deletable,
            components: self
                .components
                .as_deref()
                .map(str::parse)
                .transpose()
                .map_err(unknown)?,
        })
    }
}
