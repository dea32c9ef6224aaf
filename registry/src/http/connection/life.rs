//! The life of one connection: its deadlines while hyper serves it, and a goodbye that the client gets to read.

use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{Arc, atomic::AtomicBool},
    task::Poll,
};

use axum::{
    body::Body,
    http::{Request, Response},
};
use hyper::server::conn::{http1, http2};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{Instant, sleep_until, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::sync::CancellationToken;
use tower_service::Service;

use super::{
    ConnectionLimits, Io, Peer,
    calm::Calmed,
    service::WatchedService,
    streams,
    watch::{Watch, Watched},
};
use crate::metrics::Traffic;

/// The most that hyper reads ahead, in bytes, where heads may not be longer. A connection keeps what it once needed: 8 KiB, or all of it
/// after a body that came fast. Larger buffers make uploads no faster.
const READ_AHEAD: usize = 48 * 1024;

/// What all connections of a server share.
pub(super) struct Server {
    pub(super) limits: ConnectionLimits,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) traffic: Traffic,
    /// Soon no more requests are taken.
    pub(super) leaving: Arc<AtomicBool>,
    /// No more requests are taken.
    pub(super) draining: CancellationToken,
    /// No more time is left.
    pub(super) cut: CancellationToken,
}

/// How a connection ended.
enum End {
    /// hyper is done with it.
    Served(hyper::Result<()>),
    /// It said or took nothing for too long, or the server stops.
    Dropped,
}

impl Server {
    /// One connection, from its acceptance to its end.
    pub(super) async fn converse<I, S>(self: Arc<Self>, io: I, peer: SocketAddr, service: S)
    where
        I: Io,
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
        S::Future: Send + 'static,
    {
        let _open = self.traffic.open();
        let mut peer = Peer {
            address: peer,
            tls: false,
        };
        let Some(tls) = &self.tls else {
            return self.speak(io, peer, service).await;
        };
        peer.tls = true;
        // Each on the heap: the task has room for what it is at, and connections without TLS pay for neither.
        match Box::pin(self.shake_hands(tls, io)).await {
            Ok(io) if io.get_ref().1.alpn_protocol() == Some(b"h2") => {
                Box::pin(self.speak_http2(io, peer, service)).await;
            }
            Ok(io) => Box::pin(self.speak(io, peer, service)).await,
            Err(error) => {
                self.traffic.handshake_failed();
                tracing::debug!(%error, peer = %peer.address, "no TLS connection");
            }
        }
    }

    /// The TLS handshake. Whoever stalls in it, or says something else, is dropped.
    async fn shake_hands<I: Io>(&self, tls: &TlsAcceptor, io: I) -> io::Result<TlsStream<I>> {
        tokio::select! {
            () = self.draining.cancelled() => Err(io::Error::other("the server stops")),
            shaken = timeout(self.limits.handshake, tls.accept(io)) => shaken?,
        }
    }

    /// HTTP/2 on a connection, until its end.
    async fn speak_http2<I, S>(&self, io: I, peer: Peer, service: S)
    where
        I: Io,
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
        S::Future: Send + 'static,
    {
        let watch = Arc::new(Watch::new(self.limits, self.traffic.clone()));
        let service = WatchedService::new(service, peer, self, Arc::clone(&watch));
        let io = TokioIo::new(Calmed::new(io, Arc::clone(&watch)));
        let connection = pin!(streams::http(&self.limits).serve_connection(io, service));
        let stop = |connection: Pin<&mut http2::Connection<_, _, _>>| {
            watch.drains();
            connection.graceful_shutdown();
            true
        };
        match self.drive(connection, &watch, stop).await {
            End::Dropped => tracing::debug!(peer = %peer.address, "connection dropped"),
            End::Served(Err(error)) => tracing::debug!(%error, peer = %peer.address, "connection failed"),
            End::Served(Ok(())) => {}
        }
    }

