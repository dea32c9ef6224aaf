//! The server as a process of its own.

mod builder;
#[cfg(test)]
mod tests;

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, ExitStatus},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

pub use self::builder::{Builder, RefusedToStart, program, without_settings};
use crate::{
    Log,
    output::{Lines, Output},
};

/// How long a server may be silent before a test gives up. A guard against hanging, not a measure.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running `wreg-registry`. Dropping it ends the process and asserts that it left no upload behind.
#[derive(Debug)]
pub struct RegistryProcess {
    child: Child,
    stdout: Output,
    stderr: Output,
    lines: Lines,
    errors: Lines,
    scheme: &'static str,
    address: SocketAddr,
    data: PathBuf,
    may_leave_uploads: bool,
    _temporary: Option<TempDir>,
}

impl RegistryProcess {
    /// Starts a server with an empty data folder on a free port of 127.0.0.1, and returns once it listens.
    pub fn start() -> Self {
        Builder::default().start()
    }

    /// Starts a server in another way.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as `http://127.0.0.1:PORT`; `https` where it has a certificate.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Its data folder.
    pub fn data_dir(&self) -> &Path {
        &self.data
    }

    /// The admin token that it made at its first start.
    #[expect(clippy::disallowed_methods, reason = "a small file of our own server, in a test")]
    pub fn admin_token(&self) -> String {
        let file = self.data.join("admin-token");
        let token = fs::read_to_string(&file).unwrap_or_else(|error| panic!("reading {}: {error}", file.display()));
        token.trim().to_owned()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote to standard output so far.
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// What it wrote to standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Its log, to be told where the server is not at hand.
    pub fn log(&self) -> Log {
        Log::new(self.address, self.stderr.clone())
    }

    /// Sends SIGTERM, without waiting: for tests of what happens while it drains.
    pub fn ask_to_stop(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("the process is there until it is waited for");
    }

    /// Sends SIGTERM and waits for the end.
    pub fn terminate(mut self) -> ExitStatus {
        self.ask_to_stop();
        self.wait()
    }

    /// Waits until it ends, asked or not. What it wrote is complete then.
    pub fn wait(&mut self) -> ExitStatus {
        assert!(
            self.lines.wait_for_close(PATIENCE) && self.errors.wait_for_close(PATIENCE),
            "the server does not end\n{}",
            self.everything()
        );
        self.child.wait().expect("a child can be waited for")
    }

    /// Ends it at once, as a crash would (SIGKILL).
    pub fn kill(mut self) {
        self.may_leave_uploads = true;
        self.end();
    }

    fn end(&mut self) {
        // Already ended is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// All that it wrote. The trouble comes first: of a long output not all may be kept.
    fn everything(&self) -> String {
        format!(
            "{}\n--- its standard output\n{}--- its standard error\n{}---",
            self.log(),
            self.stdout(),
            self.stderr()
        )
    }
}

impl Drop for RegistryProcess {
    fn drop(&mut self) {
        self.end();
        if thread::panicking() {
            let everything = self.everything();
            // Into the captured output of the failed test.
            #[expect(clippy::print_stderr, reason = "the test runner shows it with the failure")]
            {
                eprintln!("the server of the failed test:\n{everything}");
            }
        } else if !self.may_leave_uploads {
            let left = files_under(&self.data.join("uploads"));
            assert!(left.is_empty(), "the server left uploads behind: {left:?}");
        }
    }
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = folder.read_dir() else {
        return Vec::new();
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths
        .flat_map(|path| if path.is_dir() { files_under(&path) } else { vec![path] })
        .collect()
}
