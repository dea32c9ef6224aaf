//! `wreg diff`.

use std::collections::BTreeMap;

use wreg_component::{Comparison, Incomparable, compare};

use super::Verdict;
use crate::{
    context::Context,
    error::CliError,
    given::{Given, Named},
    output::{Compared, Difference, Differences, Wasm},
};

/// Show what changed between two components, by meaning
///
/// What came, what went, what changed in the interface of the newer one, and what of it breaks those who rely on the older one; how
/// much that is as a version, and which version it should have at least; and whether it was made with other tools or says other
/// things of itself. WIT packages are compared in the same way: there, whoever implements or calls them relies on what is there.
///
/// What exists here is a file; everything else is a reference. The version of the older one is its tag, else that of the WIT package, else
/// what it says of itself.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  the changes that break, the others, the level (same, patch, minor or major), the version that the newer one should have

Exit codes:
  0  they were compared, whatever came out    1  with --exit-code: they are not the same bytes    2  they could not be compared

Examples:
  wreg diff localhost:5000/acme/hello:1.2.0 hello.wasm
  wreg diff localhost:5000/acme/hello:1.2.0 localhost:5000/acme/hello:1.3.0 --format json
  wreg diff old.wasm new.wasm --exit-code")]
pub(crate) struct Args {
    /// The older one: a file, - for stdin, or host/repository:tag or host/repository@digest
    #[arg(value_name = "OLD")]
    old: String,
    /// The newer one, named in the same way
    #[arg(value_name = "NEW")]
    new: String,
    /// Exit with 1 if the two are not the same bytes
    #[arg(long)]
    exit_code: bool,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    let (old, new) = (Named::parse(&args.old, context)?, Named::parse(&args.new, context)?);
    // 1 is for files that differ. One that is not there, or is not valid, differs from nothing.
    let [old, new] = Named::read_all([&old, &new], context)
        .await
        .map_err(CliError::unanswered)?;
    let compared = compare_given(&old, &new).await?;
    let identical = old.local.digest == new.local.digest;
    let next_version = match (&compared, old.version()) {
        (Ok(comparison), Some(version)) if !identical => Some(comparison.next_version(&version).to_string()),
        _ => None,
    };
    let (interface, incomparable) = match compared {
        Ok(comparison) => (Some(comparison.into()), None),
        Err(why) => (None, Some(why)),
    };
    let verdict = match &incomparable {
        _ if args.exit_code && !identical => Verdict::No,
        Some(_) if !identical => Verdict::Unknown,
        _ => Verdict::Yes,
    };
    context.printer.result(&Differences {
        besides: besides(&old, &new),
        old: side(&old),
        new: side(&new),
        identical,
        interface,
        incomparable,
        next_version,
    })?;
    Ok(verdict)
}

/// Compares the interfaces of two files. The inner error says why they cannot be compared.
pub(super) async fn compare_given(old: &Given, new: &Given) -> Result<Result<Comparison, String>, CliError> {
    let mut texts = Vec::with_capacity(2);
    for given in [old, new] {
        match given.wit().await? {
            Ok(wit) if wit.truncated => {
                return Ok(Err(format!("the WIT of {} is longer than 2 MiB", given.name)));
            }
            Ok(wit) => texts.push(wit.text),
            Err(invalid) => return Ok(Err(format!("{}: {invalid}", given.name))),
        }
    }
    let compared = tokio::task::spawn_blocking(move || match texts.as_slice() {
        [old, new] => compare(old, new),
        _ => Err(Incomparable::Failed),
    });
    let compared = compared
        .await
        .map_err(|error| CliError::failed("cannot compare").because(error))?;
    Ok(compared.map_err(|why| why.to_string()))
}

fn side(given: &Given) -> Compared {
    let local = &given.local;
    Compared {
        name: given.name.clone(),
        kind: Wasm::from_bytes(&local.inspection).kind,
        size: local.inspection.size,
        digest: local.digest.clone(),
        version: given.version().map(|version| version.to_string()),
    }
}

/// What the two say of themselves, and what they were made with, where that differs.
fn besides(old: &Given, new: &Given) -> Vec<Difference> {
    let [mut old, mut new] = [old, new].map(said);
    let names: Vec<_> = old.keys().chain(new.keys()).cloned().collect();
    let mut differences = Vec::new();
    for what in names {
        let (before, after) = (old.remove(&what), new.remove(&what));
        if before != after {
            differences.push(Difference { what, before, after });
        }
    }
    differences.sort_by(|one, other| one.what.cmp(&other.what));
    differences
}

fn said(given: &Given) -> BTreeMap<String, String> {
    let wasm = Wasm::from_bytes(&given.local.inspection);
    let mut said = BTreeMap::new();
    for producer in wasm.producers.unwrap_or_default() {
        let version = if producer.version.is_empty() {
            "without a version".to_owned()
        } else {
            producer.version
        };
        // One tool can stand there in several versions, for each module that was put together.
        said.entry(format!("{} ({})", producer.name, producer.field))
            .and_modify(|versions: &mut String| {
                versions.push_str(", ");
                versions.push_str(&version);
            })
            .or_insert(version);
    }
    let metadata = wasm.metadata.unwrap_or_default();
    said.extend(metadata.into_iter().map(|(name, text)| (name.to_owned(), text)));
    said
}
