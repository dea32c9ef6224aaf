//! How a server is started.

use std::{
    env,
    ffi::{OsStr, OsString},
    fmt,
    net::SocketAddr,
    path::PathBuf,
    process::{Command, ExitStatus, Stdio},
};

use super::{PATIENCE, RegistryProcess};
use crate::output::Output;

/// How to start a server.
#[derive(Debug, Default)]
pub struct Builder {
    command: Option<Command>,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    data: Option<PathBuf>,
    may_leave_uploads: bool,
}

/// A server that ended before it listened.
#[derive(Debug)]
pub struct RefusedToStart {
    /// How the process ended.
    pub status: ExitStatus,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Builder {
    /// One more argument of the command line.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// A variable of its environment.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment
            .push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// A data folder that outlives the process, for starting again on it. Otherwise it is temporary.
    #[must_use]
    pub fn data_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.data = Some(folder.into());
        self
    }

    /// For a test that ends with an upload open.
    #[must_use]
    pub fn may_leave_uploads(mut self) -> Self {
        self.may_leave_uploads = true;
        self
    }

    /// Another program than the server that was built.
    #[cfg(test)]
    pub(super) fn command(mut self, command: Command) -> Self {
        self.command = Some(command);
        self
    }

    /// Starts it, and returns once it listens. Panics if it does not.
    pub fn start(self) -> RegistryProcess {
        self.try_start()
            .unwrap_or_else(|refused| panic!("the server did not start: {refused}"))
    }

    /// Starts it, and returns once it listens or has ended.
    pub fn try_start(self) -> Result<RegistryProcess, RefusedToStart> {
        let temporary = self
            .data
            .is_none()
            .then(|| tempfile::tempdir().expect("a temporary folder can be made"));
        let data = temporary
            .as_ref()
            .map_or_else(|| self.data.unwrap_or_default(), |folder| folder.path().join("data"));
        let mut command = self.command.unwrap_or_else(|| Command::new(program()));
        without_settings(&mut command)
            .arg("--data-dir")
            .arg(&data)
            .args(["--listen", "127.0.0.1:0"])
            .args(self.arguments);
        // What the registry puts beside artifacts by itself would be in the way of tests that count what is there.
        command
            .env("WREG_SIGNING", "off")
            .envs(self.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let started = command.spawn();
        let mut child = started.unwrap_or_else(|error| panic!("starting {}: {error}", command.get_program().display()));
        let (stdout, lines) = Output::collect(child.stdout.take().expect("standard output is piped"));
        let (stderr, errors) = Output::collect(child.stderr.take().expect("standard error is piped"));

        let Some((scheme, address)) = lines.find(PATIENCE, address_in) else {
            // Silent for too long, or ended: in both cases it is to be gone, with all that it had to say.
            let _ = child.kill();
            let status = child.wait().expect("a child can be waited for");
            errors.wait_for_close(PATIENCE);
            return Err(RefusedToStart {
                status,
                stderr: stderr.text(),
            });
        };
        let may_leave_uploads = self.may_leave_uploads;
        Ok(RegistryProcess {
            child,
            stdout,
            stderr,
            lines,
            errors,
            scheme,
            address,
            data,
            may_leave_uploads,
            _temporary: temporary,
        })
    }
}

impl fmt::Display for RefusedToStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.status, self.stderr)
    }
}

/// The server's program, for a test that starts it in a way of its own: the one that the task runner built, else the one beside this
/// test.
#[expect(
    clippy::disallowed_methods,
    reason = "the task runner speaks to tests through the environment"
)]
pub fn program() -> PathBuf {
    if let Some(program) = env::var_os("WREG_REGISTRY_BIN").filter(|program| !program.is_empty()) {
        return program.into();
    }
    let test = env::current_exe().expect("a test knows its own file");
    let folders = test.ancestors().skip(1).take(2);
    let name = format!("wreg-registry{}", env::consts::EXE_SUFFIX);
    let mut candidates = folders.map(|folder| folder.join(&name));
    candidates
        .find(|file| file.is_file())
        .expect("no wreg-registry beside this test: run cargo xtask test, or cargo build first")
}

/// Keeps settings of wreg that this process has (`WREG_…`) from the command: a test says what its programs are told.
#[expect(clippy::disallowed_methods, reason = "it is about the environment")]
pub fn without_settings(command: &mut Command) -> &mut Command {
    let names = env::vars_os().map(|(name, _)| name);
    names
        .filter(|name| name.as_encoded_bytes().starts_with(b"WREG_"))
        .fold(command, |command, name| command.env_remove(name))
}

/// Scheme and address in the line `listening on http://127.0.0.1:PORT`, whatever stands around it.
pub(super) fn address_in(line: &str) -> Option<(&'static str, SocketAddr)> {
    let (_, rest) = line.split_once("listening on ")?;
    let (scheme, rest) = ["http", "https"]
        .into_iter()
        .find_map(|scheme| Some((scheme, rest.strip_prefix(scheme)?.strip_prefix("://")?)))?;
    let end = rest
        .find(|c: char| !(c.is_ascii_hexdigit() || ".:[]".contains(c)))
        .unwrap_or(rest.len());
    Some((scheme, rest[..end].parse().ok()?))
}
