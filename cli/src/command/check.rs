//! `wreg check`.

use std::path::PathBuf;

use semver::Version;
use wreg_client::Client;
use wreg_oci::{Reference, Tag};

use super::{Verdict, diff::compare_given};
use crate::{
    context::Context,
    error::CliError,
    given::{Given, version_of},
    output::Successor,
    remote::Wanted,
};

/// Check whether a file would be a right next version
///
/// The file is compared, by meaning, with a version that is there, and what changed decides which version it should have at least: a
/// break raises 1.2.3 to 2.0.0 and 0.2.3 to 0.3.0, something new to 1.3.0 and 0.2.4, anything else to 1.2.4 and 0.2.4.
///
/// Where the reference names neither tag nor digest, the version that is there is the highest release among the tags, or the highest
/// pre-release if there is no release. To mend an older line, name its last version. Nothing is changed or sent.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  whether it may have that version, and what changed

Exit codes:
  0  it may have that version    1  the version is too low, or the file is not valid    2  it could not be compared, or no version is known

Examples:
  wreg check hello.wasm localhost:5000/acme/hello --version 1.3.0
  wreg check hello.wasm localhost:5000/acme/hello:1.2.0
  wreg check hello.wasm localhost:5000/acme/hello && wreg push hello.wasm localhost:5000/acme/hello:1.3.0")]
pub(crate) struct Args {
    /// The file, or - for stdin
    file: PathBuf,
    /// The version that is there: host/repository:tag, @digest or @^1.2; host/repository for the highest
    reference: String,
    /// The version that the file is to get [default: that of its WIT package, else what it says of itself]
    #[arg(long, value_name = "VERSION")]
    version: Option<Version>,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    let wanted = context.wanted(&args.reference)?;
    let new = Given::file(&args.file).await?;
    let client = context.client_with_store(std::slice::from_ref(wanted.host()))?;
    let old = there(wanted, &client, context).await.map_err(CliError::unanswered)?;
    let Some(old_version) = old.version() else {
        return Err(CliError::failed(format!("{} has no version", old.name))
            .hint("name a tag that is a semantic version, such as 1.2.0"));
    };
    let compared = compare_given(&old, &new).await?;
    let comparison = compared.map_err(|why| CliError::failed("the two cannot be compared").because(why))?;
    let version = args.version.or_else(|| new.version());
    let identical = old.local.digest == new.local.digest;
    let is_same = |version: &Version| identical && version.cmp_precedence(&old_version).is_eq();
    let enough = version
        .as_ref()
        .map(|version| comparison.is_enough(&old_version, version) || is_same(version));
    context.printer.result(&Successor {
        file: new.name.clone(),
        version: version.map(|version| version.to_string()),
        after: old.name.clone(),
        old_version: old_version.to_string(),
        next_version: comparison.next_version(&old_version).to_string(),
        enough,
        interface: comparison.into(),
    })?;
    Ok(match enough {
        Some(true) => Verdict::Yes,
        Some(false) => Verdict::No,
        None => {
            context
                .printer
                .hint("say with --version which version it is to get: the file does not");
            Verdict::Unknown
        }
    })
}

/// The version that is there: what is named, or the highest of its repository.
async fn there(wanted: Wanted, client: &Client, context: &Context) -> Result<Given, CliError> {
    let reference = match wanted {
        Wanted::Reference(reference) if reference.tag.is_none() && reference.digest.is_none() => reference,
        named => return Given::fetch(&named, client, context).await,
    };
    let registry = client.registry(&reference.host)?;
    let tags = registry.tags(&reference.repository).await?;
    let Some(tag) = highest(tags) else {
        return Err(CliError::failed(format!("no tag of {reference} is a version"))
            .hint("any version will do for the first one; or name the tag to compare with"));
    };
    context.printer.note(format!("the highest version is {tag}"));
    let reference = Reference {
        tag: Some(tag),
        ..reference
    };
    Given::fetch(&Wanted::Reference(reference), client, context).await
}

/// The highest release among the tags, else the highest pre-release.
fn highest(tags: Vec<Tag>) -> Option<Tag> {
    let versions = tags.into_iter().filter_map(|tag| Some((version_of(&tag)?, tag)));
    let highest = versions.max_by(|(one, _), (other, _)| (one.pre.is_empty(), one).cmp(&(other.pre.is_empty(), other)));
    highest.map(|(_, tag)| tag)
}

#[cfg(test)]
mod tests {
    use super::{Tag, highest};

    #[test]
    fn a_release_is_higher_than_any_pre_release() {
        for (tags, expected) in [
            (&["latest", "1.9.0", "1.10.0", "1.2.0"][..], Some("1.10.0")),
            (&["1.9.0", "2.0.0-rc.1"], Some("1.9.0")),
            (&["2.0.0-rc.1", "2.0.0-rc.2", "v3.0.0"], Some("2.0.0-rc.2")),
            (&["latest", "edge"], None),
            (&[], None),
        ] {
            let tags = tags.iter().map(|tag| tag.parse().expect("a tag")).collect();
            assert_eq!(highest(tags).as_ref().map(Tag::as_str), expected);
        }
    }
}
