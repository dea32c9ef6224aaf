//! `wreg-registry fsck`: the check of the store against the database while no server uses them.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::{Args, ValueEnum};
use tokio::sync::mpsc;
use wreg_api::{CheckLine, Finding};

use crate::{
    app::{App, Surroundings},
    config::{Config, Flags},
    domain::check::Check,
};

/// Findings that wait to be written.
const AHEAD: usize = 64;

/// How to check.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Read all bytes and compare their digests
    #[arg(long)]
    deep: bool,
    /// Make good what can be made good without losing anything
    #[arg(long)]
    repair: bool,
    /// How findings are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs: one JSON object a line
    Json,
}

/// Exit code 0: all is well. 1: something is not. 2: it could not be told.
pub(crate) async fn run(flags: Flags, options: &Options) -> ExitCode {
    match check(flags, options).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn check(flags: Flags, options: &Options) -> anyhow::Result<bool> {
    let config = Config::load(flags)?;
    let app = App::open(&config, Surroundings::default()).await?;
    let check = Check {
        deep: options.deep,
        repair: options.repair,
    };
    let (found, mut findings) = mpsc::channel(AHEAD);
    let writing = async {
        while let Some(finding) = findings.recv().await {
            write(options.format, &finding)?;
        }
        io::Result::Ok(())
    };
    let (checked, written) = tokio::join!(app.registry().check(check, found), writing);
    app.close().await;
    written?;
    let checked = checked?;
    if options.format == Format::Json {
        writeln!(io::stdout(), "{}", serde_json::to_string(&CheckLine::Checked(checked))?)?;
    } else {
        writeln!(
            io::stdout(),
            "{} blobs, {} objects in the store, {} manifests: {} findings, {} of them repaired",
            checked.blobs,
            checked.objects,
            checked.manifests,
            checked.findings,
            checked.repaired
        )?;
    }
    Ok(checked.findings == checked.repaired)
}

fn write(format: Format, finding: &Finding) -> io::Result<()> {
    if format == Format::Json {
        let line = serde_json::to_string(&CheckLine::Finding(finding.clone()))?;
        return writeln!(io::stdout(), "{line}");
    }
    let repaired = if finding.repaired { " (repaired)" } else { "" };
    writeln!(
        io::stdout(),
        "{}: {}: {}{repaired}",
        finding.kind,
        finding.subject,
        finding.detail
    )
}
