//! `wreg delete`.

use wreg_oci::TagOrDigest;

use super::Verdict;
use crate::{context::Context, error::CliError, output::Deleted};

/// Delete a tag or a manifest
///
/// A tag is deleted by its name, and the manifest that it pointed to stays. A manifest is deleted by its digest, and with it all tags
/// that point to it. Nothing is asked: exactly what is named is deleted, and latest is never guessed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  what was deleted, as a reference

Examples:
  wreg delete localhost:5000/acme/hello:canary
  wreg delete localhost:5000/acme/hello@sha256:…")]
pub(crate) struct Args {
    /// What to delete: host/repository:tag or host/repository@digest
    reference: String,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    let reference = context.reference(&args.reference)?;
    let what = match (&reference.tag, &reference.digest) {
        (Some(tag), None) => TagOrDigest::Tag(tag.clone()),
        (None, Some(digest)) => TagOrDigest::Digest(digest.clone()),
        (None, None) => {
            return Err(CliError::usage(format!("{reference} names no tag and no digest"))
                .hint(format!("write {reference}:TAG, or {reference}@DIGEST")));
        }
        (Some(_), Some(_)) => {
            return Err(CliError::usage(
                "both a tag and a digest are named, and it is not clear which is to be deleted",
            ));
        }
    };
    let registry = context
        .client(std::slice::from_ref(&reference.host))?
        .registry(&reference.host)?;
    let found = registry.resolve(&reference.repository, &what).await?;
    let digest = found
        .ok_or_else(|| CliError::no(format!("there is no {reference}")))?
        .digest;
    registry.delete_manifest(&reference.repository, &what).await?;
    context.printer.status(match &what {
        TagOrDigest::Tag(tag) => format!("deleted the tag {tag}, which pointed to {digest}; the manifest stays"),
        TagOrDigest::Digest(_) => "deleted the manifest, and the tags that pointed to it".to_owned(),
    });
    context.printer.result(&Deleted::new(&reference, digest))?;
    Ok(Verdict::Yes)
}
