//! The log of a server, for the message of a test that fails: what is printed of a failure elsewhere may be cut down to a few lines.

use std::{fmt, net::SocketAddr};

use crate::output::Output;

/// How many lines are told, and how much of each in bytes.
const LINES: usize = 6;
const LENGTH: usize = 600;

/// What a server wrote to its log so far, also after its end. Displayed: the last of its warnings, errors and panics.
#[derive(Clone, Debug)]
pub struct Log {
    server: SocketAddr,
    written: Output,
}

impl Log {
    pub(crate) fn new(server: SocketAddr, written: Output) -> Self {
        Self { server, written }
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (server, written) = (self.server, self.written.text());
        let trouble = trouble(&written);
        if trouble.is_empty() {
            return write!(f, "the log of {server} tells of no trouble");
        }
        write!(f, "the log of {server} ends with this trouble:")?;
        let last = trouble.len().saturating_sub(LINES);
        for line in &trouble[last..] {
            write!(f, "\n{}", &line[..line.floor_char_boundary(LENGTH)])?;
        }
        Ok(())
    }
}

/// The lines of warnings, errors and panics, a panic with its message, which is the next line.
fn trouble(log: &str) -> Vec<&str> {
    let mut panics = false;
    let is_trouble = |line: &&str| {
        let [is_message, is_panic] = [panics, line.contains("panicked at ")];
        panics = is_panic;
        let levels = [" WARN ", " ERROR ", r#""level":"WARN""#, r#""level":"ERROR""#];
        is_message || is_panic || levels.iter().any(|level| line.contains(level))
    };
    log.lines().filter(is_trouble).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_errors_and_panics_are_told_apart_from_the_rest() {
        let log = "2026-01-01T00:00:00Z  INFO request{id=1}: answered status=200\n\
                   2026-01-01T00:00:00Z  WARN request{id=1}: it broke off\n\
                   {\"timestamp\":\"2026-01-01T00:00:00Z\",\"level\":\"ERROR\",\"fields\":{}}\n\
                   thread 'main' panicked at src/main.rs:1:2:\n\
                   the reason\n\
                   note: run with a backtrace\n";
        let expected: Vec<_> = log.lines().skip(1).take(4).collect();
        assert_eq!(trouble(log), expected);
    }

    #[test]
    fn the_last_lines_are_told_and_none_is_long() {
        let server = SocketAddr::from(([127, 0, 0, 1], 5));
        let log = |text: &str| Log::new(server, Output::of(text)).to_string();
        assert_eq!(log(" INFO all is well\n"), "the log of 127.0.0.1:5 tells of no trouble");
        let lines = (1..=LINES + 1).map(|number| format!(" WARN {number}{}", "é".repeat(LENGTH)));
        let lines: Vec<_> = lines.collect();
        let told = log(&lines.join("\n"));
        let told: Vec<_> = told.lines().skip(1).collect();
        assert_eq!(told.len(), LINES);
        assert!(told[0].starts_with(" WARN 2") && told.iter().all(|line| line.len() <= LENGTH));
    }
}
