//! A user: a home of their own, and the command.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
};

use tempfile::TempDir;
use wreg_harness::{RegistryProcess, without_settings};

/// Somebody with a home folder, credentials, a local store and a folder to work in, all their own.
#[derive(Debug)]
pub(crate) struct User {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

/// What a run of the command came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl User {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        for name in ["home", "work", "tmp"] {
            fs::create_dir(folder.path().join(name)).expect("a folder in a new folder can be made");
        }
        Self {
            folder,
            variables: Vec::new(),
        }
    }

    /// Somebody who uses this registry with its admin token, without having logged in.
    pub(crate) fn of(registry: &RegistryProcess) -> Self {
        Self::new().with("WREG_TOKEN", registry.admin_token())
    }

    /// The same user with one more variable in the environment.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// The folder that the command runs in.
    pub(crate) fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// The folder of this user's local store.
    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("home/.cache/wreg")
    }

    /// The folder of docker's configuration.
    pub(crate) fn docker(&self) -> PathBuf {
        self.folder.path().join("home/.docker")
    }

    /// Writes a file into the folder that the command runs in; its name.
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.work().join(name);
        let folder = path.parent().expect("a file is in a folder");
        fs::create_dir_all(folder).expect("a folder can be made");
        fs::write(&path, bytes).expect("a file can be written");
        name.to_owned()
    }

    /// The bytes of a file in the folder that the command runs in.
    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        read(&self.work().join(name))
    }

    /// The names in the folder that the command runs in, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        names(&self.work())
    }

    /// The command, ready to be run or changed.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wreg"));
        without_settings(&mut command)
            .args(arguments)
            .current_dir(self.work())
            .env("HOME", self.folder.path().join("home"))
            .env("TMPDIR", self.folder.path().join("tmp"))
            .stdin(Stdio::null());
        for name in [
            "DOCKER_CONFIG",
            "REGISTRY_AUTH_FILE",
            "XDG_CACHE_HOME",
            "XDG_CONFIG_HOME",
            "XDG_RUNTIME_DIR",
            "XDG_STATE_HOME",
            "SOURCE_DATE_EPOCH",
            "NO_COLOR",
            "WKG_CONFIG_FILE",
        ] {
            command.env_remove(name);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs the command to its end. It must leave no temporary file.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        let output = self.command(arguments).output().expect("the command can be started");
        self.checked(output)
    }

    /// Runs the command with `input` on stdin.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Run {
        let mut command = self.command(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command can be started");
        let mut stdin = child.stdin.take().expect("stdin is piped");
        let input = input.to_vec();
        // The command may end before it has read everything.
        let writer = thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output().expect("a child can be waited for");
        let _ = writer.join().expect("writing does not panic");
        self.checked(output)
    }

    fn checked(&self, output: Output) -> Run {
        assert_eq!(
            names(&self.folder.path().join("tmp")),
            [""; 0],
            "temporary files are left"
        );
        assert!(
            !self.names().iter().any(|name| name.starts_with(".wreg")),
            "temporary files are left"
        );
        Run::from(output)
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let stderr = String::from_utf8(output.stderr).expect("stderr is text");
        assert!(!stderr.contains("panicked"), "{stderr}");
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: output.stdout,
            stderr,
        }
    }
}

impl Run {
    /// stdout as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).expect("stdout is text")
    }

    /// The only line of stdout.
    pub(crate) fn line(&self) -> String {
        let text = self.text();
        let line = text
            .strip_suffix('\n')
            .filter(|line| !line.is_empty() && !line.contains('\n'));
        line.unwrap_or_else(|| panic!("one line is expected: {self:?}"))
            .to_owned()
    }

    /// stdout as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.line()).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts that the answer was yes.
    #[track_caller]
    pub(crate) fn yes(self) -> Self {
        self.ended(0)
    }

    /// Asserts that the answer was no: exit code 1, an error on stderr, nothing on stdout.
    #[track_caller]
    pub(crate) fn no(self) -> Self {
        let run = self.ended(1);
        assert!(run.stderr.starts_with("error: ") && run.stdout.is_empty(), "{run:?}");
        run
    }

    /// Asserts that there was no answer: exit code 2, an error on stderr, nothing on stdout.
    #[track_caller]
    pub(crate) fn unknown(self) -> Self {
        let run = self.ended(2);
        assert!(run.stderr.starts_with("error: ") && run.stdout.is_empty(), "{run:?}");
        run
    }

    /// Asserts that the command line was refused before anything was done, with `words`.
    #[track_caller]
    pub(crate) fn ended_in_usage(self, words: &str) {
        self.unknown().saying(words);
    }

    /// Asserts that stderr has `words`.
    #[track_caller]
    pub(crate) fn saying(self, words: &str) -> Self {
        assert!(self.stderr.contains(words), "{words:?} is expected: {self:?}");
        self
    }

    #[track_caller]
    fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }
}

#[expect(clippy::disallowed_methods, reason = "a small file of a test")]
pub(crate) fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("reading {}: {error}", path.display()))
}

/// The names in a folder, sorted; none if it is not there.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = folder.read_dir().into_iter().flatten();
    let mut names: Vec<_> = entries
        .map(|entry| {
            entry
                .expect("a folder can be listed")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}
