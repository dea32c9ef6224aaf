//! The WIT text of a component or WIT package.
//!
//! The text is made by wit-component, which reads whatever passed the gate but was not made for hostile input: it asserts,
//! and its output can be far larger than its input. So it runs on a thread of its own, whose panics end there, with room for
//! deep recursion, and writes into a sink that ends it when the text is long enough.

use std::panic::{self, AssertUnwindSafe};

use serde::{Deserialize, Serialize};
use wit_component::{Output, WitPrinter};

use crate::{
    apart::{Ended, apart},
    invalid::{Invalid, Reason},
    text,
    validate::{Kind, validate},
};

/// The longest WIT text, in bytes: 2 MiB.
pub const MAX_WIT_TEXT: usize = 2 << 20;

/// WIT text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wit {
    /// The main package, then every other package that it mentions, in `package … { … }` blocks; documentation included
    /// where the file carries it. A component's main package is called `root:component` and its world `root`, since a
    /// component carries no better name.
    pub text: String,
    /// Whether the text was longer than [`MAX_WIT_TEXT`] and ends before the end, after a whole line.
    pub truncated: bool,
}

/// The WIT text of a component or WIT package that is in memory.
///
/// # Errors
///
/// [`Reason::NoWit`] for a core module, and for a component whose interface WIT cannot express or that the text maker does not
/// understand; otherwise what [`validate`] says.
pub fn wit(bytes: &[u8]) -> Result<Wit, Invalid> {
    if validate(bytes)?.kind == Kind::Module {
        return Err(no_wit(
            "a core module has no WIT: only components and WIT packages have",
        ));
    }
    write(bytes)
}

/// [`wit`] of a component or WIT package that passed the gate.
pub(crate) fn write(bytes: &[u8]) -> Result<Wit, Invalid> {
    match apart("wit", || make(bytes)) {
        Ok(made) => made,
        Err(Ended::Panicked) => Err(no_wit("the WIT of this component cannot be written")),
        Err(Ended::NoThread(error)) => Err(no_wit(&format!("no thread to write the WIT with: {error}"))),
    }
}

fn no_wit(message: &str) -> Invalid {
    Invalid::new(Reason::NoWit, None, message)
}

fn make(bytes: &[u8]) -> Result<Wit, Invalid> {
    let unreadable = |error| no_wit(&format!("the WIT of this component cannot be written: {error:#}"));
    let decoded = wit_component::decode(bytes).map_err(unreadable)?;
    let (resolve, main) = (decoded.resolve(), decoded.package());
    let others: Vec<_> = resolve
        .packages
        .iter()
        .map(|(id, _)| id)
        .filter(|id| *id != main)
        .collect();
    let mut text = Text::default();
    let mut printer = WitPrinter::new(Sink(&mut text));
    match panic::catch_unwind(AssertUnwindSafe(|| printer.print(resolve, main, &others))) {
        Ok(outcome) => outcome.map_err(unreadable)?,
        Err(_full) if text.full => {}
        Err(panic) => panic::resume_unwind(panic),
    }
    let truncated = text.full;
    Ok(Wit {
        text: text.finish(),
        truncated,
    })
}

#[derive(Default)]
struct Text {
    written: String,
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
        if self.0.written.len() + text.len() > MAX_WIT_TEXT {
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
