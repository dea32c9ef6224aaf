//! What connections do: operations, each a sequence of requests on one connection, prepared before the clock starts.

mod push;
mod reads;
mod retag;

pub(super) use self::{
    push::{How, Push},
    reads::{Exchange, Reads},
    retag::Retag,
};
use super::{answer::Answer, payload::Nonce};

/// A source of operations, by number.
pub(super) trait Work: Sync {
    /// Writes the first request of an operation. `false` if there are no more.
    fn begin<'a>(&'a self, number: usize, request: &mut Request<'a>) -> bool;

    /// Looks at the answer to a request of it, and writes the one that follows in its place.
    fn answered<'a>(&'a self, number: usize, answer: &Answer, request: &mut Request<'a>) -> Next;
}

/// What follows an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The request that was written.
    Send,
    /// Nothing: the operation is complete.
    Done,
    /// Nothing: this is not what should have come.
    Wrong,
}

/// A request: its head with a small body, or its head and a body that others share but for its end.
#[derive(Default)]
pub(super) struct Request<'a> {
    pub(super) head: Vec<u8>,
    pub(super) shared: &'a [u8],
    pub(super) nonce: Option<Nonce>,
    /// Whether it is HEAD, whose answer has no body.
    pub(super) is_head: bool,
    /// Which one of its operation it is.
    pub(super) step: usize,
}

impl Request<'_> {
    /// Makes it empty, for that step.
    pub(super) fn clear(&mut self, step: usize) {
        self.step = step;
        self.head.clear();
        self.shared = &[];
        self.nonce = None;
        self.is_head = false;
    }

    pub(super) fn push(&mut self, parts: &[&[u8]]) {
        for part in parts {
            self.head.extend_from_slice(part);
        }
    }

    /// All its bytes.
    pub(super) fn len(&self) -> usize {
        self.head.len() + self.shared.len() + self.nonce.map_or(0, |nonce| nonce.len())
    }

    /// What is left of its parts when so many bytes have gone out.
    pub(super) fn rest(&self, mut sent: usize) -> [&[u8]; 3] {
        let nonce = self.nonce.as_ref().map_or(&[][..], |nonce| nonce.as_slice());
        [&self.head, self.shared, nonce].map(|part: &[u8]| {
            let gone = sent.min(part.len());
            sent -= gone;
            &part[gone..]
        })
    }

    /// Its first line, for messages.
    pub(super) fn line(&self) -> String {
        let line = self.head.split(|byte| *byte == b'\r').next().unwrap_or_default();
        String::from_utf8_lossy(line).replace(" HTTP/1.1", "")
    }
}
