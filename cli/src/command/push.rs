//! `wreg push`.

use std::path::PathBuf;

use semver::Version;
use wreg_client::{BlobSource, PushedBlob, Registry};
use wreg_oci::{
    MediaType, Reference, RepositoryName, Tag, TagOrDigest,
    wasm::{PackedArtifact, WasmArtifact},
};

use super::{Verdict, sbom};
use crate::{
    context::Context,
    error::CliError,
    local::{self, Local},
    output::{Content, Pushed, Wasm, size},
    pack::{annotations, component},
};

/// How long the registry may take to sign, in seconds.
const PATIENCE: u64 = 15;

/// Push a WebAssembly file to a registry
///
/// The file is validated first; nothing is sent if it is not valid. What is sent is the CNCF Wasm artifact: a config that says what
/// the component imports and exports, and one layer with the file as it is. A core module is marked as one.
///
/// Annotations tell what the component says of itself: description, authors, licences, source, homepage, version and revision. The
/// same file gives the same digest, from whatever folder, under whatever name and on whatever day it is pushed: the time of an
/// artifact is written only if `SOURCE_DATE_EPOCH` is set.
///
/// Where the component has a list of the packages that it was made from (cargo-auditable writes it), what `wreg sbom` shows is pushed
/// beside it, as a referrer. If only that fails, the component is pushed all the same, and a warning says so.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  host/repository@sha256:… of what was pushed, and nothing else

Examples:
  wreg push hello.wasm localhost:5000/acme/hello:1.0.0
  wreg push hello.wasm localhost:5000/acme/hello:1.0.0 --tag latest
  wreg push hello.wasm localhost:5000/acme/hello:1.0.0 --annotation org.opencontainers.image.licenses=Apache-2.0
  wac plug app.wasm --plug log.wasm | wreg push - localhost:5000/acme/app:2.1.0")]
pub(crate) struct Args {
    /// The file, or - for stdin
    file: PathBuf,
    /// Where to: host/repository:tag; without a tag, latest
    reference: String,
    /// One more tag for it; can be repeated
    #[arg(long, value_name = "TAG")]
    tag: Vec<Tag>,
    /// An annotation of the manifest, in place of what the component says of itself; without a value, none; can be repeated
    #[arg(long, short, value_name = "NAME=VALUE", value_parser = annotations::parse)]
    annotation: Vec<(String, String)>,
    /// Push no list of packages beside it
    #[arg(long)]
    no_sbom: bool,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    let reference = context.reference(&args.reference)?;
    let created = context.config.created()?;
    let file = local::name(&args.file);
    let local = local::read(&args.file).await?.map_err(|invalid| {
        CliError::no(format!("{file} is not pushed: {invalid}"))
            .hint("`wreg validate` checks a file without pushing it")
    })?;
    let packed = WasmArtifact {
        title: format!("{}.wasm", reference.repository.last_component()),
        author: local.inspection.metadata.authors.clone(),
        component: component(&local.inspection)?,
        annotations: annotations::of(&local.inspection.metadata, created.as_deref(), args.annotation),
        created,
    }
    .pack(local.digest.clone(), local.bytes.len() as u64);
    let targets = targets(&reference, &packed, args.tag)?;
    for tag in targets
        .iter()
        .filter_map(as_tag)
        .filter(|tag| Version::parse(tag.as_str()).is_err())
    {
        context.printer.note(format!(
            "the tag {tag} is not a semantic version: tools that look for versions, such as wkg, pass over it"
        ));
    }
    let registry = context
        .client(std::slice::from_ref(&reference.host))?
        .registry(&reference.host)?;
    let existed = send(&registry, &reference, &local, &packed, &targets, context).await?;
    let what = Wasm::from_bytes(&local.inspection).noun();
    context.printer.note(format!(
        "pushed the {what} {file}, {}{}",
        size(local.bytes.len() as u64),
        if existed {
            ", which the registry had already"
        } else {
            ""
        }
    ));
    let sbom = if args.no_sbom {
        None
    } else {
        sbom::attach(&registry, &reference, &local, &packed.manifest_descriptor, context).await
    };
    let signed = match &targets[0] {
        TagOrDigest::Tag(tag) => published(&registry, &reference.repository, tag, context).await,
        TagOrDigest::Digest(_) => false,
    };
    let digest = packed.manifest_descriptor.digest;
    context.printer.result(&Pushed {
        reference: reference.at(digest.clone()).to_string(),
        digest,
        tags: targets.iter().filter_map(as_tag).map(ToString::to_string).collect(),
        layer: Content {
            digest: packed.layer.digest,
            size: packed.layer.size,
        },
        existed,
        sbom,
        signed,
    })?;
    Ok(Verdict::Yes)
}

/// Waits until the registry has signed what was pushed, and its log has it, if it does such a thing. Says whether it has.
async fn published(registry: &Registry, repository: &RepositoryName, tag: &Tag, context: &Context) -> bool {
    let at = tag.clone().into();
    let Ok(state) = registry.publication(repository, &at, PATIENCE).await else {
        // Another registry, which does not know the question.
        return false;
    };
    match (state.done, state.signed, state.place) {
        (true, true, Some(place)) => {
            context
                .printer
                .note(format!("signed by the registry, entry {place} of its log"));
        }
        (true, ..) => {}
        (false, ..) => {
            context.printer.warning(format!(
                "the registry has not signed it within {PATIENCE} seconds: whoever pulls it now waits for that"
            ));
        }
    }
    state.signed && state.done
}

/// What the manifest is pushed as. A digest in the reference must be the one that comes out.
fn targets(reference: &Reference, packed: &PackedArtifact, more: Vec<Tag>) -> Result<Vec<TagOrDigest>, CliError> {
    let digest = &packed.manifest_descriptor.digest;
    if let Some(expected) = reference.digest.as_ref().filter(|expected| *expected != digest) {
        return Err(CliError::no(format!("the file gives {digest}, not {expected}"))
            .hint("nothing was pushed; annotations and SOURCE_DATE_EPOCH are part of what the digest is of"));
    }
    let first = match (&reference.tag, &reference.digest) {
        (Some(tag), _) => tag.clone().into(),
        (None, Some(digest)) => digest.clone().into(),
        (None, None) => reference.tag_or_digest(),
    };
    let mut targets = vec![first];
    for tag in more.into_iter().map(TagOrDigest::Tag) {
        if !targets.contains(&tag) {
            targets.push(tag);
        }
    }
    Ok(targets)
}

/// Sends layer, config and manifest, in this order: whatever is interrupted, no tag ever points to what is not there. Whether the
/// registry had the layer.
async fn send(
    registry: &Registry,
    reference: &Reference,
    local: &Local,
    packed: &PackedArtifact,
    targets: &[TagOrDigest],
    context: &Context,
) -> Result<bool, CliError> {
    let repository = &reference.repository;
    let progress = context.printer.progress("pushing");
    let layer = BlobSource::Bytes(local.bytes.clone());
    let layer = registry
        .push_blob(repository, &packed.layer, layer, None, &*progress)
        .await?;
    let config = BlobSource::Bytes(packed.config.clone().into());
    registry
        .push_blob(repository, &packed.config_descriptor, config, None, &*progress)
        .await?;
    for target in targets {
        registry
            .put_manifest(repository, target, &MediaType::IMAGE_MANIFEST, packed.manifest.clone())
            .await?;
    }
    Ok(layer != PushedBlob::Uploaded)
}

fn as_tag(target: &TagOrDigest) -> Option<&Tag> {
    match target {
        TagOrDigest::Tag(tag) => Some(tag),
        TagOrDigest::Digest(_) => None,
    }
}
