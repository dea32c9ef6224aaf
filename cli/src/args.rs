//! The command line: the global flags, and the verbs by name. clap only; nothing is decided here.

use std::path::PathBuf;

use clap::{ArgAction, ColorChoice, Parser, ValueEnum};

use crate::command::Command;

/// Push, pull, validate and inspect WebAssembly components in an OCI registry.
///
/// The result goes to stdout and nothing else does: progress, warnings and hints go to stderr. References are written
/// host/repository:tag or host/repository@sha256:…; where the host is left out, `WREG_REGISTRY` names it.
#[derive(Debug, Parser)]
#[command(name = "wreg", version, after_long_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags that every command takes.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// How the result is written to stdout
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Only results and errors: no progress, notes or warnings
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// More notes; twice or three times to find out what goes wrong
    #[arg(long, short, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    pub(crate) verbose: u8,
    /// No progress bars, even on a terminal
    #[arg(long, global = true)]
    pub(crate) no_progress: bool,
    /// Whether stderr is coloured; auto means on a terminal, unless `NO_COLOR` is set
    #[arg(long, global = true, value_name = "WHEN", default_value_t = ColorChoice::Auto)]
    pub(crate) color: ColorChoice,
    /// Talk http to registries on other machines too; to this machine wreg does, unless --ca-file is given
    #[arg(long, global = true)]
    pub(crate) plain_http: bool,
    /// A PEM file with certificate authorities to trust besides the system's; can be repeated
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca_file: Vec<PathBuf>,
}

/// How a result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs: one JSON object with "schema": 1
    Json,
}

const AFTER_HELP: &str = "\
Exit codes:
  0    yes, done
  1    the answer is no: not valid, not found, not allowed, not what the digest says
  2    could not tell: wrong usage, no connection, an error inside
  130  interrupted (143 by SIGTERM)

JSON:
  one object on one line (admin fsck: one for each finding, as it comes, and one at the end), with \"schema\": 1; members may be added, and those that are there keep their meaning
  a failure is {\"schema\":1,\"error\":{\"kind\":\"no|usage|failed|interrupted\",\"message\":…,\"causes\":[…],\"hint\":…}}

Environment:
  WREG_REGISTRY       the registry of references that name no host
  WREG_TOKEN          a token to use before stored credentials, for WREG_REGISTRY or else the one registry that is named
  SOURCE_DATE_EPOCH   the time that push writes into artifacts, in seconds since 1970; none is written without it
  WKG_CONFIG_FILE     the configuration of wkg, which says of which registry a package is (default ~/.config/wasm-pkg/config.toml)
  WREG_TRUST_POLICY   the rules for what may be pulled (default ~/.config/wreg/trust.toml)
  XDG_STATE_HOME      wreg keeps what it has seen of registries in its folder wreg/trust (default ~/.local/state)
  XDG_CACHE_HOME      wreg keeps what it pulled in its folder wreg (default ~/.cache)
  DOCKER_CONFIG       the folder of config.json, where credentials are kept (default ~/.docker)
  REGISTRY_AUTH_FILE  podman's credentials, which are read too; so are those in its usual places
  NO_COLOR            no colours

Examples:
  wreg login localhost:5000
  wreg push hello.wasm localhost:5000/acme/hello:1.0.0
  wreg inspect localhost:5000/acme/hello:1.0.0
  wreg pull localhost:5000/acme/hello:1.0.0 -o hello.wasm";

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
