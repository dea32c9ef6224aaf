//! Measures the built programs from outside, as processes: start-up, memory, and the time of a push and a pull; soaks the collection;
//! and loads a registry.
//!
//! Without arguments it prints a table and judges nothing; `soak` and `load` fail if a client saw an error. `WREG_REGISTRY_BIN` and `WREG_BIN` name the programs, `WREG_FIXTURES` the folder of the
//! components; `cargo xtask figures` sets them, after a release build.
#![expect(clippy::print_stdout, reason = "a table on standard output is what it is for")]
#![expect(
    clippy::disallowed_methods,
    reason = "the task runner speaks to it through the environment"
)]

mod admission;
mod client;
mod fill;
mod limit;
mod load;
mod memory;
mod soak;
mod start;
mod transfer;
mod trust;
mod uploads;

use std::{process::ExitCode, time::Duration};

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Subcommand)]
enum What {
    /// Collection without a pause, under load
    Soak(soak::Plan),
    /// As many requests as a registry answers
    Load(load::Arguments),
    /// What it costs that the registry looks into a component
    Admission(admission::Arguments),
    /// Some hundred thousand components, for measuring search
    Fill(fill::Arguments),
    /// The most that the disk and the processors allow a registry that keeps what it acknowledges
    Limit(limit::Arguments),
    /// What it costs that a registry signs and logs
    Trust(trust::Arguments),
    /// From starting the server until it has answered, on a data folder that is there
    Start(start::Arguments),
}

fn main() -> ExitCode {
    let is_well = match Arguments::parse().what {
        Some(What::Soak(plan)) => soak::print(&soak::run(&plan)),
        Some(What::Load(arguments)) => print_outcome(load::run(&arguments)),
        Some(What::Admission(arguments)) => print_outcome(admission::run(&arguments)),
        Some(What::Fill(arguments)) => print_outcome(fill::run(&arguments)),
        Some(What::Limit(arguments)) => print_outcome(limit::run(&arguments).map(|line| (line, true))),
        Some(What::Trust(arguments)) => print_outcome(trust::run(&arguments)),
        Some(What::Start(arguments)) => print_outcome(Ok((start::run(&arguments), true))),
        None => {
            measure();
            true
        }
    };
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn measure() {
    println!("| figure | median | least | most |\n|---|---|---|---|");
    start::measure();
    memory::measure_idle();
    uploads::measure();
    transfer::measure();
}

/// The line, or what went wrong; whether all is well.
fn print_outcome(outcome: Result<(String, bool)>) -> bool {
    match outcome {
        Ok((line, is_well)) => {
            println!("{line}");
            is_well
        }
        Err(error) => {
            println!("failed: {error:#}");
            false
        }
    }
}

/// One line of the table: the median of several runs, and between which they lay.
fn print_row(figure: &str, mut values: Vec<f64>, unit: &str) {
    values.sort_by(f64::total_cmp);
    let (Some(least), Some(most)) = (values.first(), values.last()) else {
        return;
    };
    let median = values[values.len() / 2];
    println!("| {figure} | {median:.1} {unit} | {least:.1} | {most:.1} |");
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
