//! What every task works with: where things are, and how long each part took.

use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use crate::process;

/// The checkout, the cache folder, and the parts that ran so far.
pub(crate) struct Runner {
    /// The root of the checkout.
    pub(crate) root: PathBuf,
    /// What survives from run to run: `WREG_CACHE`, else `$XDG_CACHE_HOME/wreg`, else `~/.cache/wreg`.
    pub(crate) cache: PathBuf,
    parts: Vec<Part>,
    depth: usize,
}

struct Part {
    name: String,
    depth: usize,
    took: Duration,
    failed: bool,
}

impl Runner {
    /// Finds the checkout and the cache folder, which is made if absent.
    pub(crate) fn new() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("xtask lies in the checkout")?
            .to_owned();
        let cache = cache_folder()?;
        fs::create_dir_all(&cache).with_context(|| format!("making the cache folder {}", cache.display()))?;
        let runner = Self {
            root,
            cache,
            parts: Vec::new(),
            depth: 0,
        };
        runner.claim_target()?;
        Ok(runner)
    }

    /// Removes from the target folder what another checkout built of these packages; what it compiled of their dependencies stays.
    ///
    /// Cargo takes packages of two checkouts for the same ones, and for files outside of a package's own folder, as `tests/api` is, it
    /// looks at those of the checkout that was there before: it would run that one's tests.
    fn claim_target(&self) -> Result<()> {
        let target = self.target();
        let note = target.join(".checkout");
        let here = self.root.as_os_str().as_encoded_bytes();
        if target.starts_with(&self.root) || fs::read(&note).is_ok_and(|last| last == here) {
            return Ok(());
        }
        fs::create_dir_all(&target).with_context(|| format!("making {}", target.display()))?;
        for profile in ["dev", "release"] {
            process::run(
                self.cargo()
                    .args(["clean", "--quiet", "--workspace", "--profile", profile]),
            )?;
        }
        fs::write(&note, here).with_context(|| format!("writing {}", note.display()))
    }

    /// Runs one part of a task under its name, timed. Parts may hold parts.
    pub(crate) fn part<T>(&mut self, name: &str, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        println!("\n== {name}");
        let (index, started) = (self.parts.len(), Instant::now());
        self.parts.push(Part {
            name: name.to_owned(),
            depth: self.depth,
            took: Duration::ZERO,
            failed: false,
        });
        self.depth += 1;
        let outcome = work(self);
        self.depth -= 1;
        let part = &mut self.parts[index];
        part.took = started.elapsed();
        part.failed = outcome.is_err();
        println!(
            "== {name}: {}{}",
            seconds(part.took),
            if part.failed { ", FAILED" } else { "" }
        );
        outcome
    }

    /// Prints what each part took.
    pub(crate) fn print_table(&self) {
        if self.parts.is_empty() {
            return;
        }
        println!("\n{:>10}  part", "took");
        for Part {
            name,
            depth,
            took,
            failed,
        } in &self.parts
        {
            let mark = if *failed { "  FAILED" } else { "" };
            println!("{:>10}  {:indent$}{name}{mark}", seconds(*took), "", indent = depth * 2);
        }
    }

    /// The target folder of every `cargo` run: `CARGO_TARGET_DIR` if the caller set it, else in the cache, outside the checkout.
    pub(crate) fn target(&self) -> PathBuf {
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| self.cache.join("target"), |folder| self.root.join(folder))
    }

    /// `cargo`, in the checkout.
    pub(crate) fn cargo(&self) -> Command {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.root).env("CARGO_TARGET_DIR", self.target());
        for variable in variables_of_cargo_run() {
            cargo.env_remove(variable);
        }
        cargo
    }

    /// Builds the server and the command, for [`Runner::built`] to find. Every task asks for both: for other programs cargo would choose
    /// other features of what they share, and compile all of it once more.
    pub(crate) fn build_programs(&self) -> Result<()> {
        process::run(self.cargo().args(["build", "--bin", "wreg-registry", "--bin", "wreg"]))
    }

    /// Builds both and what measures them, unoptimised. Gives the folder that they are in.
    ///
    /// By way of a test that runs it, and with the whole workspace: for what the tests have built already, there is nothing to compile.
    pub(crate) fn build_tested_bench(&self) -> Result<PathBuf> {
        self.build_programs()?;
        let bench = ["test", "--workspace", "--no-run", "--test", "smoke"];
        process::run(self.cargo().args(bench))?;
        Ok(self.target().join("debug"))
    }

    /// Builds both, and what measures them, as they are released. Gives the folder that they are in.
    pub(crate) fn build_release(&self) -> Result<PathBuf> {
        let programs = ["wreg-registry", "wreg", "wreg-bench"].map(|program| ["--bin", program]);
        let mut cargo = self.cargo();
        process::run(
            cargo
                .args(["build", "--release", "--workspace"])
                .args(programs.as_flattened()),
        )?;
        Ok(self.target().join("release"))
    }

    /// A program that `cargo build` left in the target folder.
    pub(crate) fn built(&self, name: &str) -> PathBuf {
        self.target()
            .join("debug")
            .join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }

    /// A folder in the cache, made if absent, and a lock on it: another run waits until this one lets go of the file.
    pub(crate) fn locked_folder(&self, name: &str) -> Result<(PathBuf, File)> {
        let folder = self.cache.join(name);
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        let lock = File::create(folder.join(".lock"))?;
        lock.lock().with_context(|| format!("locking {}", folder.display()))?;
        Ok((folder, lock))
    }
}

/// Whether this run is continuous integration, where nothing may be left out.
pub(crate) fn is_ci() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false" && value != "0")
}

fn cache_folder() -> Result<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("WREG_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|folder| folder.join("wreg")))
        .or_else(|| set("HOME").map(|folder| folder.join(".cache/wreg")))
        .context("no place for the cache: set WREG_CACHE to a folder")?;
    ensure!(
        folder.is_absolute(),
        "the cache folder must be an absolute path, not {}",
        folder.display()
    );
    Ok(folder)
}

/// What `cargo run` told this program of itself. Passed on, it would make build scripts that watch it run again.
fn variables_of_cargo_run() -> impl Iterator<Item = OsString> {
    let own = |name: &str| {
        ["CARGO_PKG_", "CARGO_MANIFEST_"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
    };
    env::vars_os()
        .map(|(name, _)| name)
        .filter(move |name| name.to_str().is_some_and(own))
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}
