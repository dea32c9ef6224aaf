//! `wreg sbom`.

use std::path::PathBuf;

use wreg_client::Registry;
use wreg_component::{DependencyList, dependency_list, sbom};
use wreg_oci::{Attachment, Descriptor, Digest, MediaType, Reference};

use super::Verdict;
use crate::{
    context::Context,
    error::CliError,
    files,
    given::Named,
    local::Local,
    output::{Sbom, write_content},
};

/// Show what a component is made from, as a CycloneDX document
///
/// The packages are those that the component lists itself: cargo-auditable writes such lists into Rust programs (sections .dep-v0). Beside
/// them stand the tools that made it, and what it says of itself. The same bytes give the same document, which `wreg push` pushes beside
/// the component; its time is written only if `SOURCE_DATE_EPOCH` is set. It is made from the bytes, not from what lies beside them.
///
/// What exists here is a file; everything else is a reference.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  a CycloneDX 1.6 document in JSON and nothing else; with --output the path of the file

Examples:
  wreg sbom hello.wasm
  wreg sbom localhost:5000/acme/hello:1.0.0 -o hello.cdx.json
  wreg sbom hello.wasm | jq -r '.components[].purl'")]
pub(crate) struct Args {
    /// A file, - for stdin, or host/repository:tag, @digest or @^1.2
    #[arg(value_name = "REFERENCE|FILE")]
    what: String,
    /// The file to write; one that is there is replaced
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    let created = context.config.created()?;
    let named = Named::parse(&args.what, context)?;
    let [given] = Named::read_all([&named], context).await?;
    let list = list(&given.local).await?;
    warn(&given.name, &list, context);
    let local = &given.local;
    let document = sbom(&local.inspection, &list, &local.digest, created.as_deref());
    let mut result = Sbom {
        digest: local.digest.clone(),
        file: None,
        document: None,
    };
    match args.output {
        Some(path) => {
            files::replace(&path, &document)
                .map_err(|error| CliError::failed(format!("cannot write {}", path.display())).because(error))?;
            result.file = Some(path.display().to_string());
        }
        None if context.printer.is_json() => {
            let document = serde_json::from_slice(&document);
            result.document = Some(document.map_err(|error| CliError::failed("cannot write JSON").because(error))?);
        }
        // As it is, to the byte.
        None => {
            write_content(&*document)?;
            return Ok(Verdict::Yes);
        }
    }
    context.printer.result(&result)?;
    Ok(Verdict::Yes)
}

/// The packages that a file lists.
pub(super) async fn list(local: &Local) -> Result<DependencyList, CliError> {
    let bytes = local.bytes.clone();
    let read = tokio::task::spawn_blocking(move || dependency_list(&bytes)).await;
    let read = read.map_err(|error| CliError::failed("cannot read the list of packages").because(error))?;
    read.map_err(|invalid| CliError::failed("cannot read the list of packages").because(invalid))
}

fn warn(name: &str, list: &DependencyList, context: &Context) {
    if list.incomplete {
        context.printer.warning(format!(
            "not all of the packages of {name} are there: a list is malformed, or longer than what is read"
        ));
    } else if list.lists == 0 {
        context
            .printer
            .warning(format!("{name} has no list of the packages that it was made from"));
        context.printer.hint(NO_LIST);
    }
}

/// What to do about a component without a list.
pub(super) const NO_LIST: &str =
    "`cargo auditable build` writes the list into a Rust program; tools that strip custom sections remove it";

/// Pushes the document beside the component that was pushed, if that has a list of packages. A failure is told, and is none of the push.
pub(super) async fn attach(
    registry: &Registry,
    reference: &Reference,
    local: &Local,
    pushed: &Descriptor,
    context: &Context,
) -> Option<Digest> {
    let list = list(local).await.ok().filter(|list| list.lists > 0)?;
    let document = sbom(&local.inspection, &list, &local.digest, None);
    let attached = Attachment::document(&MediaType::CYCLONEDX, document, pushed);
    match registry.attach(&reference.repository, attached).await {
        Ok(digest) => {
            context.printer.note(format!(
                "the list of its packages is beside it: {}",
                reference.at(digest.clone())
            ));
            Some(digest)
        }
        Err(error) => {
            let error = CliError::from(error);
            let causes: Vec<_> = std::iter::once(error.to_string()).chain(error.causes()).collect();
            context.printer.warning(format!(
                "it is pushed, but the list of its packages is not: {}",
                causes.join(": ")
            ));
            context
                .printer
                .hint("pushing it again tries that again; --no-sbom leaves the list out");
            None
        }
    }
}
