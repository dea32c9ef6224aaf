//! What a command fails with: whether the answer is no or could not be found out, why, and what to do about it.

use std::{error::Error, fmt};

/// What kind of failure it is, which decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The question was asked and the answer is no: exit code 1.
    No,
    /// The question was asked wrongly: exit code 2.
    Usage,
    /// The answer could not be found out: exit code 2.
    Failed,
    /// A signal ended the command; the number is the signal's: exit code 128 + number.
    Interrupted(u8),
    /// Whoever read the output has closed it: exit code 2, and nothing is said.
    OutputClosed,
}

impl Kind {
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::No => 1,
            Self::Usage | Self::Failed | Self::OutputClosed => 2,
            Self::Interrupted(signal) => 128 + signal,
        }
    }

    /// As the JSON result names it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Usage => "usage",
            Self::Failed | Self::OutputClosed => "failed",
            Self::Interrupted(_) => "interrupted",
        }
    }
}

/// Why a command ended without doing what it was asked.
#[derive(Debug)]
pub(crate) struct CliError {
    kind: Kind,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
    hint: Option<String>,
}

impl CliError {
    fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
            hint: None,
        }
    }

    /// The answer is no.
    pub(crate) fn no(message: impl Into<String>) -> Self {
        Self::new(Kind::No, message)
    }

    /// The command line or the environment asks for what cannot be.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// Something is broken or out of reach.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }

    /// A signal came.
    pub(crate) fn interrupted(signal: u8) -> Self {
        Self::new(Kind::Interrupted(signal), "interrupted")
    }

    /// Nobody reads the output any more.
    pub(crate) fn output_closed() -> Self {
        Self::new(Kind::OutputClosed, "the output was closed before all of it was written")
    }

    /// The same with what caused it.
    pub(crate) fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same with what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same in other words.
    pub(crate) fn reworded(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// The same where a no says nothing about what the command was asked.
    pub(crate) fn unanswered(mut self) -> Self {
        if self.kind == Kind::No {
            self.kind = Kind::Failed;
        }
        self
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The causes, nearest first; one that only repeats the sentence before it is left out.
    pub(crate) fn causes(&self) -> Vec<String> {
        let mut causes = Vec::new();
        let mut last = self.message.clone();
        let mut source = self.source();
        while let Some(error) = source {
            let text = error.to_string();
            if !last.contains(&text) {
                causes.push(text.clone());
                last = text;
            }
            source = error.source();
        }
        causes
    }
}

impl From<wreg_client::Error> for CliError {
    fn from(error: wreg_client::Error) -> Self {
        let kind = if error.is_no() { Kind::No } else { Kind::Failed };
        Self {
            kind,
            message: error.to_string(),
            hint: error.hint(),
            source: Some(Box::new(error)),
        }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for CliError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_that_repeat_are_left_out() {
        let inner = std::io::Error::other(CliError::failed("the disk is full"));
        let error = CliError::failed("cannot write a.wasm").because(inner);
        assert_eq!(error.causes(), ["the disk is full"]);
    }

    #[test]
    fn a_no_and_a_failure_have_different_exit_codes() {
        assert_eq!(CliError::no("no").kind().exit_code(), 1);
        assert_eq!(CliError::failed("down").kind().exit_code(), 2);
        assert_eq!(CliError::interrupted(2).kind().exit_code(), 130);
    }
}
