//! `wreg copy`.

use wreg_oci::{Reference, Tag};

use super::Verdict;
use crate::{
    context::Context,
    error::CliError,
    output::Copied,
    remote::{Copier, Place},
};

/// Copy an artifact to another repository or registry
///
/// It is verified first, as `wreg pull` does it. Whatever kind of artifact it is: manifests are copied byte for byte, so that the digest stays; an index comes with the manifests
/// that it lists. What the destination has already is not sent, and within one registry nothing is transferred at all.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  host/repository@sha256:… of the copy

Examples:
  wreg copy localhost:5000/acme/hello:1.0.0 registry.example/acme/hello:1.0.0
  wreg copy localhost:5000/acme/hello:1.0.0-rc.1 localhost:5000/acme/hello:1.0.0
  wreg copy localhost:5000/acme/hello@sha256:… registry.example/acme/hello --referrers")]
pub(crate) struct Args {
    /// What to copy: host/repository:tag or host/repository@digest
    source: String,
    /// Where to: host/repository:tag; without a tag, the one that it is copied from
    destination: String,
    /// Copy what refers to it too: signatures, attestations, bills of materials
    #[arg(long)]
    referrers: bool,
    /// Copy it whoever made it, without looking at signatures and the registry's log
    #[arg(long)]
    no_verify: bool,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    let source = context.reference(&args.source)?;
    let destination = context.reference(&args.destination)?;
    let client = context.client_with_store(&[source.host.clone(), destination.host.clone()])?;
    let registry = client.registry(&source.host)?;
    let fetched = registry.manifest(&source.repository, &source.tag_or_digest()).await?;
    let digest = fetched.descriptor.digest.clone();
    if let Some(expected) = destination.digest.as_ref().filter(|expected| **expected != digest) {
        return Err(CliError::no(format!(
            "{source} is {digest}, and the destination names {expected}"
        )));
    }
    context.verified(&registry, &source, &digest, args.no_verify).await?;
    let tag = tag(&source, &destination);
    let mut copier = Copier::new(
        &client,
        Place {
            registry,
            repository: source.repository.clone(),
        },
        Place {
            registry: client.registry(&destination.host)?,
            repository: destination.repository.clone(),
        },
        &context.printer,
    );
    copier.copy(fetched, tag, args.referrers).await?;
    context.printer.result(&Copied {
        reference: destination.at(digest.clone()).to_string(),
        digest,
        tag: tag.map(ToString::to_string),
        manifests: copier.manifests,
        blobs_sent: copier.blobs_sent,
        blobs_there: copier.blobs_there,
    })?;
    Ok(Verdict::Yes)
}

/// The tag that the copy gets: the one that is named, or, where nothing is, the one that it is copied from.
fn tag<'a>(source: &'a Reference, destination: &'a Reference) -> Option<&'a Tag> {
    match (&destination.tag, &destination.digest, &source.tag, &source.digest) {
        (Some(tag), ..) | (None, None, Some(tag), None) => Some(tag),
        _ => None,
    }
}
