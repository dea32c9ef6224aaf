//! The one door to stdout and stderr.

use std::{
    fmt,
    io::{self, IsTerminal as _, Write},
};

use clap::{
    ColorChoice,
    builder::styling::{AnsiColor, Style},
};
use wreg_client::{NoProgress, Progress};

use super::{Report, json, progress::Bars, text::plain};
use crate::{
    args::{Format, Global},
    error::{CliError, Kind},
};

/// Writes results to stdout, and everything else to stderr, as the global flags say.
pub(crate) struct Printer {
    format: Format,
    words: Words,
    colour: bool,
    bars: bool,
}

/// How much is said beside results and errors.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Words {
    None,
    Ordinary,
    Many,
}

impl Printer {
    pub(crate) fn new(global: &Global, no_color: bool) -> Self {
        let terminal = io::stderr().is_terminal();
        Self {
            format: global.format,
            words: match global.verbose {
                _ if global.quiet => Words::None,
                0 => Words::Ordinary,
                _ => Words::Many,
            },
            colour: match global.color {
                ColorChoice::Always => true,
                ColorChoice::Never => false,
                ColorChoice::Auto => terminal && !no_color,
            },
            bars: terminal && !global.quiet && !global.no_progress && global.format == Format::Text,
        }
    }

    /// Whether results are JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Writes the result to stdout. A reader that has seen enough and went away is no error.
    pub(crate) fn result(&self, result: &impl Report) -> Result<(), CliError> {
        let written = match self.format {
            Format::Text => write_out(plain(&result.to_string()).as_bytes()),
            Format::Json => {
                let line =
                    json::result(result).map_err(|error| CliError::failed("cannot write JSON").because(error))?;
                write_out(format!("{line}\n").as_bytes())
            }
        };
        match written {
            Err(error) if error.kind() == Kind::OutputClosed => Ok(()),
            written => written,
        }
    }

    /// Says what was done, unless `--quiet`.
    pub(crate) fn status(&self, text: impl fmt::Display) {
        if self.words >= Words::Ordinary {
            self.line(None, &text.to_string());
        }
    }

    /// Says something that few want to know: only with `--verbose`.
    pub(crate) fn note(&self, text: impl fmt::Display) {
        if self.words >= Words::Many {
            self.line(Some(("note", AnsiColor::Cyan)), &text.to_string());
        }
    }

    /// Says that something is not as it should be, unless `--quiet`.
    pub(crate) fn warning(&self, text: impl fmt::Display) {
        if self.words >= Words::Ordinary {
            self.line(Some(("warning", AnsiColor::Yellow)), &text.to_string());
        }
    }

    /// Says what to do next, unless `--quiet`.
    pub(crate) fn hint(&self, text: impl fmt::Display) {
        if self.words >= Words::Ordinary {
            self.line(Some(("hint", AnsiColor::Green)), &text.to_string());
        }
    }

    /// Says why the command failed: on stderr for people, and with `--format json` on stdout too, in place of the result.
    pub(crate) fn error(&self, error: &CliError) {
        if error.kind() == Kind::OutputClosed {
            return;
        }
        self.part_of_error(error);
        if let (Format::Json, Ok(line)) = (self.format, json::error(error)) {
            // Nothing is left to be told if stdout is closed.
            let _ = write_out(format!("{line}\n").as_bytes());
        }
    }

    /// Says on stderr what went wrong with a part of what was asked, where there is a result nevertheless.
    pub(crate) fn part_of_error(&self, error: &CliError) {
        self.line(Some(("error", AnsiColor::Red)), &error.to_string());
        for cause in error.causes() {
            self.line(None, &format!("  because: {cause}"));
        }
        if let Some(hint) = error.advice() {
            self.line(Some(("hint", AnsiColor::Green)), hint);
        }
    }

    /// Progress bars on stderr if it is a terminal, and nobody asked for silence or JSON.
    pub(crate) fn progress(&self, verb: &'static str) -> Box<dyn Progress> {
        if self.bars {
            Box::new(Bars::new(verb))
        } else {
            Box::new(NoProgress)
        }
    }

    fn line(&self, label: Option<(&str, AnsiColor)>, text: &str) {
        let text = plain(text);
        let mut err = io::stderr().lock();
        // Where stderr is closed there is nobody to tell.
        let _ = match label {
            Some((label, colour)) if self.colour => {
                let style = Style::new().bold().fg_color(Some(colour.into()));
                writeln!(err, "{style}{label}:{style:#} {text}")
            }
            Some((label, _)) => writeln!(err, "{label}: {text}"),
            None => writeln!(err, "{text}"),
        };
    }
}

/// Copies all of `content` to stdout. Here a reader that went away is an error: not all of the result arrived.
///
/// It waits for the reader, so a command calls it on a thread that may wait.
pub(crate) fn write_content(mut content: impl io::Read) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    let copied = io::copy(&mut content, &mut out).and_then(|_| out.flush());
    copied.map_err(output_error)
}

fn write_out(bytes: &[u8]) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(output_error)
}

fn output_error(error: io::Error) -> CliError {
    if error.kind() == io::ErrorKind::BrokenPipe {
        CliError::output_closed()
    } else {
        CliError::failed("cannot write to stdout").because(error)
    }
}
