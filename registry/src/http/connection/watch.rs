//! What a connection is doing and since when: the socket and the service tell, the connection's task asks for the deadline.

use std::{
    future::Future,
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};

use super::{ConnectionLimits, Io, refusal::Refusal};
use crate::metrics::Traffic;

/// Room in the request line for what is not the target: method, version and separators.
const AROUND_TARGET: usize = 64;

/// The state of one connection.
pub(super) struct Watch {
    limits: ConnectionLimits,
    traffic: Traffic,
    state: Mutex<State>,
}

struct State {
    phase: Phase,
    /// Since when the socket has taken nothing of what is to be written.
    write_blocked: Option<Instant>,
    refusal: Option<Refusal>,
    /// Bytes of a request's body may still come. As long as that is so, no head is made out in what comes: a body of which the handler
    /// wanted nothing outlasts its response.
    body_open: bool,
    /// The client has closed its end.
    ended: bool,
    /// Since when a head of HTTP/2 is on its way; other requests may be under way meanwhile.
    head: Option<Instant>,
    /// Since when the server takes no more requests.
    draining: Option<Instant>,
    /// Since when the connection only waits for the client to close it.
    leaving: Option<Instant>,
}

enum Phase {
    /// A head is awaited or on its way.
    Head { since: Instant, seen: Head },
    /// So many requests are with their handlers, or their responses are being made.
    Busy { requests: usize },
    /// The response is made; nothing of another request has come.
    Idle { since: Instant },
}

/// How much of a head has come.
#[derive(Default)]
struct Head {
    /// All of it, in bytes.
    length: usize,
    /// The line that is on its way, in bytes without its end.
    line: usize,
    /// The request line is over.
    in_fields: bool,
}

