//! The streams of an HTTP/2 connection. Each is a task of its own, because each can stall by itself: a client that takes nothing of one
//! response may well take others, and the socket is never blocked.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hyper::{rt::Executor, server::conn::http2};
use tokio::time::{Instant, sleep_until};

use super::ConnectionLimits;

/// How many requests of one connection are under way at a time.
const AT_ONCE: u32 = 100;
/// Streams that the server had to reset, because their client broke the protocol, before the connection ends.
const BROKEN: usize = 100;
/// What a client may send ahead of a handler, in bytes: on one stream, and on all of a connection.
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 2 * 1024 * 1024;
/// What is kept of one response until the client takes it, in bytes.
pub(super) const SEND_BUFFER: usize = 64 * 1024;

/// How hyper is to speak HTTP/2.
pub(super) fn http(limits: &ConnectionLimits) -> http2::Builder<Streams> {
    let streams = Streams {
        write_stall: limits.write_stall,
    };
    let mut http = http2::Builder::new(streams);
    http.max_concurrent_streams(AT_ONCE)
        .max_local_error_reset_streams(BROKEN)
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER);
    http
}

/// Runs the streams of one connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Streams {
    write_stall: Duration,
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Streams {
    fn execute(&self, stream: F) {
        let (taking, limit) = (Taking::default(), self.write_stall);
        tokio::spawn(async move {
            // A stream that is dropped is reset.
            tokio::select! {
                () = TAKING.scope(taking.clone(), stream) => {}
                () = taking.stalls(limit) => tracing::debug!("a client took nothing of a response for too long"),
            }
        });
    }
}

tokio::task_local! {
    static TAKING: Taking;
}

/// Since when a piece of a response waits to be taken.
#[derive(Debug, Clone, Default)]
pub(super) struct Taking(Arc<Mutex<Option<Instant>>>);

impl Taking {
    /// The one of the stream that asks; `None` on a connection without streams.
    pub(super) fn of_this_stream() -> Option<Self> {
        TAKING.try_with(Clone::clone).ok()
    }

    /// A piece was handed over, and nobody has asked for the next.
    pub(super) fn waits(&self) {
        self.set(Some(Instant::now()));
    }

    /// The next piece is asked for.
    pub(super) fn goes_on(&self) {
        self.set(None);
    }

    fn set(&self, since: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    /// Ends when a piece has waited for `limit`. It looks no more often than that: what begins to wait between two looks is seen at the
    /// next, before it has waited too long.
    async fn stalls(&self, limit: Duration) {
        loop {
            let now = Instant::now();
            let since = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let deadline = since.unwrap_or(now) + limit;
            if deadline <= now {
                return;
            }
            sleep_until(deadline).await;
        }
    }
}
