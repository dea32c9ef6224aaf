//! `cargo xtask lint`: formatting, clippy, dependencies, and whether the generated documents are fresh.

use std::{
    env, fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};

use crate::{cargo_tools::CargoTool, docs, process, runner::Runner, setup};

const DENY: CargoTool = CargoTool {
    name: "cargo-deny",
    version: "0.20.2",
};
const MACHETE: CargoTool = CargoTool {
    name: "cargo-machete",
    version: "0.9.2",
};

/// What cargo-deny calls its clone of the advisory database.
const ADVISORY_DB: &str = "advisory-db-3157b0e258782691";

/// A lint by name.
type Lint = (&'static str, fn(&mut Runner) -> Result<()>);

const LINTS: [Lint; 5] = [
    ("format", format),
    ("clippy", clippy),
    ("dependencies", deny),
    ("unused dependencies", machete),
    ("documents", |runner| docs::check(runner)),
];

/// Runs every lint, also after one has failed.
pub(crate) fn run(runner: &mut Runner) -> Result<()> {
    runner.part("lint", |runner| {
        let mut failed = Vec::new();
        for (name, lint) in LINTS {
            if let Err(error) = runner.part(name, lint) {
                println!("{name}: {error:#}");
                failed.push(name);
            }
        }
        if failed.is_empty() {
            Ok(())
        } else {
            bail!("{}", failed.join(", "))
        }
    })
}

fn format(runner: &mut Runner) -> Result<()> {
    process::run(cargo_with(runner, "fmt")?.args(["--all", "--check"]))
}

fn clippy(runner: &mut Runner) -> Result<()> {
    // The feature brings in the one program that is not built otherwise.
    let all = [
        "--workspace",
        "--all-targets",
        "--keep-going",
        "--features",
        "xtask/adapt",
        "--",
        "-D",
        "warnings",
    ];
    process::run(cargo_with(runner, "clippy")?.args(all))
}

fn deny(runner: &mut Runner) -> Result<()> {
    let program = DENY.install(runner)?;
    // Some wrappers in deny.toml are for what is not there yet.
    let check = [
        "--locked",
        "check",
        "--hide-inclusion-graph",
        "--allow",
        "unused-wrapper",
        "bans",
        "licenses",
        "sources",
    ];
    process::run(in_root(runner, &program).args(check))?;
    let Some(database) = env::var_os("WREG_ADVISORY_DB").filter(|folder| !folder.is_empty()) else {
        println!("SKIPPED: advisories. They are checked where WREG_ADVISORY_DB names a clone of the advisory database");
        return Ok(());
    };
    let config = advisory_config(runner, Path::new(&database))?;
    process::run(
        in_root(runner, &program)
            .args(["--frozen", "--config"])
            .arg(config)
            .args(["check", "advisories"]),
    )
}

fn machete(runner: &mut Runner) -> Result<()> {
    process::run(&mut in_root(runner, &MACHETE.install(runner)?))
}

/// `cargo clippy` or `cargo fmt`: the toolchain's, else Debian's, which has its own compiler of another version beside it.
fn cargo_with(runner: &Runner, subcommand: &str) -> Result<Command> {
    let mut cargo = runner.cargo();
    cargo.arg(subcommand);
    if process::succeeds(runner.cargo().args([subcommand, "--version"])) {
        return Ok(cargo);
    }
    println!("the Rust toolchain has no `cargo {subcommand}`: using Debian's");
    setup::install_lint_tools(subcommand == "clippy", subcommand == "fmt")?;
    // Not by way of `cargo`, which would look beside the toolchain first.
    let mut stand_in = in_root(runner, &Path::new("/usr/bin").join(format!("cargo-{subcommand}")));
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([PathBuf::from("/usr/bin")].into_iter().chain(env::split_paths(&path)))?;
    stand_in
        .arg(subcommand)
        .env("PATH", path)
        .env("CARGO_TARGET_DIR", runner.target());
    stand_in.envs([
        ("CARGO", "/usr/bin/cargo"),
        ("RUSTC", "/usr/bin/rustc"),
        ("RUSTFMT", "/usr/bin/rustfmt"),
    ]);
    Ok(stand_in)
}

/// cargo-deny takes its databases from a folder of clones, each under a name that it derives from the address.
fn advisory_config(runner: &Runner, database: &Path) -> Result<PathBuf> {
    ensure!(
        database.join("crates").is_dir(),
        "{} is not the advisory database",
        database.display()
    );
    let folder = runner.target().join("advisories");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    symlink(fs::canonicalize(database)?, folder.join(ADVISORY_DB))?;
    let file = folder.join("deny.toml");
    let text = format!(
        "[graph]\nall-features = true\n\n[advisories]\ndb-path = '{}'\n",
        folder.display()
    );
    fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
    Ok(file)
}

fn in_root(runner: &Runner, program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(&runner.root);
    command
}
