//! `wreg key`.

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use clap::Subcommand;
use wreg_trust::{
    anchors::{AnchorKey, KeyState},
    log::{NoteKey, note::Kind},
    signature::SigningKey,
};

use super::Verdict;
use crate::{
    context::Context,
    error::CliError,
    files,
    output::{KeyPair, PublishedKey, PublishedKeys, time},
};

/// The largest file of a key, in bytes.
const MAX_KEY: u64 = 64 << 10;

/// Make keys to sign with, and show those of a registry
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Generate(Generate),
    Show(Show),
}

/// Show the key that a registry signs with
///
/// As it says it now: compare it with what its operator tells you by another way, or with `wreg trust show`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  the public key in PEM, as `cosign verify --key` takes it; with --format json all keys, and who checks the log

Examples:
  wreg key show localhost:5000 > cosign.pub
  cosign verify --key cosign.pub --insecure-ignore-tlog=true localhost:5000/acme/hello:1.2.0")]
struct Show {
    /// The registry, host or host:port [default: `WREG_REGISTRY`]
    registry: Option<String>,
}

/// Make a key to sign with, and the one to verify with
///
/// Writes NAME.key, which only you may read, and NAME.pub, which is for everybody: ECDSA over P-256, as PEM. No file is replaced. The
/// private key has no password: keep it where secrets are kept.
///
/// With --witness it is a key for `wreg witness`: Ed25519, each half as the line of text that logs and witnesses give each other.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  the names of the two files; with --witness the public key too

Examples:
  wreg key generate acme
  wreg sign localhost:5000/acme/hello:1.2.0 --key acme.key
  wreg key generate witness --witness witness.example")]
struct Generate {
    /// The files without .key and .pub
    name: PathBuf,
    /// Make a key for a witness of this name: a host of yours, and a path if there are several
    #[arg(long, value_name = "NAME")]
    witness: Option<String>,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    match args.action {
        Action::Generate(args) => generate(args, context),
        Action::Show(args) => show(args, context).await,
    }
}

async fn show(args: Show, context: &mut Context) -> Result<Verdict, CliError> {
    let host = context.host(args.registry.as_deref())?;
    let registry = context.client(std::slice::from_ref(&host))?.registry(&host)?;
    let anchors = registry.anchors().await?;
    let anchors = anchors.ok_or_else(|| CliError::no(format!("{host} tells no keys: it is no registry that signs")))?;
    let shown = |key: &AnchorKey| PublishedKey {
        hint: key.key.hint(),
        state: match key.state {
            KeyState::Next => "next",
            KeyState::Active => "active",
            KeyState::Retired => "retired",
        },
        created: time(key.created_at),
        key: key.key.to_string(),
    };
    context.printer.result(&PublishedKeys {
        registry: host.to_string(),
        keys: anchors.keys.iter().map(shown).collect(),
        log: anchors.log.map(|log| log.key),
    })?;
    Ok(Verdict::Yes)
}

fn generate(Generate { name, witness }: Generate, context: &mut Context) -> Result<Verdict, CliError> {
    let made = match witness {
        Some(witness) => for_witness(&witness)?,
        None => for_artifacts()?,
    };
    let [private, public] = [".key", ".pub"].map(|ending| {
        let mut file = name.clone().into_os_string();
        file.push(ending);
        PathBuf::from(file)
    });
    // Both or none: a public key without its private one is of no use.
    write_new(&public, made.public.as_bytes(), 0o644)?;
    if let Err(error) = write_new(&private, made.private.as_bytes(), 0o600) {
        drop(std::fs::remove_file(&public));
        return Err(error);
    }
    context.printer.result(&KeyPair {
        private: private.display().to_string(),
        public: public.display().to_string(),
        hint: made.hint,
        verifier: made.verifier,
    })?;
    Ok(Verdict::Yes)
}

/// A new key.
struct Made {
    /// What goes into the files.
    private: String,
    public: String,
    /// What signatures name it by.
    hint: String,
    /// The public half as one line, for keys that have it.
    verifier: Option<String>,
}

fn for_artifacts() -> Result<Made, CliError> {
    let key = SigningKey::generate();
    let private = key
        .to_pem()
        .map_err(|error| CliError::failed("cannot write the key").because(error))?;
    Ok(Made {
        private,
        public: key.public_key().to_string(),
        hint: key.public_key().hint(),
        verifier: None,
    })
}

fn for_witness(name: &str) -> Result<Made, CliError> {
    let key = NoteKey::generate(name, Kind::Witness).map_err(|error| {
        CliError::usage(format!("{name:?} cannot be the name of a witness"))
            .because(error)
            .hint("write a host of yours, such as witness.example, with a path behind it if there are several")
    })?;
    let verifier = key.verifier();
    Ok(Made {
        private: format!("{}\n", key.to_text()),
        public: format!("{verifier}\n"),
        hint: format!("{:08x}", u32::from_be_bytes(verifier.id())),
        verifier: Some(verifier.to_string()),
    })
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
