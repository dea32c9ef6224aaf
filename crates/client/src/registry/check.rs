//! wreg's own API: the check of the store against the database, told while it goes on.

use std::ops::ControlFlow;

use bytes::BytesMut;
use http::{Method, StatusCode};
use wreg_api::{CHECK, CheckLine, Checked, Finding};
use wreg_oci::Host;

use super::Registry;
use crate::{
    Error,
    http::{Access, Call, in_time},
};

const WHAT: &str = "check of the store";

/// The most bytes of one line: a finding names a repository, a digest and what is wrong.
const MAX_LINE: usize = 64 * 1024;

/// A check under way. Dropping it ends the check.
#[derive(Debug)]
pub struct Check {
    registry: Host,
    answer: reqwest::Response,
    /// What came and is no whole line yet.
    rest: BytesMut,
}

impl Registry {
    /// Has the registry check its store against its database: with `deep` all bytes are read, with `repair` what can be made good
    /// without losing anything is. A check that is asked for twice does no harm.
    pub async fn check(&self, deep: bool, repair: bool) -> Result<Check, Error> {
        let mut url = self.connection.origin.at(CHECK);
        for (name, is_wanted) in [("deep", deep), ("repair", repair)] {
            url.query_pairs_mut().append_pair(name, &is_wanted.to_string());
        }
        let call = Call::new(Method::POST, url, WHAT, Access::Personal(None));
        Ok(Check {
            registry: self.host().clone(),
            answer: self.connection.ask(&call, &[StatusCode::OK]).await?,
            rest: BytesMut::new(),
        })
    }
}

impl Check {
    /// What is found next, as soon as it is; at the end how much was looked at. [`Error::Unfinished`] if the registry does not get
    /// that far: what it has not found until then says nothing.
    pub async fn next(&mut self) -> Result<ControlFlow<Checked, Finding>, Error> {
        loop {
            let line = self.line().await?;
            // An empty one says that it goes on.
            if line.trim_ascii().is_empty() {
                continue;
            }
            match serde_json::from_slice(&line).map_err(|error| self.misunderstood(&error))? {
                CheckLine::Finding(finding) => return Ok(ControlFlow::Continue(finding)),
                CheckLine::Checked(checked) => return Ok(ControlFlow::Break(checked)),
                CheckLine::Failed => return Err(self.unfinished("something failed there, and its log says what")),
            }
        }
    }

    async fn line(&mut self) -> Result<BytesMut, Error> {
        let mut searched = 0;
        loop {
            let end = self.rest[searched..].iter().position(|byte| *byte == b'\n');
            if let Some(end) = end {
                return Ok(self.rest.split_to(searched + end + 1));
            }
            searched = self.rest.len();
            if searched > MAX_LINE {
                return Err(Error::TooLarge {
                    registry: self.registry.clone(),
                    what: format!("a line of the {WHAT}"),
                    limit: MAX_LINE as u64,
                    unit: "bytes",
                });
            }
            let piece = in_time(self.answer.chunk()).await;
            match piece.map_err(|failure| failure.at(&self.registry, WHAT))? {
                Some(piece) => self.rest.extend_from_slice(&piece),
                None => return Err(self.unfinished("the answer ended before the check did")),
            }
        }
    }

    fn unfinished(&self, problem: &str) -> Error {
        Error::Unfinished {
            registry: self.registry.clone(),
            what: WHAT.to_owned(),
            problem: problem.to_owned(),
        }
    }

    fn misunderstood(&self, error: &serde_json::Error) -> Error {
        Error::Protocol {
            registry: self.registry.clone(),
            what: WHAT.to_owned(),
            problem: error.to_string(),
        }
    }
}
