//! Request bodies that fail when nothing of them comes for too long.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until};

use super::watch::Watch;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The error of a body of which nothing came for [`body_stall`](super::ConnectionLimits::body_stall). The connection is closed after
/// the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the client sent nothing of the request's body for too long")]
pub struct BodyStalled;

/// The body of a request. Time runs only while someone waits for the next bytes: a server that is busy with the last ones is no
/// fault of the client's.
pub(super) struct RequestBody {
    /// Let go of once it stalled: then hyper reads no more, and closes the connection.
    incoming: Option<Incoming>,
    limit: Duration,
    watch: Arc<Watch>,
    timer: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

impl RequestBody {
    pub(super) fn new(incoming: Incoming, limit: Duration, watch: Arc<Watch>) -> Self {
        Self {
            incoming: Some(incoming),
            limit,
            watch,
            timer: None,
            waiting: false,
        }
    }

    /// Ready when the bytes that are waited for are overdue.
    fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let overdue = || Instant::now() + self.limit;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(overdue())));
        if !self.waiting {
            timer.as_mut().reset(overdue());
            self.waiting = true;
        }
        timer.as_mut().poll(cx)
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let Some(incoming) = &mut this.incoming else {
            return Poll::Ready(None);
        };
        if let Poll::Ready(frame) = Pin::new(&mut *incoming).poll_frame(cx) {
            this.waiting = false;
            if frame.is_none() || incoming.is_end_stream() {
                this.watch.body_ends();
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        ready!(this.poll_overdue(cx));
        this.incoming = None;
        Poll::Ready(Some(Err(BodyStalled.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}
