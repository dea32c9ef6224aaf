//! Operations that only read: whole requests, known before the clock starts, again and again.

use super::{Answer, Next, Request, Work};

/// A request, and what its answer must be.
#[derive(Clone)]
pub(in crate::load) struct Exchange {
    pub(in crate::load) request: Vec<u8>,
    pub(in crate::load) status: u16,
    /// Bytes of the body, where they are always the same.
    pub(in crate::load) length: Option<u64>,
    pub(in crate::load) is_head: bool,
}

/// Operations in turn, each of one exchange or more.
pub(in crate::load) struct Reads {
    pub(in crate::load) operations: Vec<Vec<Exchange>>,
}

impl Reads {
    fn write(&self, number: usize, step: usize, request: &mut Request<'_>) -> bool {
        let exchange = self.operations[number % self.operations.len()].get(step);
        if let Some(exchange) = exchange {
            request.clear(step);
            request.push(&[&exchange.request]);
            request.is_head = exchange.is_head;
        }
        exchange.is_some()
    }
}

impl Work for Reads {
    fn begin<'a>(&'a self, number: usize, request: &mut Request<'a>) -> bool {
        self.write(number, 0, request)
    }

    fn answered<'a>(&'a self, number: usize, answer: &Answer, request: &mut Request<'a>) -> Next {
        let step = request.step;
        let exchange = &self.operations[number % self.operations.len()][step];
        let is_right = answer.status == exchange.status && exchange.length.is_none_or(|length| length == answer.length);
        if !is_right {
            Next::Wrong
        } else if self.write(number, step + 1, request) {
            Next::Send
        } else {
            Next::Done
        }
    }
}
