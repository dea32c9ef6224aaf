//! The server's program: arguments, then everything else in the library.

use std::process::ExitCode;

use clap::Parser as _;
use wreg_registry::{Command, run};

fn main() -> ExitCode {
    run(Command::parse())
}
