//! New tags of one manifest, in one repository.

use super::{Answer, Next, Request, Work};
use crate::load::payload::IMAGE;

/// A tag by an operation.
pub(in crate::load) struct Retag {
    /// The request up to the tag's number: method, repository, and what the tags begin with.
    pub(in crate::load) start: String,
    /// Host and credentials.
    pub(in crate::load) common: String,
    pub(in crate::load) manifest: String,
    /// How many.
    pub(in crate::load) count: usize,
}

impl Work for Retag {
    fn begin<'a>(&'a self, number: usize, request: &mut Request<'a>) -> bool {
        if number >= self.count {
            return false;
        }
        request.clear(0);
        let Self {
            start,
            common,
            manifest,
            ..
        } = self;
        let head = format!(
            "{start}{number:07} HTTP/1.1\r\n{common}Content-Type: {IMAGE}\r\nContent-Length: {}\r\n\r\n",
            manifest.len()
        );
        request.push(&[head.as_bytes(), manifest.as_bytes()]);
        true
    }

    fn answered<'a>(&'a self, _number: usize, answer: &Answer, _request: &mut Request<'a>) -> Next {
        if answer.status == 201 { Next::Done } else { Next::Wrong }
    }
}
