//! The one task runner: `cargo xtask <task>`.
//!
//! It depends on neither the server nor the command, so it compiles in seconds and works when they do not. One file a task.
#![expect(clippy::print_stdout, reason = "a task runner talks to the person who runs it")]
#![expect(
    clippy::disallowed_methods,
    reason = "it has no Config and no runtime: small files and environment variables are read where they are needed"
)]

mod api;
mod bench;
mod cargo_tools;
mod ci;
mod conformance;
mod docs;
mod figures;
mod fixtures;
mod garage;
mod go_tools;
mod interop;
mod lint;
mod postgres;
mod process;
mod runner;
mod server;
mod setup;
mod soak;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::runner::Runner;

/// The task runner of wreg.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what the tests need and this machine lacks, through the ordinary package clients.
    Setup,
    /// Build the real components that the tests move (again only where something changed).
    Fixtures,
    /// Formatting, clippy, dependencies, and whether the generated documents are fresh.
    Lint,
    /// All tests, on SQLite and files, and on a temporary PostgreSQL and S3 server. Does its own set-up.
    Test(test::Arguments),
    /// The official conformance suite of the OCI distribution specification, against every stack.
    Conformance(conformance::Arguments),
    /// Clients that people have, run against the server; writes docs/reference/clients.md and docs/reference/verifiers.md.
    Interop(interop::Arguments),
    /// What the description of wreg's own API allows, and what it does not, asked of a server by schemathesis.
    Api,
    /// Write the generated pages of docs/reference.
    Docs(docs::Arguments),
    /// Start-up time, memory, and the time of a push and a pull, measured on release builds.
    Figures,
    /// wreg beside other registries and what the machine allows; `--write` writes docs/explanation/performance.md.
    Bench(bench::Arguments),
    /// The collection under load, for thousands of passes (`--gc --cycles N --minutes M`).
    Soak(soak::Arguments),
    /// Everything that must pass before a change lands: lint, test, conformance, interop, the own API and the benchmark's smoke test.
    Ci,
}

fn main() -> ExitCode {
    let Arguments { task } = Arguments::parse();
    let outcome = Runner::new().and_then(|mut runner| {
        let outcome = match task {
            Task::Setup => setup::run(&mut runner, setup::Wants::ALL),
            Task::Fixtures => fixtures::run(&mut runner),
            Task::Lint => lint::run(&mut runner),
            Task::Test(arguments) => test::run(&mut runner, &arguments),
            Task::Conformance(arguments) => conformance::run(&mut runner, &arguments),
            Task::Interop(arguments) => interop::run(&mut runner, &arguments),
            Task::Api => api::run(&mut runner),
            Task::Docs(arguments) => docs::run(&mut runner, &arguments),
            Task::Figures => figures::run(&mut runner),
            Task::Bench(arguments) => bench::run(&mut runner, &arguments),
            Task::Soak(arguments) => soak::run(&mut runner, &arguments),
            Task::Ci => ci::run(&mut runner),
        };
        runner.print_table();
        outcome
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("\nfailed: {error:#}");
            ExitCode::FAILURE
        }
    }
}
