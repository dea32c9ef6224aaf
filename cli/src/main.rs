//! The command `wreg`: parse → run → exit code.

mod args;
mod audit;
mod command;
mod config;
mod context;
mod destination;
mod error;
mod files;
mod given;
mod local;
mod output;
mod pack;
mod remote;
mod trust;
mod wit;
mod witness;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    match args::Cli::try_parse() {
        Ok(cli) => command::run(cli),
        Err(usage) => {
            // A closed stdout is no reason to fail where only help was asked for.
            let _ = usage.print();
            u8::try_from(usage.exit_code()).map_or(ExitCode::from(2), ExitCode::from)
        }
    }
}
