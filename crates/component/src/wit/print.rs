//! WIT text, written into a sink that ends the writing when there is enough of it.

use std::panic::{self, AssertUnwindSafe};

use wit_component::{Output, WitPrinter};
use wit_parser::{PackageId, Resolve};

use crate::text;

/// What was written.
pub(super) struct Printed {
    pub(super) text: String,
    /// Whether there would be more: the text ends after a whole line.
    pub(super) truncated: bool,
}

/// The text of the package `main`, then of `nested` in `package … { … }` blocks; at most `max` bytes of it. The error says why
/// it has none.
pub(super) fn print(resolve: &Resolve, main: PackageId, nested: &[PackageId], max: usize) -> Result<Printed, String> {
    let mut text = Text { max, ..Text::default() };
    let mut printer = WitPrinter::new(Sink(&mut text));
    match panic::catch_unwind(AssertUnwindSafe(|| printer.print(resolve, main, nested))) {
        Ok(outcome) => outcome.map_err(|error| format!("{error:#}"))?,
        Err(_full) if text.full => {}
        Err(panic) => panic::resume_unwind(panic),
    }
    let truncated = text.full;
    Ok(Printed {
        text: text.finish(),
        truncated,
    })
}

#[derive(Default)]
struct Text {
    written: String,
    /// The most bytes that are written.
    max: usize,
    /// How deep the current block is.
    indent: usize,
    at_line_start: bool,
    full: bool,
}

impl Text {
    fn finish(mut self) -> String {
        if self.full {
            let end = self.written.rfind('\n').map_or(0, |newline| newline + 1);
            self.written.truncate(end);
        }
        self.written
    }
}

/// Where the printer writes. The printer cannot be told to stop, so a full sink unwinds out of it.
struct Sink<'a>(&'a mut Text);

impl Output for Sink<'_> {
    fn push_str(&mut self, text: &str) {
        if self.0.written.len() + text.len() > self.0.max {
            self.0.full = true;
            panic::resume_unwind(Box::new("the text is full"));
        }
        self.0.written.extend(text.chars().map(text::visible));
    }

    fn indent_if_needed(&mut self) -> bool {
        let needed = std::mem::take(&mut self.0.at_line_start);
        if needed {
            for _ in 0..self.0.indent {
                self.push_str("  ");
            }
        }
        needed
    }

    fn indent_start(&mut self) {
        self.push_str(" {");
        self.0.indent += 1;
        self.newline();
    }

    fn indent_end(&mut self) {
        self.0.indent = self.0.indent.saturating_sub(1);
        self.indent_if_needed();
        self.push_str("}");
        self.newline();
    }

    fn newline(&mut self) {
        self.push_str("\n");
        self.0.at_line_start = true;
    }
}
