//! `wreg inspect`.

use std::path::Path;

use wreg_component::Invalid;

use super::{Verdict, wit};
use crate::{
    context::Context,
    error::CliError,
    given::Named,
    local,
    output::{Annotated, InRegistry, Inspected, Source, Wasm},
    remote::{Artifact, Config, Fetched, Wanted, mismatches},
};

/// Show what a file or an artifact is
///
/// World, imports and exports with versions, producers, sizes, digests and annotations. Of an artifact in a registry only the
/// manifest and the config are fetched; --deep and --wit fetch the binary too (into the local store), tell what only the bytes can
/// tell, and whether the config tells the truth about them.
///
/// What exists here is a file; everything else is a reference. Write ./name for a file in any case.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  labelled lines; with --wit the WIT text and nothing else

Examples:
  wreg inspect localhost:5000/acme/hello:1.0.0
  wreg inspect localhost:5000/acme/hello:1.0.0 --deep --format json
  wreg inspect hello.wasm --wit > hello.wit")]
pub(crate) struct Args {
    /// A file, - for stdin, or host/repository:tag, @digest or @^1.2
    #[arg(value_name = "REFERENCE|FILE")]
    what: String,
    /// The WIT text of the component
    #[arg(long)]
    wit: bool,
    /// Fetch the binary, and tell what only it can tell
    #[arg(long)]
    deep: bool,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    let named = Named::parse(&args.what, context)?;
    if args.wit {
        let [given] = Named::read_all([&named], context).await?;
        return wit::show(&given, context).await;
    }
    match named {
        Named::File(path) => inspect_file(&path, context).await,
        Named::Artifact(wanted) => inspect_artifact(&wanted, &args, context).await,
    }
}

async fn inspect_file(path: &Path, context: &Context) -> Result<Verdict, CliError> {
    let file = local::name(path);
    let local = local::read(path).await?.map_err(|invalid| not_valid(&file, &invalid))?;
    let wasm = Wasm::from_bytes(&local.inspection);
    context.printer.result(&Inspected {
        source: Source::File {
            file,
            size: local.inspection.size,
            digest: local.digest,
        },
        wasm: Some(wasm),
        wasm_from: Some("bytes"),
        mismatches: Vec::new(),
    })?;
    Ok(Verdict::Yes)
}

async fn inspect_artifact(wanted: &Wanted, args: &Args, context: &Context) -> Result<Verdict, CliError> {
    let client = context.client_with_store(std::slice::from_ref(wanted.host()))?;
    let registry = client.registry(wanted.host())?;
    let (reference, artifact) = wanted.find(&registry).await?;
    let layer = artifact.wasm_layer();
    let local = match layer {
        Some(layer) if args.deep => {
            let fetched = Fetched::fetch(&client, &registry, &reference.repository, layer, &context.printer).await?;
            Some(local::read(fetched.path()).await?)
        }
        _ => None,
    };
    let inspection = local.map(|local| local.map(|local| local.inspection));
    let config = artifact.read_config(&registry).await?;
    let (wasm, wasm_from) = match (&inspection, &config) {
        (Some(Ok(inspection)), _) => (Some(Wasm::from_bytes(inspection)), Some("bytes")),
        (_, Config::Wasm(config)) => (Some(Wasm::from_config(config)), Some("config")),
        _ => (None, None),
    };
    let mismatches = layer
        .map(|layer| mismatches(layer, &config, inspection.as_ref()))
        .unwrap_or_default();
    for mismatch in &mismatches {
        context.printer.warning(mismatch);
    }
    context.printer.result(&Inspected {
        source: source(&artifact, &config),
        wasm,
        wasm_from,
        mismatches,
    })?;
    if wasm_from == Some("config") {
        context
            .printer
            .note("this is what the config says; --deep fetches the binary and compares");
    }
    Ok(Verdict::Yes)
}

fn source(artifact: &Artifact, config: &Config) -> Source {
    let manifest = &artifact.manifest;
    let blobs: u64 = manifest
        .blobs()
        .iter()
        .fold(0, |sum, blob| sum.saturating_add(blob.size));
    Source::Registry(Box::new(InRegistry {
        reference: artifact.reference.to_string(),
        digest: artifact.digest().clone(),
        media_type: manifest.media_type.to_string(),
        artifact_type: manifest.effective_artifact_type().map(ToString::to_string),
        size: blobs.saturating_add(artifact.descriptor.size),
        created: match config {
            Config::Wasm(config) => config.created.clone(),
            _ => None,
        },
        config: artifact.config().map(Annotated::from),
        layers: artifact.layers().iter().map(Annotated::from).collect(),
        manifests: manifest.manifests().into_iter().map(Annotated::from).collect(),
        annotations: manifest.annotations.clone(),
        subject: manifest.subject.as_ref().map(|subject| subject.digest.clone()),
    }))
}

fn not_valid(what: &str, invalid: &Invalid) -> CliError {
    CliError::no(format!("{what} is not valid WebAssembly: {invalid}"))
}
