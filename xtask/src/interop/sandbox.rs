//! Where clients run: a folder and a home of their own, nothing of this machine's user.

use std::{
    env,
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use super::client::Client;

/// Seconds that a step may take, a guard against clients that wait for ever.
const PATIENCE: &str = "300";

/// The folder of one run.
pub(super) struct Sandbox {
    folder: PathBuf,
    fixtures: PathBuf,
}

impl Sandbox {
    /// Everything goes below `folder`. Components come from `fixtures`.
    pub(super) fn new(folder: PathBuf, fixtures: PathBuf) -> Self {
        Self { folder, fixtures }
    }

    /// A folder in it.
    pub(super) fn folder(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Puts a program on the `PATH` of all clients.
    pub(super) fn offer(&self, name: &str, program: &Path) -> Result<()> {
        let bin = self.folder("bin");
        fs::create_dir_all(&bin).with_context(|| format!("making {}", bin.display()))?;
        symlink(program, bin.join(name)).with_context(|| format!("a link to {}", program.display()))
    }

    /// Puts a shell script on the `PATH` of all clients.
    pub(super) fn offer_script(&self, name: &str, text: &str) -> Result<()> {
        let script = self.folder("bin").join(name);
        fs::write(&script, text).with_context(|| format!("writing {}", script.display()))?;
        fs::set_permissions(&script, Permissions::from_mode(0o755)).context("making it a program")
    }

    /// Runs the steps of a client, all of them: what each said, if it failed.
    pub(super) fn run(&self, client: &Client, variables: &[(&str, &str)]) -> Result<Vec<Result<(), String>>> {
        let folder = self.folder(client.name);
        for part in ["home", "run", "work"] {
            fs::create_dir_all(folder.join(part))?;
        }
        for (fixture, name) in [("rust.wasm", "hello.wasm"), ("python.wasm", "large.wasm")] {
            fs::copy(self.fixtures.join(fixture), folder.join("work").join(name))?;
        }
        let path = env::var_os("PATH").unwrap_or_default();
        let own = [folder.join("home/bin"), self.folder("bin")];
        let path = env::join_paths(own.into_iter().chain(env::split_paths(&path)))?;
        let run = |lines: &str| -> Result<Result<(), String>> {
            // `timeout` ends all that the step has started.
            let mut shell = Command::new("timeout");
            shell
                .args(["--kill-after=10", PATIENCE, "bash", "-euo", "pipefail", "-c"])
                .arg(format!("exec 2>&1\n{lines}"))
                .current_dir(folder.join("work"))
                .stdin(Stdio::null())
                .env_clear()
                .env("PATH", &path)
                .env("HOME", folder.join("home"))
                .env("XDG_RUNTIME_DIR", folder.join("run"))
                .env("TMPDIR", folder.join("run"))
                .env("LC_ALL", "C.UTF-8")
                // What `prepare` has set for the steps.
                .env("BASH_ENV", folder.join("home/.env"))
                .envs(variables.iter().copied());
            let output = shell.output().context("starting a step")?;
            if output.status.success() {
                return Ok(Ok(()));
            }
            Ok(Err(format!(
                "{}\n{}",
                output.status,
                String::from_utf8_lossy(&output.stdout)
            )))
        };
        if let Err(said) = run(client.prepare)? {
            bail!("preparing: {said}");
        }
        let mut results = Vec::new();
        for step in client.steps {
            let result = run(step.run)?;
            match &result {
                Ok(()) => println!("ok      {}", step.does.word()),
                Err(said) => println!("FAILED  {}\n{}\n{said}", step.does.word(), step.run),
            }
            results.push(result);
        }
        Ok(results)
    }
}
