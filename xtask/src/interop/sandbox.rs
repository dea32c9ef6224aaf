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

    /// A folder to work in, with a home of its own.
    pub(super) fn place(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder(name);
        for part in ["home", "run", "work"] {
            fs::create_dir_all(folder.join(part))?;
        }
        Ok(folder)
    }

    /// Puts a component into such a folder.
    pub(super) fn give(&self, folder: &Path, fixture: &str, name: &str) -> Result<()> {
        let file = folder.join("work").join(name);
        fs::copy(self.fixtures.join(fixture), file).with_context(|| format!("copying {fixture}"))?;
        Ok(())
    }

    /// Runs shell lines in such a folder: what they said, if one failed.
    pub(super) fn shell(&self, folder: &Path, lines: &str, variables: &[(&str, &str)]) -> Result<Result<(), String>> {
        let path = env::var_os("PATH").unwrap_or_default();
        let own = [folder.join("home/bin"), self.folder("bin")];
        let path = env::join_paths(own.into_iter().chain(env::split_paths(&path)))?;
        // `timeout` ends all that the lines have started.
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
    }

    /// Runs the steps of a client, all of them: what each said, if it failed.
    pub(super) fn run(&self, client: &Client, variables: &[(&str, &str)]) -> Result<Vec<Result<(), String>>> {
        let folder = self.place(client.name)?;
        self.give(&folder, "rust.wasm", "hello.wasm")?;
        self.give(&folder, "python.wasm", "large.wasm")?;
        if let Err(said) = self.shell(&folder, client.prepare, variables)? {
            bail!("preparing: {said}");
        }
        let mut results = Vec::new();
        for step in client.steps {
            let result = self.shell(&folder, step.run, variables)?;
            match &result {
                Ok(()) => println!("ok      {}", step.does.word()),
                Err(said) => println!("FAILED  {}\n{}\n{said}", step.does.word(), step.run),
            }
            results.push(result);
        }
        Ok(results)
    }
}
