//! `wreg wit`.

use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use wreg_component::{FolderFile, wit_folder};

use super::Verdict;
use crate::{
    context::Context,
    error::CliError,
    given::{Given, Named},
    output::{Wit, WitFolder},
};

/// Show or write the WIT of a component or WIT package
///
/// Without --output it is the text: the main package, then every other package that it mentions. With --output it is a folder, as
/// bindings generators and wasm-tools read it: the main package in world.wit, every other package in a folder of its own under deps.
/// A component carries no name for its main package, which is called root:component, and its world root.
///
/// What exists here is a file; everything else is a reference.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  the WIT text and nothing else; with --output the paths of the files that were written, one a line

Examples:
  wreg wit hello.wasm
  wreg wit localhost:5000/acme/hello:1.0.0 -o wit
  wreg wit localhost:5000/acme/hello:1.0.0 --format json")]
pub(crate) struct Args {
    /// A file, - for stdin, or host/repository:tag, @digest or @^1.2
    #[arg(value_name = "REFERENCE|FILE")]
    what: String,
    /// The folder to write; it must not be there yet, or be empty
    #[arg(long, short, value_name = "FOLDER")]
    output: Option<PathBuf>,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    if let Some(folder) = &args.output {
        check_is_free(folder)?;
    }
    let named = Named::parse(&args.what, context)?;
    let [given] = Named::read_all([&named], context).await?;
    match args.output {
        Some(folder) => write(&given, folder, context).await,
        None => show(&given, context).await,
    }
}

/// Writes the WIT text to stdout.
pub(super) async fn show(given: &Given, context: &Context) -> Result<Verdict, CliError> {
    let wit = given.wit().await?;
    let wit = wit.map_err(|invalid| CliError::no("there is no WIT to show").because(invalid))?;
    if wit.truncated {
        context
            .printer
            .warning("the WIT text is longer than 2 MiB, and only its beginning is shown");
    }
    context.printer.result(&Wit {
        digest: given.local.digest.clone(),
        text: wit.text,
        truncated: wit.truncated,
    })?;
    Ok(Verdict::Yes)
}

async fn write(given: &Given, folder: PathBuf, context: &Context) -> Result<Verdict, CliError> {
    let cannot = |folder: &Path| CliError::failed(format!("cannot write {}", folder.display()));
    let bytes = given.local.bytes.clone();
    let target = folder.clone();
    let written = tokio::task::spawn_blocking(move || {
        wit_folder(&bytes).map(|files| write_folder(&target, &files).map(|()| files))
    });
    let written = written.await.map_err(|error| cannot(&folder).because(error))?;
    let written = written.map_err(|invalid| CliError::no("there is no WIT to write").because(invalid))?;
    let files = written.map_err(|error| cannot(&folder).because(error))?;
    context.printer.result(&WitFolder {
        digest: given.local.digest.clone(),
        files: files
            .iter()
            .map(|file| folder.join(&file.path).display().to_string())
            .collect(),
        folder: folder.display().to_string(),
    })?;
    Ok(Verdict::Yes)
}

/// Refuses, before anything is fetched, a folder that has something in it.
fn check_is_free(folder: &Path) -> Result<(), CliError> {
    match fs::read_dir(folder).map(|mut entries| entries.next()) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Ok(None) => Ok(()),
        Ok(Some(_)) => Err(
            CliError::usage(format!("there is something in {} already", folder.display()))
                .hint("name another folder, or remove this one first"),
        ),
        Err(error) => Err(CliError::failed(format!("cannot write {}", folder.display())).because(error)),
    }
}

/// Writes all files, or none: the folder gets its name when it is whole.
fn write_folder(folder: &Path, files: &[FolderFile]) -> io::Result<()> {
    let beside = match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".wreg-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
    let temporary = builder.tempdir_in(beside)?;
    for file in files {
        let path = temporary.path().join(&file.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, &file.text)?;
    }
    fs::rename(temporary.path(), folder)?;
    // It is not temporary any more.
    let _ = temporary.keep();
    Ok(())
}