    /// HTTP/1.1 on a connection, until its end.
    async fn speak<I, S>(&self, io: I, peer: Peer, service: S)
    where
        I: Io,
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
        S::Future: Send + 'static,
    {
        let address = peer.address;
        let watch = Arc::new(Watch::new(self.limits, self.traffic.clone()));
        let service = WatchedService::new(service, peer, self, Arc::clone(&watch));
        let io = TokioIo::new(Watched::new(io, Arc::clone(&watch)));
        let mut connection = self.http().serve_connection(io, service);
        let stop = |connection: Pin<&mut http1::Connection<_, _>>| {
            if watch.is_between_requests() {
                return false;
            }
            connection.graceful_shutdown();
            true
        };
        let end = self.drive(Pin::new(&mut connection), &watch, stop).await;
        let mut socket = connection.into_parts().io.into_inner().into_inner();
        let answer = watch.refusal().map(|refusal| refusal.to_bytes(&self.limits));
        match end {
            End::Dropped => return tracing::debug!(peer = %address, "connection dropped"),
            End::Served(Err(error)) if answer.is_none() => {
                return tracing::debug!(%error, peer = %address, "connection failed");
            }
            // To hyper, a head that was refused while it came is a socket that failed.
            End::Served(_) => {}
        }
        let goodbye = async {
            if let Some(answer) = answer {
                socket.write_all(&answer).await?;
                socket.shutdown().await?;
            }
            if watch.may_send_more() {
                discard(&mut socket).await
            } else {
                Ok(())
            }
        };
        tokio::select! {
            () = self.cut.cancelled() => {}
            _ = timeout(self.limits.linger, goodbye) => {}
        }
    }

    fn http(&self) -> http1::Builder {
        let mut http = http1::Builder::new();
        // A head is to fail by our limits, which answer it, and not by hyper's buffer.
        let read_ahead = READ_AHEAD.max(self.limits.target + self.limits.header_bytes + 4096);
        // hyper's own deadline for a head also runs while a connection is idle, so it cannot tell the two apart.
        http.header_read_timeout(None).max_buf_size(read_ahead);
        // At its own default hyper keeps the headers on the stack while it parses.
        if self.limits.headers != 100 {
            http.max_headers(self.limits.headers);
        }
        http
    }

    /// Runs the connection until it ends, by itself or by a deadline. Where the server stops, `stop` tells the connection so, or that it
    /// is to be dropped.
    async fn drive<C: Future<Output = hyper::Result<()>>>(
        &self,
        mut connection: Pin<&mut C>,
        watch: &Watch,
        stop: impl Fn(Pin<&mut C>) -> bool,
    ) -> End {
        let mut timer = pin!(sleep_until(Instant::now() + self.limits.header_read));
        let mut draining = pin!(self.draining.cancelled());
        let mut cut = pin!(self.cut.cancelled());
        let mut told = false;
        poll_fn(|cx| {
            if let Poll::Ready(outcome) = connection.as_mut().poll(cx) {
                return Poll::Ready(End::Served(outcome));
            }
            if !told && draining.as_mut().poll(cx).is_ready() {
                told = true;
                if !stop(connection.as_mut()) {
                    return Poll::Ready(End::Dropped);
                }
                if let Poll::Ready(outcome) = connection.as_mut().poll(cx) {
                    return Poll::Ready(End::Served(outcome));
                }
            }
            if watch.poll_deadline(timer.as_mut(), cx).is_ready() || cut.as_mut().poll(cx).is_ready() {
                return Poll::Ready(End::Dropped);
            }
            Poll::Pending
        })
        .await
    }
}

/// Reads what still comes and throws it away. Closing a socket with unread bytes resets the connection, and the client loses the
/// answer that it has not read yet.
async fn discard(socket: &mut impl Io) -> io::Result<()> {
    // On the heap: most connections never come here, and all would carry it in their task.
    let mut scrap = vec![0; 8 * 1024];
    while socket.read(&mut scrap).await? > 0 {}
    Ok(())
}
