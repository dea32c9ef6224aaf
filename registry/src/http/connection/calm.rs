//! The socket of an HTTP/2 connection: it tells the watch of heads that come, and ends the connection of a client that keeps the server
//! busy with frames that ask for nothing.
//!
//! h2 itself bounds CONTINUATION frames, small DATA frames, and streams that are reset before they are accepted. It does answer every
//! PING and SETTINGS, and every reset costs a request that was begun. Those are counted here.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

use super::{
    Io,
    frames::{Frame, Frames},
    watch::Watch,
};

const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;
/// `ENHANCE_YOUR_CALM` (RFC 9113, section 7).
const CALM: u8 = 11;

/// How many frames that ask for nothing a client may send at once, and how long it takes until it may send one more.
const MOST: u32 = 1000;
const ONE_MORE: Duration = Duration::from_millis(10);

pub(super) struct Calmed<I> {
    io: I,
    watch: Arc<Watch>,
    incoming: Incoming,
    outgoing: Frames,
    /// What is still to be written before the connection ends.
    farewell: Option<Farewell>,
}

struct Incoming {
    frames: Frames,
    last_stream: u32,
    allowance: u32,
    since: Instant,
}

struct Farewell {
    frame: Vec<u8>,
    written: usize,
    shut_down: bool,
}

impl<I: Io> Calmed<I> {
    pub(super) fn new(io: I, watch: Arc<Watch>) -> Self {
        Self {
            io,
            watch,
            incoming: Incoming {
                frames: Frames::of_client(),
                last_stream: 0,
                allowance: MOST,
                since: Instant::now(),
            },
            outgoing: Frames::of_server(),
            farewell: None,
        }
    }

    /// Takes note of what was written of `pieces`.
    fn wrote<'a>(&mut self, outcome: &Poll<io::Result<usize>>, pieces: impl Iterator<Item = &'a [u8]>) {
        self.watch.wrote(outcome);
        let mut written = match outcome {
            Poll::Ready(Ok(written)) => *written,
            _ => 0,
        };
        for piece in pieces {
            let taken = piece.len().min(written);
            self.outgoing.follow(&piece[..taken], |_| (), |_| ());
            written -= taken;
        }
    }

    /// Says why the connection ends, and reads on until the client has closed it: closing with unread bytes would take the reason away
    /// again. The watch has the deadline.
    fn poll_farewell(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Some(farewell) = &mut self.farewell else {
            return Poll::Ready(Ok(()));
        };
        while farewell.written < farewell.frame.len() {
            let rest = &farewell.frame[farewell.written..];
            farewell.written += match ready!(Pin::new(&mut self.io).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => written,
            };
        }
        if !farewell.shut_down {
            ready!(Pin::new(&mut self.io).poll_shutdown(cx))?;
            farewell.shut_down = true;
        }
        let before = buffer.filled().len();
        loop {
            ready!(Pin::new(&mut self.io).poll_read(cx, buffer))?;
            if buffer.filled().len() == before {
                return Poll::Ready(Err(io::Error::other("the client sent too much that asks for nothing")));
            }
            buffer.set_filled(before);
        }
    }
}

impl Incoming {
    /// Takes note of bytes that came. False if there were too many frames that ask for nothing.
    fn read(&mut self, bytes: &[u8], watch: &Watch) -> bool {
        let Self {
            frames,
            last_stream,
            allowance,
            since,
        } = self;
        let mut too_many = false;
        let begins = |frame: Frame| {
            match frame.kind {
                HEADERS | CONTINUATION => watch.head_begins(),
                _ => {}
            }
            if frame.kind == HEADERS {
                *last_stream = frame.stream.max(*last_stream);
            }
            let idle = match frame.kind {
                RST_STREAM | PRIORITY | CONTINUATION => true,
                SETTINGS | PING => frame.flags & ACK == 0,
                // Frames of kinds that nobody knows are skipped.
                kind => kind > CONTINUATION,
            };
            if idle {
                if *allowance == 0 {
                    let now = Instant::now();
                    let more = (now - *since).as_millis() / ONE_MORE.as_millis();
                    *allowance = u32::try_from(more).unwrap_or(MOST).min(MOST);
                    *since = now;
                }
                too_many |= *allowance == 0;
                *allowance = allowance.saturating_sub(1);
            }
        };
        let ends = |frame: Frame| {
            if matches!(frame.kind, HEADERS | CONTINUATION) && frame.flags & END_HEADERS != 0 {
                watch.head_ends();
            }
        };
        frames.follow(bytes, begins, ends);
        !too_many
    }
}

impl Farewell {
    /// GOAWAY, if a frame can be written at this point.
    fn new(last_stream: u32, can_be_written: bool) -> Self {
        let mut frame = Vec::new();
        if can_be_written {
            frame.extend([0, 0, 8, 7, 0, 0, 0, 0, 0]);
            frame.extend(last_stream.to_be_bytes());
            frame.extend([0, 0, 0, CALM]);
        }
        Self {
            frame,
            written: 0,
            shut_down: false,
        }
    }
}

impl<I: Io> AsyncRead for Calmed<I> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.farewell.is_none() {
            let before = buffer.filled().len();
            ready!(Pin::new(&mut this.io).poll_read(cx, buffer))?;
            this.watch.received(buffer.filled().len() - before);
            if this.incoming.read(&buffer.filled()[before..], &this.watch) {
                return Poll::Ready(Ok(()));
            }
            buffer.set_filled(before);
            this.watch.leaves();
            this.farewell = Some(Farewell::new(this.incoming.last_stream, this.outgoing.is_between()));
        }
        this.poll_farewell(cx, buffer)
    }
}

impl<I: Io> AsyncWrite for Calmed<I> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.farewell.is_some() {
            // Nothing else is said any more; the reading side ends the connection.
            return Poll::Pending;
        }
        let outcome = Pin::new(&mut this.io).poll_write(cx, bytes);
        this.wrote(&outcome, std::iter::once(bytes));
        outcome
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.farewell.is_some() {
            return Poll::Pending;
        }
        let outcome = Pin::new(&mut this.io).poll_write_vectored(cx, bytes);
        this.wrote(&outcome, bytes.iter().map(|piece| &**piece));
        outcome
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}
