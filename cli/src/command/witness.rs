//! `wreg witness`.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::{net::TcpListener, sync::mpsc};
use wreg_trust::log::{NoteKey, Verifier, note::Kind};

use super::{Verdict, interrupted, key};
use crate::{
    context::Context,
    error::CliError,
    output::{Printer, Witnessing},
    witness::{self, MemoryError, News, Witness},
};

/// How much may be left to be told.
const NEWS: usize = 1000;

/// Sign the checkpoints of other people's logs, as long as those only grow
///
/// A registry writes every change into a log, and signs how long it is and the hash of all of it: a checkpoint. A witness signs it too if
/// the log has proved that it only grew since the last time. Two organisations that are each other's witnesses can show everybody that
/// neither has taken anything back, nor shown different logs to different people.
///
/// It speaks the protocol of C2SP tlog-witness over plain http: what it answers is signed. POST /add-checkpoint adds a checkpoint, and
/// GET /<sha256 of the origin in hexadecimal>/checkpoint shows the last one that it has signed. It runs until it is ended with ctrl-c or SIGTERM.
///
/// Keep the folder of --state: a witness that forgets what it has signed would sign anything that comes next.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  where it listens, its public key, and how much it has signed of each log

Examples:
  wreg key generate witness --witness witness.example
  curl -s https://registry.example/.well-known/wreg/trust.json     # .log.key is the key of the registry's log
  wreg witness --key witness.key --log registry.example/log+1a2b3c4d+AZ… --state witness-state
  WREG_WITNESSES=\"http://127.0.0.1:7900 $(cat witness.pub)\" wreg-registry")]
pub(crate) struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7900")]
    listen: SocketAddr,
    /// The private key that it signs with: a file that `wreg key generate --witness` has made
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The public key of a log that it watches: origin+hash+base64. More than one can be given
    #[arg(long = "log", value_name = "KEY", required = true, value_parser = log_key)]
    logs: Vec<Verifier>,
    /// The folder where it remembers what it has signed; one witness at a time uses it
    #[arg(long, value_name = "FOLDER")]
    state: PathBuf,
}

fn log_key(text: &str) -> Result<Verifier, String> {
    let key: Verifier = text.parse().map_err(|malformed| format!("{malformed}"))?;
    let is_of_log = key.kind() == Kind::Plain;
    is_of_log
        .then_some(key)
        .ok_or_else(|| "it is the key of a witness, and one of a log is wanted".to_owned())
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    let key = read_key(&args.key)?;
    let (news, mut told) = mpsc::channel(NEWS);
    let witness = Witness::open(key, args.logs, &args.state, news).map_err(not_opened)?;
    let listener = TcpListener::bind(args.listen).await;
    let listener =
        listener.map_err(|error| CliError::failed(format!("cannot listen on {}", args.listen)).because(error))?;
    let address = listener
        .local_addr()
        .map_err(|error| CliError::failed("cannot tell where it listens").because(error))?;
    let witness = Arc::new(witness);
    let printer = &context.printer;
    let serving = witness::serve(Arc::clone(&witness), listener, async {
        interrupted().await;
    });
    let telling = async {
        printer.result(&Witnessing {
            url: format!("http://{address}"),
            key: witness.key().to_string(),
            logs: witness.logs(),
        })?;
        while let Some(news) = told.recv().await {
            tell(printer, &news);
        }
        Ok(())
    };
    tokio::select! {
        // It waits for signals before anybody is told that there is something to end.
        biased;
        () = serving => Ok(Verdict::Yes),
        failed = telling => failed.map(|()| Verdict::Yes),
    }
}

fn tell(printer: &Printer, news: &News) {
    match news {
        News::Did(text) => printer.note(text),
        News::Alarm(text) => printer.warning(text),
    }
}

fn read_key(path: &Path) -> Result<NoteKey, CliError> {
    let text = key::read(path)?;
    let wrong = || {
        CliError::usage(format!("{} holds no key of a witness", path.display()))
            .hint("`wreg key generate witness --witness witness.example` makes witness.key and witness.pub")
    };
    let key = NoteKey::from_text(&text).map_err(|error| wrong().because(error))?;
    if key.verifier().kind() != Kind::Witness {
        return Err(wrong());
    }
    Ok(key)
}

fn not_opened(error: MemoryError) -> CliError {
    let hint = match &error {
        MemoryError::InUse { .. } => {
            "give each witness a folder of its own, and end the one that runs before another takes it over"
        }
        MemoryError::Folder { .. } => "give a folder that can be written with --state",
        MemoryError::Read { .. } | MemoryError::Corrupt { .. } => {
            "put it back from a backup: a witness that has forgotten what it has signed would sign anything"
        }
    };
    CliError::failed("the witness does not know what it has signed")
        .because(error)
        .hint(hint)
}
