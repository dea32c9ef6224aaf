//! The service as hyper sees it: it tells the watch when a request begins and when its response ends.

use std::{
    convert::Infallible,
    future::{self, Future, poll_fn},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use axum::{
    body::Body,
    http::{HeaderValue, Request, Response, Version, header::CONNECTION},
};
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use tower_service::Service;

use super::{
    ConnectionLimits, Peer,
    body::RequestBody,
    life::Server,
    refusal::Refusal,
    streams::{SEND_BUFFER, Taking},
    watch::Watch,
};

/// The service of one connection.
pub(super) struct WatchedService<S> {
    service: S,
    peer: Peer,
    limits: ConnectionLimits,
    leaving: Arc<AtomicBool>,
    watch: Arc<Watch>,
}

impl<S> WatchedService<S> {
    pub(super) fn new(service: S, peer: Peer, server: &Server, watch: Arc<Watch>) -> Self {
        Self {
            service,
            peer,
            limits: server.limits,
            leaving: Arc::clone(&server.leaving),
            watch,
        }
    }

    fn prepare(&self, request: Request<Incoming>) -> Request<Body> {
        let mut request = request.map(|incoming| {
            if incoming.is_end_stream() {
                Body::empty()
            } else {
                Body::new(RequestBody::new(
                    incoming,
                    self.limits.body_stall,
                    Arc::clone(&self.watch),
                ))
            }
        });
        request.extensions_mut().insert(self.peer);
        request
    }
}

impl<S> hyper::service::Service<Request<Incoming>> for WatchedService<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.watch.request_begins(!request.body().is_end_stream());
        let end = End(Arc::clone(&self.watch));
        // HTTP/2 has its own way to say it, which comes when the server stops.
        let leaving = (request.version() < Version::HTTP_2).then(|| Arc::clone(&self.leaving));
        let watched = move |mut response: Response<Body>| {
            if leaving.is_some_and(|leaving| leaving.load(Ordering::Relaxed)) {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(CONNECTION, close);
            }
            response.map(|body| ResponseBody::new(body, end))
        };
        if let Some(refusal) = Refusal::of(&request, &self.limits) {
            return Box::pin(future::ready(Ok(watched(
                refusal.to_response(&self.limits, request.version()),
            ))));
        }
        let request = self.prepare(request);
        let mut service = self.service.clone();
        Box::pin(async move {
            poll_fn(|cx| service.poll_ready(cx)).await?;
            service.call(request).await.map(watched)
        })
    }
}

/// The end of a response, when it is dropped.
struct End(Arc<Watch>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.response_ends();
    }
}

/// The body of a response. hyper drops it when it has taken the last of it.
pub(super) struct ResponseBody {
    body: Body,
    /// On a stream of HTTP/2: whether the client takes what it is given. That shows only if it is given a little at a time.
    taking: Option<Taking>,
    /// What is left of a large piece.
    rest: Bytes,
    _end: End,
}

impl ResponseBody {
    fn new(body: Body, end: End) -> Self {
        Self {
            body,
            taking: Taking::of_this_stream(),
            rest: Bytes::new(),
            _end: end,
        }
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                other => return Poll::Ready(other),
            }
        }
        let piece = self.rest.split_to(self.rest.len().min(SEND_BUFFER));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}

impl http_body::Body for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let Some(taking) = this.taking.clone() else {
            return Pin::new(&mut this.body).poll_frame(cx);
        };
        taking.goes_on();
        let frame = ready!(this.poll_piece(cx));
        taking.waits();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = self.body.size_hint();
        let rest = self.rest.len() as u64;
        if let Some(length) = hint.exact() {
            return SizeHint::with_exact(length + rest);
        }
        hint.set_lower(hint.lower() + rest);
        hint
    }
}
