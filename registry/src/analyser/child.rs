//! What runs in the process of an analysis.

use std::{
    io::{self, Read as _, Write as _},
    num::NonZeroUsize,
    process::ExitCode,
    thread,
};

use rustix::{
    fs::fstat,
    process::{Resource, Rlimit, setrlimit},
};
use serde::Serialize;
use wreg_component::{analyse, compare};

use super::{Compared, MAX_BYTES, MAX_MEMORY, MAX_SECONDS, Outcome, Texts};

/// More threads than this gain nothing: most files are a few megabytes.
const MAX_THREADS: NonZeroUsize = NonZeroUsize::new(4).expect("it is not zero");

/// Analyses what standard input holds, and writes the outcome to standard output as JSON. Whatever ends it before is told by how it ended.
pub(crate) fn run() -> ExitCode {
    answer(read)
}

/// Compares the two interfaces that standard input holds as JSON, in the same way.
pub(crate) fn run_comparison() -> ExitCode {
    answer(|| {
        let texts: Texts = serde_json::from_reader(io::stdin().lock().take(MAX_BYTES))?;
        Ok(match compare(&texts.old, &texts.new) {
            Ok(comparison) => Compared::Comparison(comparison),
            Err(error) => Compared::Incomparable(error.to_string()),
        })
    })
}

fn answer<T: Serialize>(work: impl FnOnce() -> io::Result<T>) -> ExitCode {
    let done = limit().map_err(io::Error::from).and_then(|()| {
        let outcome = work()?;
        let mut out = io::stdout().lock();
        serde_json::to_writer(&mut out, &outcome)?;
        out.flush()
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// From here on the kernel ends this process where it takes more than it may.
fn limit() -> rustix::io::Result<()> {
    let at_most = |most| Rlimit {
        current: Some(most),
        maximum: Some(most),
    };
    setrlimit(Resource::Data, at_most(MAX_MEMORY))?;
    setrlimit(Resource::Cpu, at_most(MAX_SECONDS))?;
    // No file of a process that died of it, and no descriptors beyond the three.
    setrlimit(Resource::Core, at_most(0))
}

fn read() -> io::Result<Outcome> {
    // As a file, of which it is known how long it is; or a pipe, which says that it is nothing yet.
    let length = u64::try_from(fstat(io::stdin())?.st_size).unwrap_or_default();
    let mut bytes = Vec::with_capacity(usize::try_from(length.min(MAX_BYTES + 1)).unwrap_or_default());
    io::stdin().lock().take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Ok(Outcome::Failed(format!("it has more than {MAX_BYTES} bytes")));
    }
    let threads = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    Ok(match analyse(&bytes, threads.min(MAX_THREADS)) {
        Ok(analysis) => Outcome::Analysed(Box::new(analysis)),
        Err(invalid) => Outcome::Invalid(invalid),
    })
}
