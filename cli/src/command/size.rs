//! `wreg size`.

use std::{num::NonZeroUsize, thread};

use wreg_component::analyse;

use super::Verdict;
use crate::{
    context::Context,
    error::CliError,
    given::Named,
    output::{Sizes, Wasm, size},
};

/// Show what takes the space in a component or module
///
/// Code, data, custom sections and the rest; each core module in it; and the custom sections by name: debugging information, names
/// of functions, and what else tools leave. What exists here is a file; everything else is a reference.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  sizes, and what part of the whole each is; the largest modules and sections first, 20 of each (all of them with --format json)

Examples:
  wreg size hello.wasm
  wreg size localhost:5000/acme/hello:1.0.0
  wreg size hello.wasm --format json | jq .space.code")]
pub(crate) struct Args {
    /// A file, - for stdin, or host/repository:tag, @digest or @^1.2
    #[arg(value_name = "REFERENCE|FILE")]
    what: String,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    let named = Named::parse(&args.what, context)?;
    let [given] = Named::read_all([&named], context).await?;
    let bytes = given.local.bytes.clone();
    let threads = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let analysed = tokio::task::spawn_blocking(move || analyse(&bytes, threads)).await;
    let analysed = analysed.map_err(|error| CliError::failed("cannot measure").because(error))?;
    let analysis =
        analysed.map_err(|invalid| CliError::no(format!("{} cannot be measured", given.name)).because(invalid))?;
    let debugging = analysis
        .sections
        .iter()
        .filter(|section| section.name.starts_with(".debug_"));
    let debugging: u64 = debugging.map(|section| section.size).sum();
    context.printer.result(&Sizes {
        name: given.name,
        kind: Wasm::from_bytes(&analysis.inspection).kind,
        size: analysis.inspection.size,
        digest: given.local.digest,
        space: analysis.space,
        modules: analysis.modules,
        sections: analysis.sections,
    })?;
    if debugging > 0 {
        context.printer.hint(format!(
            "{} of it are for debuggers; a release build, or `wasm-tools strip`, leaves them out",
            size(debugging)
        ));
    }
    Ok(Verdict::Yes)
}
