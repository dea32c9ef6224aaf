//! `cargo xtask bench --index`: what it costs that the registry understands what it holds, and how fast it finds it again. On SQLite, and on
//! PostgreSQL.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{self, Command},
};

use anyhow::{Context, Result};

use super::{
    load::{self, Figures},
    peers::{Backend, Peer, Programs, Running},
};
use crate::{
    postgres::{Durability, Postgres},
    process as programs_of,
    runner::Runner,
    setup::{self, Wants},
};

/// How many components there are to be found, in so many repositories.
const COMPONENTS: u32 = 100_000;

/// What is searched for: words that few, some and very many have, shapes, and both.
const SEARCHES: [(&str, &str); 8] = [
    ("a rare word", "q=markdown+49000"),
    ("two words", "q=image+resizes"),
    ("a word that thousands have", "q=proxy"),
    ("an interface", "exports=wasi:http/incoming-handler"),
    (
        "an interface at a version",
        "exports=wasi:http/incoming-handler@%5E0.2.4&imports=wasi:io",
    ),
    (
        "nothing but these imports",
        "imports_only=wasi:cli,wasi:io,wasi:clocks,wasi:http",
    ),
    ("words and a shape", "q=cache&exports=acme:image"),
    ("no condition", "kind=component"),
];

/// Measures, and prints a table.
pub(super) fn run(runner: &mut Runner, folder: &Path, seconds: f64) -> Result<()> {
    let built = runner.part("build for release", |runner| runner.build_release())?;
    let programs = Programs::in_folder(runner, &built)?;
    let wants = Wants {
        postgres: true,
        fixtures: false,
    };
    setup::run(runner, wants)?;
    let component = component(runner);
    let folder = folder.join(format!("index-{}", process::id()));
    println!("\n| stack | what | operations/s | p50 ms | p99 ms |\n|---|---|---|---|---|");
    let outcome = (|| {
        measure(
            &programs,
            "SQLite",
            &folder.join("sqlite"),
            None,
            component.as_deref(),
            seconds,
        )?;
        let postgres = Postgres::start(Durability::Kept)?;
        measure(
            &programs,
            "PostgreSQL",
            &folder.join("postgres"),
            Some(postgres.url()),
            component.as_deref(),
            seconds,
        )
    })();
    drop(fs::remove_dir_all(&folder));
    outcome
}

/// A large component of a real toolchain, if it has been built.
fn component(runner: &Runner) -> Option<PathBuf> {
    let file = runner.cache.join("fixtures/javascript.wasm");
    if file.exists() {
        return Some(file);
    }
    println!("NOT MEASURED: pushes of a large component, which `cargo xtask fixtures` builds");
    None
}

fn measure(
    programs: &Programs,
    stack: &str,
    data: &Path,
    database: Option<&str>,
    component: Option<&Path>,
    seconds: f64,
) -> Result<()> {
    let backend = Backend::Open {
        database: database.map(str::to_owned),
    };
    let server = Running::start(programs, Peer::Wreg, data, &backend)?;
    let bench = |arguments: &[&str]| -> Result<String> {
        let mut command = Command::new(&programs.bench);
        command.args(arguments).args(["--address", &server.address()]);
        programs_of::read(&mut command)
    };
    if let Some(component) = component {
        let (component, token) = (component.display().to_string(), data.join("wreg/admin-token"));
        let token = token.display().to_string();
        let line = bench(&["admission", "--file", &component, "--token", &token])?;
        let figures = Figures::parse(&line)?;
        let noise = figures.get("noise_ms");
        for policy in ["off", "warn", "enforce"] {
            let took = figures.get(&format!("{policy}_ms"));
            println!(
                "| {stack} | push of {:.1} MB under {policy} | {:.2}× noise, {:.1} ms a MB more | {took:.1} | |",
                figures.get("megabytes"),
                took / noise,
                (took - noise) / figures.get("megabytes")
            );
        }
    }
    let filled = Figures::parse(&bench(&["fill", "--count", &COMPONENTS.to_string()])?)?;
    println!(
        "| {stack} | {COMPONENTS} components pushed, and found | {:.0} | {:.1} s, {:.1} s | |",
        f64::from(COMPONENTS) / filled.get("indexed_seconds"),
        filled.get("pushed_seconds"),
        filled.get("indexed_seconds")
    );
    let time = seconds.to_string();
    let paths = SEARCHES.map(|(what, query)| (format!("search: {what}"), format!("/api/v1/search?{query}"), "1"));
    let resolve = (
        "resolve ^1".to_owned(),
        "/api/v1/resolve?repository=bench/versions&req=%5E1.2".to_owned(),
        "32",
    );
    for (what, path, connections) in paths.into_iter().chain([resolve]) {
        let figures = load::run(
            programs,
            &server,
            &["get", &path, "--connections", connections, "--seconds", &time],
        )
        .with_context(|| what.clone())?;
        println!(
            "| {stack} | {what}, {connections} connections | {:.0} | {:.2} | {:.2} |",
            figures.get("per_second"),
            figures.get("p50") / 1e3,
            figures.get("p99") / 1e3
        );
    }
    Ok(())
}
