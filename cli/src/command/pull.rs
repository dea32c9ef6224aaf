//! `wreg pull`.

use std::path::PathBuf;

use super::Verdict;
use crate::{
    context::Context,
    destination::Destination,
    error::CliError,
    local,
    output::{Content, Pulled, size},
    remote::{Fetched, mismatches},
};

/// Pull a WebAssembly file from a registry
///
/// Every byte is verified against the digest before the file appears, whole, under its name. What was pulled is kept in the local
/// store, so that pulling the same digest again transfers nothing; a transfer that broke off is taken up where it stopped.
///
/// Before anything is fetched, it is looked at whether it may be used: by the rules in `~/.config/wreg/trust.toml`, and where these say
/// nothing of a registry that signs, by the keys that were pinned when it was first used (`wreg trust`). Signatures, the registry's statement
/// and its log must agree; nothing is written otherwise.
///
/// Without --output the file gets the name that the artifact gives it, without folders and ending in .wasm, in the current folder; a
/// file of that name is replaced, and so is a symbolic link (what it points to is not touched).
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  host/repository@sha256:… of what was pulled, or the file itself with -o -

Examples:
  wreg pull localhost:5000/acme/hello:1.0.0
  wreg pull localhost:5000/acme/hello@^1.2
  wreg pull localhost:5000/acme/hello:1.0.0 -o target/hello.wasm
  wreg pull localhost:5000/acme/hello@sha256:… -o - | wasm-tools print")]
pub(crate) struct Args {
    /// What to pull: host/repository:tag, host/repository@digest, or host/repository@requirement for the highest version that is allowed;
    /// without any of them `latest`, or the highest version
    reference: String,
    /// The file to write, a folder to write it into, or - for stdout
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Use it whoever made it, without looking at signatures and the registry's log
    #[arg(long)]
    no_verify: bool,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    let wanted = context.wanted(&args.reference)?;
    Destination::check(args.output.as_deref(), context.printer.is_json())?;
    let client = context.client_with_store(std::slice::from_ref(wanted.host()))?;
    let registry = client.registry(wanted.host())?;
    let (reference, artifact) = wanted.find(&registry).await?;
    let verified = context
        .verified(&registry, &reference, artifact.digest(), args.no_verify)
        .await?;
    let layer = artifact.wasm_layer().ok_or_else(|| artifact.not_wasm())?;
    let destination = Destination::choose(args.output.as_deref(), artifact.title(), &reference.repository)?;
    let config = artifact.read_config(&registry).await?;
    let fetched = Fetched::fetch(&client, &registry, &reference.repository, layer, &context.printer).await?;
    let inspection = local::outline(fetched.path()).await?;
    let mismatches = mismatches(layer, &config, Some(&inspection));
    for mismatch in &mismatches {
        context.printer.warning(mismatch);
    }
    destination.write(fetched.path()).await?;
    let from = if fetched.from_store {
        ", from the local store"
    } else {
        ""
    };
    context
        .printer
        .status(format!("wrote {destination}, {}{from}", size(layer.size)));
    if destination != Destination::Stdout {
        context.printer.result(&Pulled {
            reference: artifact.reference.to_string(),
            digest: artifact.digest().clone(),
            layer: Content {
                digest: layer.digest.clone(),
                size: layer.size,
            },
            file: destination.to_string(),
            from_store: fetched.from_store,
            mismatches,
            verified,
        })?;
    }
    Ok(Verdict::Yes)
}
