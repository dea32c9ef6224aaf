//! `wreg validate`.

use std::path::PathBuf;

use super::Verdict;
use crate::{
    context::Context,
    error::CliError,
    local,
    output::{File, Validated, Wasm},
};

/// Validate WebAssembly files
///
/// Each is validated in full: core modules, components and WIT packages, with WebAssembly 3.0, the component model and its async
/// features. A feature that wasmtime 48 runs only when told to is named separately. Nothing leaves this machine.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  for each file what it is, its world, its imports and its exports, or where and why it is not valid

Exit codes:
  0  all are valid    1  one is not    2  one could not be read

Examples:
  wreg validate hello.wasm
  wreg validate target/*.wasm --format json
  cat hello.wasm | wreg validate -")]
pub(crate) struct Args {
    /// The files; - is stdin
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    let mut files = Vec::new();
    for path in args.files {
        let file = local::name(&path);
        files.push(match local::read(&path).await {
            Ok(Ok(local)) => File::Valid {
                file,
                size: local.inspection.size,
                digest: local.digest,
                wasm: Wasm::from_bytes(&local.inspection).into(),
            },
            Ok(Err(invalid)) => File::Invalid {
                file,
                offset: invalid.offset,
                message: invalid.message,
            },
            Err(error) => {
                context.printer.part_of_error(&error);
                let causes = error.causes();
                File::Unreadable {
                    file,
                    message: causes.into_iter().next().unwrap_or_else(|| error.to_string()),
                }
            }
        });
    }
    let any = |is: fn(&File) -> bool| files.iter().any(is);
    let verdict = if any(|file| matches!(file, File::Unreadable { .. })) {
        Verdict::Unknown
    } else if any(|file| matches!(file, File::Invalid { .. })) {
        Verdict::No
    } else {
        Verdict::Yes
    };
    context.printer.result(&Validated { files })?;
    Ok(verdict)
}
