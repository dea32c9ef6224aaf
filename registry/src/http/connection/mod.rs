//! The accept loop and the life of one connection: what a client may take its time for, how much it may send ahead of a request, and
//! how a server that stops lets its clients finish.
//!
//! hyper and h2 parse and frame HTTP, rustls encrypts; this module adds what hyper leaves to its user. Three things are watched, each where it can be
//! told apart: the socket (`watch.rs`: silence before a request, a client that reads nothing), the body of a request (`body.rs`: a
//! client that sends nothing), and the head of a request (`refusal.rs`: targets and headers that are too long). HTTP/2, which TLS
//! negotiates, adds what a client can do within one connection: streams that stall (`streams.rs`) and floods of frames (`calm.rs`).

mod body;
mod calm;
mod frames;
mod life;
mod limits;
mod refusal;
mod service;
mod streams;
#[cfg(test)]
mod tests;
mod watch;

use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    io,
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    body::Body,
    http::{Request, Response},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    time::{Instant, sleep_until, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower_service::Service;

use self::life::Server;
pub use self::{
    body::BodyStalled,
    limits::{ConnectionLimits, Terms},
};

/// The address at the other end of the connection, among the extensions of every request. What a header claims about it is another
/// matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Address and port.
    pub address: SocketAddr,
    /// Whether the connection is encrypted.
    pub tls: bool,
}

/// The bytes of one connection: a socket, encrypted or not.
trait Io: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Io for T {}

/// The first pause after a failed accept; it doubles with each further failure.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Serves connections from `listener`, encrypted as `terms` say, until `shutdown` completes, and then lets requests in flight finish: nobody is accepted any
/// more, connections between two requests are closed at once, the others after their response, and what is left after
/// the terms' `drain` is cut. Returns when the last connection is closed.
///
/// A failed accept (no descriptors left, say) is logged and tried again after a pause. The one error that ends the loop is a listener
/// that does not listen; it is returned after the same drain. Dropping the future stops accepting and cuts no connection.
pub async fn serve<S>(
    listener: TcpListener,
    service: S,
    terms: Terms,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    let accept = move |cx: &mut Context<'_>| {
        let accepted = ready!(listener.poll_accept(cx));
        if let Ok((socket, peer)) = &accepted
            // Without it the end of a response may wait for the acknowledgement of its beginning.
            && let Err(error) = socket.set_nodelay(true)
        {
            tracing::debug!(%error, %peer, "cannot set TCP_NODELAY");
        }
        Poll::Ready(accepted)
    };
    accept_and_serve(accept, service, terms, shutdown).await
}

/// [`serve`], with accepting as a function. It owns the listener, which closes when it is dropped.
async fn accept_and_serve<I, S>(
    mut accept: impl FnMut(&mut Context<'_>) -> Poll<io::Result<(I, SocketAddr)>>,
    service: S,
    terms: Terms,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()>
where
    I: Io,
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    let server = Arc::new(Server {
        limits: terms.limits,
        tls: terms.tls.map(TlsAcceptor::from),
        traffic: terms.traffic,
        leaving: terms.leaving,
        draining: CancellationToken::new(),
        cut: CancellationToken::new(),
    });
    let connections = TaskTracker::new();
    let mut shutdown = pin!(shutdown);
    let mut pause = FIRST_PAUSE;
    let ended = loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break Ok(()),
            accepted = poll_fn(&mut accept) => accepted,
        };
        match accepted {
            Ok((socket, peer)) => {
                pause = FIRST_PAUSE;
                connections.spawn(Arc::clone(&server).converse(socket, peer, service.clone()));
            }
            Err(error) if concerns_one_connection(&error) => {
                tracing::debug!(%error, "a client left before it was accepted");
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => break Err(error),
            Err(error) => {
                tracing::warn!(%error, ?pause, "cannot accept connections; trying again after a pause");
                tokio::select! {
                    () = &mut shutdown => break Ok(()),
                    () = sleep_until(Instant::now() + pause) => pause = (pause * 2).min(LONGEST_PAUSE),
                }
            }
        }
    };
    drop(accept);
    server.draining.cancel();
    connections.close();
    if timeout(server.limits.drain, connections.wait()).await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "cutting the connections that did not finish in time"
        );
        server.cut.cancel();
        connections.wait().await;
    }
    ended
}

/// True if the error is of the connection that was to be accepted, and says nothing about the next one.
fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