impl Watch {
    pub(super) fn new(limits: ConnectionLimits, traffic: Traffic) -> Self {
        let phase = Phase::Head {
            since: Instant::now(),
            seen: Head::default(),
        };
        let state = State {
            phase,
            write_blocked: None,
            refusal: None,
            body_open: false,
            ended: false,
            head: None,
            draining: None,
            leaving: None,
        };
        Self {
            limits,
            traffic,
            state: Mutex::new(state),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the head was refused while it came, if it was.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        self.state().refusal
    }

    /// True if what the client still sends could cost it the answer: the connection ends in the middle of a head or of a body.
    pub(super) fn may_send_more(&self) -> bool {
        let state = self.state();
        !state.ended && (state.body_open || !matches!(state.phase, Phase::Idle { .. }))
    }

    /// True if closing the connection now disturbs no request and no response.
    pub(super) fn is_between_requests(&self) -> bool {
        let state = self.state();
        !matches!(state.phase, Phase::Busy { .. }) && state.write_blocked.is_none()
    }

    /// Ready once the connection has been silent for too long.
    ///
    /// The timer is set anew only when it has run out, or when a nearer deadline came up: a request on a busy connection costs no timer
    /// operation.
    pub(super) fn poll_deadline(&self, mut timer: Pin<&mut Sleep>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline() else {
            return Poll::Pending;
        };
        if timer.deadline() > deadline {
            timer.as_mut().reset(deadline);
        }
        loop {
            ready!(timer.as_mut().poll(cx));
            if timer.deadline() >= deadline {
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let (state, limits) = (self.state(), &self.limits);
        if let Some(since) = state.leaving {
            return Some(since + limits.linger);
        }
        if let Some(since) = state.write_blocked {
            return Some(since + limits.write_stall);
        }
        let (since, limit) = match state.phase {
            Phase::Busy { .. } => return state.head.map(|since| since + limits.header_read),
            Phase::Head { since, .. } => (since, limits.header_read),
            Phase::Idle { since } => (since, limits.idle),
        };
        if let Some(draining) = state.draining {
            return Some(since.max(draining) + limits.linger);
        }
        let head = state.head.map(|since| since + limits.header_read);
        Some(head.unwrap_or(since + limit).min(since + limit))
    }

    /// Takes note of bytes that came, none if the client has closed its end. An error means that they begin a head that is refused.
    fn read(&self, bytes: &[u8]) -> io::Result<()> {
        self.received(bytes.len());
        let mut state = self.state();
        let state = &mut *state;
        if bytes.is_empty() {
            state.ended = true;
            return Ok(());
        }
        if matches!(state.phase, Phase::Idle { .. }) && !state.body_open {
            state.phase = Phase::Head {
                since: Instant::now(),
                seen: Head::default(),
            };
        }
        if let Phase::Head { seen, .. } = &mut state.phase {
            state.refusal = seen.add(bytes, &self.limits);
        }
        state
            .refusal
            .map_or(Ok(()), |_| Err(io::Error::other("the head of the request is too long")))
    }

    /// Counts bytes that came.
    pub(super) fn received(&self, bytes: usize) {
        self.traffic.received(bytes);
    }

    /// Takes note of bytes that were written, or could not be.
    pub(super) fn wrote(&self, outcome: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(written)) = outcome {
            self.traffic.sent(*written);
        }
        let mut state = self.state();
        if outcome.is_pending() {
            state.write_blocked.get_or_insert_with(Instant::now);
        } else {
            state.write_blocked = None;
        }
    }

    /// A whole head was read, and its request goes to the service.
    pub(super) fn request_begins(&self, has_body: bool) {
        let mut state = self.state();
        let before = match state.phase {
            Phase::Busy { requests } => requests,
            _ => 0,
        };
        state.phase = Phase::Busy { requests: before + 1 };
        state.body_open = has_body;
    }

    /// The last of the body was read.
    pub(super) fn body_ends(&self) {
        self.state().body_open = false;
    }

    /// The last of the response is on its way.
    pub(super) fn response_ends(&self) {
        let mut state = self.state();
        state.phase = match state.phase {
            Phase::Busy { requests } if requests > 1 => Phase::Busy { requests: requests - 1 },
            _ => Phase::Idle { since: Instant::now() },
        };
    }

    /// A head of HTTP/2 begins, or goes on.
    pub(super) fn head_begins(&self) {
        self.state().head.get_or_insert_with(Instant::now);
    }

    /// The last of a head of HTTP/2 has come.
    pub(super) fn head_ends(&self) {
        self.state().head = None;
    }

    /// The server takes no more requests: between two of them the client has only the time to read so.
    pub(super) fn drains(&self) {
        self.state().draining.get_or_insert_with(Instant::now);
    }

    /// The server has said its last on this connection.
    pub(super) fn leaves(&self) {
        self.state().leaving.get_or_insert_with(Instant::now);
    }
}

impl Head {
    /// Counts bytes that came, as far as they belong to the head: in the same piece there may be a body after it.
    fn add(&mut self, bytes: &[u8], limits: &ConnectionLimits) -> Option<Refusal> {
        for byte in bytes {
            match byte {
                b'\n' if self.in_fields && self.line == 0 => return None,
                b'\n' => {
                    // An empty line before a request is skipped (RFC 9112, section 2.2).
                    self.in_fields = self.line > 0;
                    self.line = 0;
                }
                b'\r' => {}
                _ => self.line += 1,
            }
            self.length += 1;
            if !self.in_fields && self.line > limits.target + AROUND_TARGET {
                return Some(Refusal::Target);
            }
            if self.length > limits.target + AROUND_TARGET + limits.header_bytes {
                return Some(Refusal::Headers);
            }
        }
        None
    }
}

/// The socket, with its watch.
pub(super) struct Watched<I> {
    socket: I,
    watch: Arc<Watch>,
}

impl<I> Watched<I> {
    pub(super) fn new(socket: I, watch: Arc<Watch>) -> Self {
        Self { socket, watch }
    }

    pub(super) fn into_inner(self) -> I {
        self.socket
    }
}

impl<I: Io> AsyncRead for Watched<I> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.socket).poll_read(cx, buffer))?;
        Poll::Ready(this.watch.read(&buffer.filled()[before..]))
    }
}

impl<I: Io> AsyncWrite for Watched<I> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.socket).poll_write(cx, bytes);
        this.watch.wrote(&outcome);
        outcome
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.socket).poll_write_vectored(cx, bytes);
        this.watch.wrote(&outcome);
        outcome
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.watch.refusal().is_some() {
            // The answer is still to be written.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }
}
