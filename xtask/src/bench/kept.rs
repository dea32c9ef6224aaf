//! A server to measure, as a process that ends with this one.
//!
//! As with PostgreSQL, a small shell script keeps it and waits on its standard input, which this program holds open: however this
//! program ends, the script ends the server.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpStream},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

const KEEPER: &str = r#"
log=$1
shift
"$@" >"$log" 2>&1 </dev/null &
trap '' HUP INT TERM
echo $!
read -r _
kill -TERM $!
wait $! 2>/dev/null
"#;

/// How long a server may take until it listens.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that runs. Dropping it stops it.
pub(super) struct Kept {
    pub(super) pid: u32,
    pub(super) address: SocketAddr,
    keeper: Child,
    input: Option<ChildStdin>,
}

impl Kept {
    /// Starts a command that will listen on that address, and waits until it does. What it says goes to that file.
    pub(super) fn start(command: &Command, address: SocketAddr, log: &Path) -> Result<Self> {
        let mut keeper = Command::new("/bin/sh");
        keeper
            .args(["-c", KEEPER, "keeper"])
            .args([log.as_os_str(), command.get_program()])
            .args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => keeper.env(name, value),
                None => keeper.env_remove(name),
            };
        }
        // A group of its own: an interrupt at the terminal is for this program, and the keeper learns of its end.
        let mut keeper = keeper
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let input = keeper.stdin.take();
        let mut said = String::new();
        BufReader::new(keeper.stdout.take().context("standard output is piped")?).read_line(&mut said)?;
        let kept = Self {
            pid: said.trim().parse().context("the number of a process")?,
            address,
            keeper,
            input,
        };
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            if !kept.is_running() || began.elapsed() > PATIENCE {
                let said = fs::read_to_string(log).unwrap_or_default();
                bail!("{} did not start:\n{said}", command.get_program().display());
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(kept)
    }

    fn is_running(&self) -> bool {
        let state = fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap_or_default();
        !state.is_empty() && !state.contains(") Z ")
    }

    /// It and the processes that it has started.
    pub(super) fn pids(&self) -> Vec<u32> {
        let children = PathBuf::from(format!("/proc/{0}/task/{0}/children", self.pid));
        let children = fs::read_to_string(children).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|pid| pid.parse().ok());
        [self.pid].into_iter().chain(children).collect()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        drop(self.input.take());
        drop(self.keeper.wait());
    }
}
