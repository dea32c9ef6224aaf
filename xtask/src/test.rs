//! `cargo xtask test`: all tests on SQLite and files, and those of the server's API again on PostgreSQL and object storage.

use std::{ffi::OsString, fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, bail, ensure};

use crate::{
    fixtures,
    garage::Garage,
    postgres::{Durability, Postgres},
    process,
    runner::{Runner, is_ci},
    setup::{self, Wants},
};

/// What to leave out, and what to pass on.
#[derive(clap::Args, Default)]
pub(crate) struct Arguments {
    /// Leave out the tests on PostgreSQL. Not in continuous integration.
    #[arg(long)]
    no_postgres: bool,
    /// Leave out the tests on object storage: those of the API run on PostgreSQL and files then. Not in continuous integration.
    #[arg(long)]
    no_s3: bool,
    /// Leave out the tests that need real components. Not in continuous integration.
    #[arg(long)]
    no_fixtures: bool,
    /// What goes to the test programs: a part of a test's name, --nocapture and the like.
    #[arg(last = true)]
    to_tests: Vec<OsString>,
}

/// What the tests are run with.
struct Tests<'a> {
    /// The program of the server's API tests, which runs once on each stack.
    api: PathBuf,
    /// Where tests of object storage find a bucket.
    bucket: Option<String>,
    arguments: &'a [OsString],
    fixtures: Option<PathBuf>,
    /// The file where tests note that they were not run.
    not_run: PathBuf,
}

/// Sets up what the tests need, builds both programs, and runs the tests.
pub(crate) fn run(runner: &mut Runner, arguments: &Arguments) -> Result<()> {
    let left_out = left_out(arguments);
    ensure!(
        left_out.is_empty() || !is_ci(),
        "nothing may be left out in continuous integration: {}",
        left_out.join(", ")
    );
    shout(&left_out);

    setup::run(
        runner,
        Wants {
            postgres: !arguments.no_postgres,
            fixtures: !arguments.no_fixtures,
        },
    )?;
    let fixtures = if arguments.no_fixtures {
        None
    } else {
        Some(fixtures::make(runner)?)
    };
    let api = runner.part("build", |runner| build(runner))?;
    let server = if arguments.no_postgres {
        None
    } else {
        Some(runner.part("start PostgreSQL", |_| Postgres::start(Durability::Off))?)
    };

    let garage = if arguments.no_s3 {
        None
    } else {
        Some(runner.part("start Garage", |runner| Garage::start(runner))?)
    };

    let not_run = runner.target().join("not-run.txt");
    drop(fs::remove_file(&not_run));
    let tests = Tests {
        api,
        bucket: garage.as_ref().map(|garage| garage.url().to_owned()),
        arguments: &arguments.to_tests,
        fixtures,
        not_run,
    };
    let mut failed = Vec::new();
    if runner
        .part("tests on SQLite and files", |runner| tests.run_all(runner))
        .is_err()
    {
        failed.push("the tests on SQLite and files failed");
    }
    if let Some(server) = server {
        let (part, failure) = match garage {
            Some(_) => ("tests on PostgreSQL and S3", "the tests on PostgreSQL and S3 failed"),
            None => (
                "tests on PostgreSQL and files",
                "the tests on PostgreSQL and files failed",
            ),
        };
        if runner.part(part, |runner| tests.run_api(runner, &server)).is_err() {
            failed.push(failure);
        }
    }

    let noted = fs::read_to_string(&tests.not_run).unwrap_or_default();
    if !noted.is_empty() {
        println!("\nnot run: {}\n{noted}", noted.lines().count());
    }
    shout(&left_out);
    if failed.is_empty() {
        Ok(())
    } else {
        bail!("{}", failed.join(", and "))
    }
}

impl Tests<'_> {
    /// All tests, on SQLite and files.
    fn run_all(&self, runner: &Runner) -> Result<()> {
        let mut cargo = runner.cargo();
        cargo
            .args(["test", "--workspace", "--no-fail-fast"])
            .env_remove("WREG_TEST_DATABASE")
            .env_remove("WREG_TEST_S3");
        process::run(self.tell(&mut cargo, runner).arg("--").args(self.arguments))
    }

    /// The tests of the server's API, on PostgreSQL and, if there is a bucket, on S3.
    fn run_api(&self, runner: &Runner, server: &Postgres) -> Result<()> {
        let mut api = Command::new(&self.api);
        api.current_dir(runner.root.join("registry"))
            .env("WREG_TEST_DATABASE", server.url());
        match &self.bucket {
            Some(url) => api.env("WREG_TEST_S3", url),
            None => api.env_remove("WREG_TEST_S3"),
        };
        process::run(self.tell(&mut api, runner).args(self.arguments))
    }

    fn tell<'c>(&self, tests: &'c mut Command, runner: &Runner) -> &'c mut Command {
        tests
            .env("WREG_REGISTRY_BIN", runner.built("wreg-registry"))
            .env("WREG_NOT_RUN", &self.not_run);
        match &self.bucket {
            Some(url) => tests.env("WREG_TEST_S3_UNITS", url),
            None => tests.env_remove("WREG_TEST_S3_UNITS"),
        };
        match &self.fixtures {
            Some(folder) => tests.env("WREG_FIXTURES", folder),
            None => tests.env_remove("WREG_FIXTURES"),
        }
    }
}

/// Builds both programs and all tests, and says where the API tests are. They are run a second time from there: asked for that
/// one program alone, cargo would choose other features for what it shares with the rest, and compile it all again.
fn build(runner: &Runner) -> Result<PathBuf> {
    runner.build_programs()?;
    let messages = [
        "test",
        "--workspace",
        "--no-run",
        "--message-format",
        "json-render-diagnostics",
    ];
    let messages = process::read_results(runner.cargo().args(messages))?;
    let executable = |line: &str| {
        let api = line.contains(r#""kind":["test"]"#) && line.contains(r#""name":"api""#);
        let (_, rest) = line.split_once(r#""executable":""#).filter(|_| api)?;
        Some(PathBuf::from(rest.split('"').next()?))
    };
    messages
        .lines()
        .find_map(executable)
        .context("cargo built no tests of the name api")
}

fn left_out(arguments: &Arguments) -> Vec<&'static str> {
    let no_postgres = arguments
        .no_postgres
        .then_some("the tests on PostgreSQL and S3 servers");
    let no_s3 = arguments.no_s3.then_some("the tests on object storage");
    let no_fixtures = arguments.no_fixtures.then_some("the tests with real components");
    no_postgres.into_iter().chain(no_s3).chain(no_fixtures).collect()
}

fn shout(left_out: &[&str]) {
    for what in left_out {
        println!("\n!!! LEFT OUT, as asked: {what}. This run does not show that they pass.");
    }
}
