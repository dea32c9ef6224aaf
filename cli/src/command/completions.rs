//! `wreg completions`.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::Verdict;
use crate::{args::Cli, error::CliError, output::write_content};

/// Write a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  wreg completions bash > ~/.local/share/bash-completion/completions/wreg
  wreg completions zsh > \"${fpath[1]}/_wreg\"
  wreg completions fish > ~/.config/fish/completions/wreg.fish")]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(super) fn run(args: &Args) -> Result<Verdict, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "wreg", &mut script);
    write_content(&*script)?;
    Ok(Verdict::Yes)
}
