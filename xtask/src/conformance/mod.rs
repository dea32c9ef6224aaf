//! `cargo xtask conformance`: the official conformance suite of the OCI distribution specification, against each stack.
//!
//! Everything that the suite can test is switched on, what it leaves off by default included, and every case must pass: a case that
//! is skipped or switched off counts as a failure here. The suite's exit code says less (0 also where it could not read its own
//! settings), so its printed result is what counts.

mod report;

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;

use self::report::Totals;
use crate::{
    garage::Garage,
    go_tools::GoTool,
    postgres::{Durability, Postgres},
    runner::Runner,
    server::Server,
    setup::{self, Wants},
};

/// The head of the suite's main branch at the end of August 2026, later than any release of it.
const SUITE: GoTool = GoTool {
    package: "github.com/opencontainers/distribution-spec/conformance",
    version: "v0.0.0-20260831232431-97274622c111",
    program: "conformance",
    unlisted: false,
};

/// How many cases that suite has with these settings. Fewer would mean that something was left out.
const CASES: u32 = 1032;

/// The level, and what it leaves off. The suite's other switches are on by default; its report is asked for those that are not.
const SETTINGS: &[(&str, &str)] = &[
    ("OCI_VERSION", "dev"),
    ("OCI_TLS", "disabled"),
    ("OCI_API_BLOBS_DIGEST_HEADER", "true"),
    ("OCI_API_BLOBS_UPLOAD_CANCEL", "true"),
    ("OCI_API_MANIFESTS_DIGEST_HEADER", "true"),
    ("OCI_API_MANIFESTS_TAG_PARAM", "true"),
    ("OCI_DATA_SPARSE", "true"),
    ("OCI_DATA_SHA512", "true"),
];

/// Which stacks to run on.
#[derive(clap::Args, Default)]
pub(crate) struct Arguments {
    /// Only this stack; can be given several times.
    #[arg(long = "stack", value_enum)]
    stacks: Vec<Stack>,
}

/// Where facts and bytes are.
#[derive(Clone, Copy, ValueEnum)]
enum Stack {
    SqliteFiles,
    PostgresFiles,
    #[value(name = "postgres-s3")]
    PostgresS3,
}

impl Stack {
    const ALL: [Self; 3] = [Self::SqliteFiles, Self::PostgresFiles, Self::PostgresS3];

    fn name(self) -> &'static str {
        match self {
            Self::SqliteFiles => "sqlite-files",
            Self::PostgresFiles => "postgres-files",
            Self::PostgresS3 => "postgres-s3",
        }
    }
}

/// Builds suite and server, runs the one against the other, and prints the totals.
pub(crate) fn run(runner: &mut Runner, arguments: &Arguments) -> Result<()> {
    let stacks = if arguments.stacks.is_empty() {
        &Stack::ALL
    } else {
        arguments.stacks.as_slice()
    };
    runner.part("conformance", |runner| {
        let suite = runner.part("install the suite", |runner| SUITE.install(runner))?;
        runner.part("build", |runner| runner.build_programs())?;
        let mut totals = Vec::new();
        for stack in stacks {
            let name = stack.name();
            let result = runner.part(name, |runner| on_stack(runner, *stack, &suite));
            totals.push((name, result?));
        }
        println!();
        for (name, total) in totals {
            println!("{name}: {total}");
        }
        says_so(runner)
    })
}

/// The README tells the number, so it has to be this one.
fn says_so(runner: &Runner) -> Result<()> {
    let claim = format!("{CASES} of {CASES} cases");
    let readme = fs::read_to_string(runner.root.join("README.md"))?;
    ensure!(readme.contains(&claim), "README.md does not say `{claim}`");
    Ok(())
}

/// With an administrator's token; on SQLite once more without credentials, where the server is open to everybody.
fn on_stack(runner: &mut Runner, stack: Stack, suite: &Path) -> Result<Totals> {
    match stack {
        Stack::SqliteFiles => {
            runner.part("anonymous", |runner| {
                against(runner, suite, "sqlite-files-anonymous", &["--dev"], &[])
            })?;
            against(runner, suite, stack.name(), &[], &[])
        }
        Stack::PostgresFiles => {
            let database = postgres(runner)?;
            against(runner, suite, stack.name(), &[], &[("WREG_DATABASE", database.url())])
        }
        Stack::PostgresS3 => {
            let (database, garage) = (postgres(runner)?, Garage::start(runner)?);
            let place = garage.place()?.settings();
            let place = place.iter().map(|(name, value)| (*name, value.as_str()));
            let variables: Vec<_> = [("WREG_DATABASE", database.url())].into_iter().chain(place).collect();
            against(runner, suite, stack.name(), &[], &variables)
        }
    }
}

fn postgres(runner: &mut Runner) -> Result<Postgres> {
    let wants = Wants {
        postgres: true,
        fixtures: false,
    };
    setup::run(runner, wants)?;
    Postgres::start(Durability::Off)
}

/// Starts a server, which takes manifests whose content is missing, and runs the suite against it.
fn against(
    runner: &Runner,
    suite: &Path,
    name: &str,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> Result<Totals> {
    let folder = runner.target().join("conformance").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    let sparse = [("WREG_DEFAULT_MISSING_REFERENCES", "accept")];
    let server = Server::start(runner, &folder, arguments, &[&sparse, variables].concat())?;
    let mut suite = Command::new(suite);
    for (variable, _) in env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"OCI_")) {
        suite.env_remove(variable);
    }
    suite
        .current_dir(&folder)
        .envs(SETTINGS.iter().copied())
        .env("OCI_REGISTRY", server.address());
    if arguments.is_empty() {
        suite
            .env("OCI_USERNAME", "admin")
            .env("OCI_PASSWORD", server.admin_token()?);
    }
    let output = suite.stdin(Stdio::null()).output().context("starting the suite")?;
    fs::write(folder.join("output.txt"), [output.stdout, output.stderr].concat())?;
    report::read(&folder, CASES)
}
