//! `wreg namespace`.

use std::path::Path;

use clap::{Subcommand, builder::PossibleValuesParser};
use wreg_api::{NamespaceSettings, NamespaceSigning, Policy, Versions};
use wreg_oci::{Host, name::Namespace};

use super::{Verdict, verify};
use crate::{
    context::Context,
    error::CliError,
    output::{NamespaceShown, Namespaces},
};

/// The signer that is the registry itself.
const REGISTRY: &str = "registry";

/// List namespaces, and show or change what they ask of what is pushed and pulled
///
/// A namespace is what stands before the first / of a repository's name. For those who administer the server. This is wreg's own
/// interface: other registries do not have it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  wreg namespace list localhost:5000
  wreg namespace show localhost:5000/acme
  wreg namespace set localhost:5000/acme --components enforce")]
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

/// List the namespaces
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  one namespace a line: name, its policies, repositories

Examples:
  wreg namespace list localhost:5000")]
struct List {
    /// The registry, host or host:port [default: `WREG_REGISTRY`]
    registry: Option<String>,
}

/// Show what a namespace asks
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  wreg namespace show localhost:5000/acme")]
struct Show {
    /// The namespace: host/namespace
    name: String,
}

/// Change what a namespace asks
///
/// What is not named stays as it is. A namespace that is not there is made.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "wreg namespace set [OPTIONS] <NAME> <SETTING>...",
    after_long_help = "\
Output:
  the namespace after the change

Examples:
  wreg namespace set localhost:5000/acme --components enforce
  wreg namespace set localhost:5000/acme --versions all --compatibility off
  wreg namespace set localhost:5000/acme --pull warn --signer acme.pub --signer registry"
)]
struct Set {
    /// The namespace: host/namespace
    name: String,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
struct Settings {
    /// What happens to WebAssembly that is not valid, or not what its config, repository or tag says: nothing, a warning, a refusal
    #[arg(long, value_name = "POLICY", value_parser = PossibleValuesParser::new(Policy::WORDS))]
    components: Option<String>,
    /// Of which artifacts a tag that is a full semantic version is written once: of none, of WebAssembly, of all
    #[arg(long, value_name = "WHICH", value_parser = PossibleValuesParser::new(Versions::WORDS))]
    versions: Option<String>,
    /// What happens to a version that breaks more than its number says: nothing, a warning, a refusal
    #[arg(long, value_name = "POLICY", value_parser = PossibleValuesParser::new(Policy::WORDS))]
    compatibility: Option<String>,
    /// What the registry signs of what is pushed there: what its configuration says, nothing, WebAssembly, everything
    #[arg(long, value_name = "WHAT", value_parser = PossibleValuesParser::new(NamespaceSigning::WORDS))]
    signing: Option<String>,
    /// What happens when a manifest is pulled that no signer has signed: nothing, a warning, a refusal. Who may push can read it all the same
    #[arg(long, value_name = "POLICY", value_parser = PossibleValuesParser::new(Policy::WORDS))]
    pull: Option<String>,
    /// Whose signatures count for that: the file of a public key, or the word `registry` for the registry's own keys. Can be given several
    /// times; those before are no more
    #[arg(long, value_name = "FILE|registry")]
    signer: Vec<String>,
    /// Nobody's signatures count
    #[arg(long, conflicts_with = "signer")]
    no_signers: bool,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    match args.verb {
        Verb::List(list) => {
            let host = context.host(list.registry.as_deref())?;
            let registry = context.client(std::slice::from_ref(&host))?.registry(&host)?;
            let namespaces = registry.namespaces().await?;
            context.printer.result(&Namespaces {
                registry: host.to_string(),
                namespaces: namespaces
                    .iter()
                    .map(|found| NamespaceShown::new(&host, found))
                    .collect(),
            })?;
        }
        Verb::Show(show) => {
            let (host, name) = namespace(context, &show.name)?;
            let registry = context.client(std::slice::from_ref(&host))?.registry(&host)?;
            let found = registry.namespace(&name).await?;
            context.printer.result(&NamespaceShown::new(&host, &found))?;
        }
        Verb::Set(set) => {
            let (host, name) = namespace(context, &set.name)?;
            let settings = set.settings.parsed()?;
            let registry = context.client(std::slice::from_ref(&host))?.registry(&host)?;
            let changed = registry.set_namespace(&name, &settings).await?;
            context.printer.result(&NamespaceShown::new(&host, &changed))?;
        }
    }
    Ok(Verdict::Yes)
}

/// `host/namespace`, which reads like a repository without a further part.
fn namespace(context: &Context, text: &str) -> Result<(Host, Namespace), CliError> {
    let (host, repository) = context.repository(text)?;
    let namespace = repository.namespace();
    if namespace.as_str() != repository.as_str() {
        return Err(CliError::usage(format!("{text} is no namespace, but a repository"))
            .hint(format!("its namespace is {host}/{namespace}")));
    }
    Ok((host, namespace))
}

impl Settings {
    fn parsed(&self) -> Result<NamespaceSettings, CliError> {
        let unknown = |error| CliError::usage("not a setting").because(error);
        let policy = |text: &Option<String>| text.as_deref().map(str::parse).transpose().map_err(unknown);
        let versions = self.versions.as_deref().map(str::parse).transpose();
        let signing = self.signing.as_deref().map(str::parse).transpose();
        Ok(NamespaceSettings {
            components: policy(&self.components)?,
            versions: versions.map_err(unknown)?,
            compatibility: policy(&self.compatibility)?,
            signing: signing.map_err(unknown)?,
            pull: policy(&self.pull)?,
            signers: self.signers()?,
        })
    }

    /// The signers as the registry takes them.
    fn signers(&self) -> Result<Option<Vec<String>>, CliError> {
        if self.signer.is_empty() {
            return Ok(self.no_signers.then(Vec::new));
        }
        let read = |named: &String| match named.as_str() {
            REGISTRY => Ok(REGISTRY.to_owned()),
            file => verify::read_key(Path::new(file)).map(|key| key.to_string()),
        };
        self.signer.iter().map(read).collect::<Result<_, _>>().map(Some)
    }
}
