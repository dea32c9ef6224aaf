//! `wreg key`.

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use clap::Subcommand;
use wreg_trust::signature::SigningKey;

use super::Verdict;
use crate::{context::Context, error::CliError, files, output::KeyPair};

/// The largest file of a key, in bytes.
const MAX_KEY: u64 = 64 << 10;

/// Make keys to sign with
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Generate(Generate),
}

/// Make a key to sign with, and the one to verify with
///
/// Writes NAME.key, which only you may read, and NAME.pub, which is for everybody: ECDSA over P-256, as PEM. No file is replaced. The
/// private key has no password: keep it where secrets are kept.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  the names of the two files

Examples:
  wreg key generate acme
  wreg sign localhost:5000/acme/hello:1.2.0 --key acme.key")]
struct Generate {
    /// The files without .key and .pub
    name: PathBuf,
}

pub(super) fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    let Action::Generate(Generate { name }) = args.action;
    let key = SigningKey::generate();
    let pem = key
        .to_pem()
        .map_err(|error| CliError::failed("cannot write the key").because(error))?;
    let [private, public] = [".key", ".pub"].map(|ending| {
        let mut file = name.clone().into_os_string();
        file.push(ending);
        PathBuf::from(file)
    });
    // Both or none: a public key without its private one is of no use.
    write_new(&public, key.public_key().to_string().as_bytes(), 0o644)?;
    if let Err(error) = write_new(&private, pem.as_bytes(), 0o600) {
        drop(std::fs::remove_file(&public));
        return Err(error);
    }
    context.printer.result(&KeyPair {
        private: private.display().to_string(),
        public: public.display().to_string(),
        hint: key.public_key().hint(),
    })?;
    Ok(Verdict::Yes)
}

fn write_new(path: &Path, content: &[u8], mode: u32) -> Result<(), CliError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    let written = options.open(path).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    written.map_err(|error| {
        let failed = CliError::failed(format!("cannot write {}", path.display()));
        if error.kind() == io::ErrorKind::AlreadyExists {
            return failed.because(error).hint("no key is replaced: give another name");
        }
        failed.because(error)
    })
}

/// The text of a key's file.
pub(super) fn read(path: &Path) -> Result<String, CliError> {
    files::read_named(path, MAX_KEY)
}
