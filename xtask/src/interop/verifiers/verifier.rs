//! What a verifier is to this task: how it is had, how it is asked, and what it is known to refuse.

use super::lies::Lie;
use crate::interop::client::Install;

/// A tool, with the ways to ask it.
pub(super) struct Tool {
    pub(super) name: &'static str,
    /// What it goes by, for readers.
    pub(super) about: &'static str,
    /// Where it comes from, and what it is called here; `None` is built here.
    pub(super) install: Option<Install>,
    pub(super) program: Option<&'static str>,
    pub(super) verifiers: &'static [Verifier],
}

/// A column.
pub(super) struct Verifier {
    pub(super) name: &'static str,
    /// Shell lines that succeed if it accepts. They stand on the page as they are.
    pub(super) run: &'static str,
    /// The lies that it refuses, with what it says then; it accepts all others.
    pub(super) refuses: &'static [(&'static str, &'static str)],
}

impl Verifier {
    /// What is not as it is known to be, given what it said if it refused.
    pub(super) fn wrong(&self, lie: &Lie, said: Option<&str>) -> Option<String> {
        let what = format!("{}: {} ({})", self.name, lie.name, lie.about);
        match (self.expected(lie.name), said) {
            (None, None) => None,
            (Some(_), None) => Some(format!("{what} is accepted")),
            (None, Some(said)) => Some(format!("{what} is refused: {said}")),
            (Some(words), Some(said)) if said.contains(words) => None,
            // Something else went wrong, which shows nothing.
            (Some(words), Some(said)) => Some(format!("{what} is not refused by \"{words}\": {said}")),
        }
    }

    fn expected(&self, lie: &str) -> Option<&'static str> {
        let mut refuses = self.refuses.iter();
        refuses.find(|(refused, _)| *refused == lie).map(|(_, words)| *words)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        lies::{LIES, TRUTH},
        tools::TOOLS,
    };

    #[test]
    fn wreg_refuses_every_lie_but_those_of_the_form_that_it_does_not_go_by() {
        let told = LIES.iter().map(|lie| lie.name);
        let accepted: Vec<_> = told
            .filter(|lie| *lie != TRUTH && TOOLS[0].verifiers.iter().any(|wreg| wreg.expected(lie).is_none()))
            .collect();
        assert_eq!(accepted, ["older-payload", "older-signature"]);
    }

    #[test]
    fn what_is_accepted_or_refused_otherwise_than_before_is_wrong() {
        let lie = |name| LIES.iter().find(|lie| lie.name == name).expect("it is told");
        let (wreg, tile) = (&TOOLS[0].verifiers[0], lie("tile"));
        assert_eq!(wreg.wrong(tile, Some("error: the log was rewritten")), None);
        assert_eq!(wreg.wrong(lie(TRUTH), None), None);
        assert!(wreg.wrong(tile, None).is_some());
        assert!(wreg.wrong(tile, Some("no route to host")).is_some());
        assert!(wreg.wrong(lie(TRUTH), Some("the log was rewritten")).is_some());
    }
}
