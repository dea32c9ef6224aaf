//! Running that process: a few at a time, each with an end.

use std::{
    io,
    os::unix::process::ExitStatusExt as _,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::{ChildStdin, Command},
    sync::Semaphore,
    time::timeout,
};

use super::{BoxError, ByteStream, Compared, Input, MAX_MEMORY, MAX_SECONDS, Outcome, Texts};

/// How many run at a time at most. Each may take [`MAX_MEMORY`].
const AT_ONCE: usize = 2;

/// The longest answer, in bytes. An ordinary one has some kilobytes.
const MAX_ANSWER: u64 = 16 << 20;

/// How long it may take altogether. Its processor time is limited by itself; this is for a machine that has none to give, and for storage
/// that stalls.
const PATIENCE: Duration = Duration::from_mins(1);

/// Why there is no outcome: not the fault of the bytes, and it may be tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    /// The bytes could not be read.
    #[error("the layer could not be read")]
    Read(#[source] BoxError),
    /// The process could not be run, or answered nothing that can be read.
    #[error("the process that analyses could not be run")]
    Process(#[source] io::Error),
    /// Nothing came within a minute.
    #[error("the analysis took too long")]
    TooLong,
}

/// Runs analyses. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Analyser {
    program: Arc<PathBuf>,
    places: Arc<Semaphore>,
}

impl Analyser {
    /// Runs `program`, this server's own.
    pub(crate) fn new(program: PathBuf) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self {
            program: Arc::new(program),
            places: Arc::new(Semaphore::new(cores.min(AT_ONCE))),
        }
    }

    /// Analyses the bytes that `open` opens once it is their turn. Dropping the future ends the process.
    pub(crate) async fn analyse<O: Future<Output = Result<Input, BoxError>>>(
        &self,
        open: impl FnOnce() -> O,
    ) -> Result<Outcome, Unanswered> {
        let _place = self.places.acquire().await;
        let run = async {
            let input = open().await.map_err(Unanswered::Read)?;
            self.run("analyse", input).await
        };
        let answer = timeout(PATIENCE, run).await.unwrap_or(Err(Unanswered::TooLong))?;
        match answer {
            Answer::Whole(bytes) => serde_json::from_slice(&bytes).map_err(|error| Unanswered::Process(error.into())),
            Answer::None(why) => Ok(Outcome::Failed(why)),
        }
    }

    /// Compares two interfaces. Dropping the future ends the process.
    pub(crate) async fn compare(&self, texts: &Texts) -> Result<Compared, Unanswered> {
        let json = serde_json::to_vec(texts).map_err(|error| Unanswered::Process(error.into()))?;
        let _place = self.places.acquire().await;
        let run = self.run("compare", Input::Stream(stream::iter([Ok(json.into())]).boxed()));
        let answer = timeout(PATIENCE, run).await.unwrap_or(Err(Unanswered::TooLong))?;
        match answer {
            Answer::Whole(bytes) => serde_json::from_slice(&bytes).map_err(|error| Unanswered::Process(error.into())),
            Answer::None(why) => Ok(Compared::Incomparable(why)),
        }
    }

    async fn run(&self, action: &str, input: Input) -> Result<Answer, Unanswered> {
        let (stdin, bytes) = match input {
            Input::File(file) => (file, None),
            Input::Stream(bytes) => (Stdio::piped(), Some(bytes)),
        };
        let mut child = Command::new(&*self.program)
            .arg(action)
            .env_clear()
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(Unanswered::Process)?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let mut answer = Vec::new();
        let reading = async {
            match stdout {
                Some(stdout) => stdout.take(MAX_ANSWER + 1).read_to_end(&mut answer).await.map(drop),
                None => Ok(()),
            }
        };
        let (written, read) = tokio::join!(write(stdin, bytes), reading);
        written?;
        read.map_err(Unanswered::Process)?;
        if answer.len() as u64 > MAX_ANSWER {
            return Ok(Answer::None("there is more to say of it than can be kept".to_owned()));
        }
        let status = child.wait().await.map_err(Unanswered::Process)?;
        if status.success() {
            return Ok(Answer::Whole(answer));
        }
        ended(status)
            .map(Answer::None)
            .ok_or_else(|| Unanswered::Process(io::Error::other(format!("it ended with {status}"))))
    }
}

/// What a process wrote, or in words why it was ended.
enum Answer {
    Whole(Vec<u8>),
    None(String),
}

/// Hands the bytes over. A process that has ended, or read enough, takes no more: how it ended says why.
async fn write(stdin: Option<ChildStdin>, bytes: Option<ByteStream>) -> Result<(), Unanswered> {
    let (Some(mut stdin), Some(mut bytes)) = (stdin, bytes) else {
        return Ok(());
    };
    while let Some(piece) = bytes.next().await {
        let piece = piece.map_err(Unanswered::Read)?;
        if stdin.write_all(&piece).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// What the kernel ended it for, if that was for the bytes.
fn ended(status: ExitStatus) -> Option<String> {
    let signal = status.signal()?;
    match signal {
        libc::SIGXCPU => Some(format!("it takes more than {MAX_SECONDS} s of processor time")),
        // What Rust does where there is no memory.
        libc::SIGABRT | libc::SIGSEGV => Some(format!("it takes more than {} MiB of memory", MAX_MEMORY >> 20)),
        // RLIMIT_CPU's second limit, which is the same.
        libc::SIGKILL => Some("it takes more time or memory than there is for it".to_owned()),
        _ => None,
    }
}
