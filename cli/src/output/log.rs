//! What the libraries log, on stderr in the manner of everything else there.

use std::fmt;

use tracing::{Event, Level, Subscriber, field::Field};
use tracing_subscriber::{
    EnvFilter,
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

use super::text::{one_line, plain};
use crate::args::Global;

/// Shows what the libraries log: warnings, unless `--quiet`; from the second `-v` on the requests, from the third everything.
pub(crate) fn log(global: &Global) {
    let level = match global.verbose {
        _ if global.quiet => return,
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let installed = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(format!("wreg={level},wreg_client={level}")))
        .with_writer(std::io::stderr)
        .event_format(Lines)
        .try_init();
    // It can only fail where somebody else installed one, and then the events are shown there.
    drop(installed);
}

/// `warning: message key=value`.
struct Lines;

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let level = match *event.metadata().level() {
            Level::ERROR => "error",
            Level::WARN => "warning",
            Level::INFO => "note",
            Level::DEBUG => "debug",
            Level::TRACE => "trace",
        };
        let mut line = Line::default();
        event.record(&mut line);
        writeln!(
            writer,
            "{level}: {}{}",
            one_line(&plain(&line.message)),
            one_line(&plain(&line.fields))
        )
    }
}

#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl tracing::field::Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        use fmt::Write as _;
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}
