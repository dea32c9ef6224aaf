//! `cargo xtask bench`: wreg beside other registries and beside what the machine allows, in one run; writes
//! `docs/explanation/performance.md` and its picture. With `--quick` it is a smoke test of the benchmark itself.

mod chart;
mod clients;
mod index;
mod kept;
mod large;
mod limits;
mod line;
mod load;
mod machine;
mod page;
mod peers;
mod plan;
mod quick;
mod rounds;

use std::{
    fs,
    path::{Path, PathBuf},
    process,
};

use anyhow::{Context, Result, ensure};

pub(crate) use self::quick::run as run_quick;
use self::{
    line::Line,
    peers::{Backend, Programs},
    plan::ROWS,
    rounds::{Rounds, Stack},
};
use crate::{
    garage::Garage,
    postgres::{Durability, Postgres},
    runner::Runner,
    setup::{self, Wants},
};

/// How many manifests there are where starting is measured, and how many tags where listing is.
const MANIFESTS: usize = 100_000;
const TAGS: usize = 1_000_000;

/// What to measure, and how thoroughly.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A few seconds on debug builds: whether the benchmark works, not what it measures.
    #[arg(long, conflicts_with_all = ["write", "filter", "stack"])]
    quick: bool,
    /// What it costs to understand components, and how fast search and resolution are, with 100,000 of them; prints a table.
    #[arg(long, conflicts_with_all = ["write", "filter", "stack", "quick"])]
    index: bool,
    /// Only rows whose id begins like this (`push`, `blob-100k`, `start`, …); can be given several times.
    #[arg(long, value_name = "ROW")]
    filter: Vec<String>,
    /// Only this stack.
    #[arg(long, value_enum)]
    stack: Option<Where>,
    /// How often each server has its turn at a row.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How long a turn is.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// A folder on a real disk, for data; by default in the target folder.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Write docs/explanation/performance.md and performance.svg.
    #[arg(long, conflicts_with_all = ["filter", "stack"])]
    write: bool,
}

/// Where facts and bytes are.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Where {
    SqliteFiles,
    #[value(name = "postgres-s3")]
    PostgresS3,
}

impl Arguments {
    fn is_wanted(&self, id: &str) -> bool {
        self.filter.is_empty() || self.filter.iter().any(|start| id.starts_with(start.as_str()))
    }

    fn rounds(&self) -> Rounds {
        Rounds {
            rounds: self.rounds,
            seconds: self.seconds,
        }
    }
}

/// Measures everything that was asked for, and prints it.
pub(crate) fn run(runner: &mut Runner, arguments: &Arguments) -> Result<()> {
    if arguments.quick {
        return run_quick(runner);
    }
    ensure!(arguments.rounds > 0, "it takes one round at least");
    let results = runner.target().join("bench");
    let folder = arguments.folder.clone().unwrap_or_else(|| results.clone());
    let folder = folder.join(format!("run-{}", process::id()));
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    fs::create_dir_all(&results)?;
    if arguments.index {
        let outcome = runner.part("bench --index", |runner| index::run(runner, &folder, arguments.seconds));
        drop(fs::remove_dir_all(&folder));
        return outcome;
    }
    let outcome = runner.part("bench", |runner| measure_in(runner, arguments, &folder));
    drop(fs::remove_dir_all(&folder));
    let (lines, versions, machine) = outcome?;
    println!("\n{}", page::goals(&lines));
    fs::write(results.join("results.json"), page::json(&lines))?;
    println!("all figures: {}", results.join("results.json").display());
    if arguments.write {
        let command = format!(
            "cargo xtask bench --rounds {} --seconds {} --write",
            arguments.rounds, arguments.seconds
        );
        let docs = runner.root.join("docs/explanation");
        fs::write(
            docs.join("performance.md"),
            page::page(&lines, &command, &machine, &versions),
        )?;
        fs::write(docs.join("performance.svg"), chart::draw(&lines))?;
        println!("written: {}", docs.join("performance.md").display());
    }
    Ok(())
}

type Outcome = (Vec<Line>, Vec<String>, Vec<String>);

fn measure_in(runner: &mut Runner, arguments: &Arguments, folder: &Path) -> Result<Outcome> {
    let machine = machine::describe(folder)?;
    let release = runner.part("build for release", |runner| runner.build_release())?;
    let programs = runner.part("install peers", |runner| {
        Programs::in_folder(runner, &release)?.with_peers(runner)
    })?;
    let mut lines = Vec::new();
    if arguments.stack != Some(Where::PostgresS3) {
        lines.extend(runner.part("on SQLite and files", |runner| {
            on_files(runner, arguments, &programs, folder)
        })?);
    }
    if arguments.stack != Some(Where::SqliteFiles) {
        lines.extend(runner.part("on PostgreSQL and S3", |runner| {
            on_bucket(runner, arguments, &programs, folder)
        })?);
    }
    Ok((lines, programs.versions()?, machine))
}

fn on_files(runner: &mut Runner, arguments: &Arguments, programs: &Programs, folder: &Path) -> Result<Vec<Line>> {
    let rounds = arguments.rounds();
    let wanted = |id: &str| arguments.is_wanted(id);
    let files = folder.join("files");
    fs::create_dir_all(&files)?;
    machine::spread(&files);
    let mut stack = Stack::new("sqlite-files", programs, files, Backend::Files);
    let mut lines = Vec::new();
    for row in ROWS.iter().filter(|row| wanted(row.id)) {
        lines.push(stack.measure(row, &rounds)?);
    }
    lines.extend(stack.memory());
    drop(stack);
    if wanted("start") {
        lines.push(large::start(runner, programs, MANIFESTS)?);
    }
    if wanted("tags") {
        lines.extend(large::tags(runner, programs, TAGS, &rounds)?);
    }
    if wanted("clients") {
        lines.push(clients::measure(runner, programs, folder)?);
    }
    lines.extend(limits::measure(programs, folder, arguments.seconds, wanted)?);
    Ok(lines)
}

fn on_bucket(runner: &mut Runner, arguments: &Arguments, programs: &Programs, folder: &Path) -> Result<Vec<Line>> {
    let rows: Vec<_> = ROWS
        .iter()
        .filter(|row| row.on_bucket.is_some() && arguments.is_wanted(row.id))
        .collect();
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let wants = Wants {
        postgres: true,
        fixtures: false,
    };
    setup::run(runner, wants)?;
    let (postgres, garage) = (Postgres::start(Durability::Kept)?, Garage::start_in(runner, folder)?);
    let backend = Backend::Bucket {
        database: postgres.url().to_owned(),
        place: garage.place()?,
    };
    let mut stack = Stack::new("postgres-s3", programs, folder.join("bucket"), backend);
    rows.into_iter()
        .map(|row| stack.measure(row, &arguments.rounds()))
        .collect()
}
