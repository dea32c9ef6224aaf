//! Measures the built programs from outside, as processes: start-up, memory, and the time of a push and a pull; and soaks the collection.
//!
//! Without arguments it prints a table and judges nothing; `soak` fails if a client saw an error. `WREG_REGISTRY_BIN` and `WREG_BIN` name the programs, `WREG_FIXTURES` the folder of the
//! components; `cargo xtask figures` sets them, after a release build.
#![expect(clippy::print_stdout, reason = "a table on standard output is what it is for")]
#![expect(
    clippy::disallowed_methods,
    reason = "the task runner speaks to it through the environment"
)]

mod client;
mod memory;
mod soak;
mod start;
mod transfer;
mod uploads;

use std::{process::ExitCode, time::Duration};

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
}

fn main() -> ExitCode {
    if let Some(What::Soak(plan)) = Arguments::parse().what {
        return if soak::print(&soak::run(&plan)) {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        };
    }
    println!("| figure | median | least | most |\n|---|---|---|---|");
    start::measure();
    memory::measure_idle();
    uploads::measure();
    transfer::measure();
    ExitCode::SUCCESS
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
