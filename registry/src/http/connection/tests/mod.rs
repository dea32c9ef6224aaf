//! Connections over real sockets on loopback, with deadlines of a few milliseconds. Where one deadline must run out and another must
//! not, the other is an hour; nothing sleeps and nothing is measured.

mod deadlines;
mod drain;
mod heads;

use std::sync::{
    Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use axum::{
    Extension, Router,
    routing::{get, post},
};
use futures_util::{StreamExt, stream};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use super::*;

const SHORT: Duration = Duration::from_millis(50);
const HOUR: Duration = Duration::from_hours(1);

/// No deadline but those that a test shortens.
fn patient() -> ConnectionLimits {
    ConnectionLimits {
        header_read: HOUR,
        idle: HOUR,
        body_stall: HOUR,
        write_stall: HOUR,
        drain: HOUR,
        ..ConnectionLimits::default()
    }
}

fn terms(limits: ConnectionLimits) -> Terms {
    Terms {
        limits,
        ..Terms::default()
    }
}

/// A server in this process.
struct Server {
    address: SocketAddr,
    leaving: Arc<AtomicBool>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<io::Result<()>>,
}

impl Server {
    async fn start(limits: ConnectionLimits, router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let (stop, stopped) = oneshot::channel();
        let stopped = async {
            // Dropping the server at the end of a test stops it too.
            let _ = stopped.await;
        };
        let terms = terms(limits);
        Self {
            address,
            leaving: Arc::clone(&terms.leaving),
            stop,
            served: tokio::spawn(serve(listener, router, terms, stopped)),
        }
    }

    async fn connect(&self) -> Client {
        Client(TcpStream::connect(self.address).await.expect("the server accepts"))
    }
}

/// One end of a connection, byte by byte.
struct Client(TcpStream);

impl Client {
    async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.expect("the server reads");
    }

    /// Sends as much as the server takes, also after its answer.
    async fn send_whatever_is_taken(&mut self, text: &str) {
        let _ = self.0.write_all(text.as_bytes()).await;
    }

    /// The next response: head and body as text.
    async fn response(&mut self) -> String {
        let mut text = String::new();
        loop {
            let byte = self
                .0
                .read_u8()
                .await
                .unwrap_or_else(|error| panic!("{error} after {text:?}"));
            text.push(char::from(byte));
            if let Some(head) = text.strip_suffix("\r\n\r\n") {
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                let mut body = vec![0; length.map_or(0, |length| length.parse().expect("a number"))];
                self.0.read_exact(&mut body).await.expect("the whole body comes");
                return text + &String::from_utf8(body).expect("text");
            }
        }
    }

    async fn get(&mut self, target: &str) -> String {
        self.send(&format!("GET {target} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
        self.response().await
    }

    /// What comes until the server closes the connection.
    async fn rest(&mut self) -> String {
        let mut rest = String::new();
        self.0
            .read_to_string(&mut rest)
            .await
            .expect("the server closes in good order");
        rest
    }

    /// Waits until the server closes the connection, in whatever manner.
    async fn closed(&mut self) {
        let mut scrap = [0; 1024];
        while self.0.read(&mut scrap).await.is_ok_and(|read| read > 0) {}
    }
}

fn ok() -> Router {
    Router::new().route("/", get(async || "ok"))
}

#[tokio::test]
async fn requests_that_come_at_once_are_answered_in_order() {
    let router = Router::new().route("/{name}", get(async |path: axum::extract::Path<String>| path.0));
    let server = Server::start(patient(), router).await;
    let mut client = server.connect().await;
    let request = |name| format!("GET /{name} HTTP/1.1\r\nhost: x\r\n\r\n");
    client.send(&(request("a") + &request("b") + &request("c"))).await;
    for name in ["a", "b", "c"] {
        assert!(client.response().await.ends_with(&format!("\r\n\r\n{name}")));
    }
    assert!(client.get("/d").await.ends_with("\r\n\r\nd"));
}

#[tokio::test]
async fn a_request_knows_its_peer() {
    let router = Router::new().route("/", get(async |peer: Extension<Peer>| peer.0.address.to_string()));
    let server = Server::start(patient(), router).await;
    let mut client = server.connect().await;
    let address = client.0.local_addr().expect("it is connected");
    assert!(client.get("/").await.ends_with(&format!("\r\n\r\n{address}")));
}

#[tokio::test]
async fn a_client_that_sends_a_body_nobody_reads_gets_the_answer() {
    let router = Router::new().route(
        "/",
        post(async || (axum::http::StatusCode::UNAUTHORIZED, "who are you")),
    );
    let server = Server::start(patient(), router).await;
    let mut client = server.connect().await;
    let body = "x".repeat(4 << 20);
    // Some of it is on its way still when the server has answered and closed.
    client
        .send(&format!(
            "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ))
        .await;
    let response = client.rest().await;
    assert!(
        response.starts_with("HTTP/1.1 401 ") && response.ends_with("who are you"),
        "{response}"
    );
}

#[tokio::test]
async fn a_body_is_asked_for_only_when_it_is_read() {
    let router = Router::new().route("/read", post(async |body: String| body)).route(
        "/refuse",
        post(async || (axum::http::StatusCode::UNAUTHORIZED, "who are you")),
    );
    let server = Server::start(patient(), router).await;
    let head =
        |target| format!("POST {target} HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n");
    let mut client = server.connect().await;
    client.send(&head("/read")).await;
    assert_eq!(client.response().await, "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hello").await;
    assert!(client.response().await.ends_with("\r\n\r\nhello"));
    client.send(&head("/refuse")).await;
    assert!(client.response().await.starts_with("HTTP/1.1 401 "));
}

/// **S12** No descriptors are left for new connections → accepting pauses and goes on; nothing crashes, nobody is turned away for good.
#[tokio::test]
async fn running_out_of_descriptors_does_not_end_the_server() {
    const ECONNABORTED: i32 = 103;
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let mut troubles = vec![ECONNABORTED, ENFILE, EMFILE, EMFILE];
    let accept = move |cx: &mut Context<'_>| match troubles.pop() {
        Some(code) => Poll::Ready(Err(io::Error::from_raw_os_error(code))),
        None => listener.poll_accept(cx),
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async {
        let _ = stopped.await;
    };
    let served = tokio::spawn(accept_and_serve(accept, ok(), terms(patient()), stopped));
    let mut client = Client(TcpStream::connect(address).await.expect("the server listens"));
    assert!(client.get("/").await.ends_with("ok"));
    drop(stop);
    served.await.expect("no panic").expect("the server ended in good order");
}

#[tokio::test]
async fn a_listener_that_does_not_listen_is_an_error() {
    let accept = |_: &mut Context<'_>| Poll::Ready(Err::<(TcpStream, _), _>(io::ErrorKind::InvalidInput.into()));
    let ended = accept_and_serve(accept, ok(), terms(patient()), std::future::pending()).await;
    assert!(ended.is_err());
}

#[tokio::test]
async fn a_handler_that_panics_takes_only_its_own_connection_with_it() {
    let router = ok().route("/panic", get(async || -> String { panic!("the handler was told to") }));
    let server = Server::start(patient(), router).await;
    let (mut victim, mut other) = (server.connect().await, server.connect().await);
    assert!(other.get("/").await.ends_with("ok"));
    victim.send("GET /panic HTTP/1.1\r\nhost: x\r\n\r\n").await;
    victim.closed().await;
    assert!(other.get("/").await.ends_with("ok"));
    drop(server.stop);
    server
        .served
        .await
        .expect("no panic")
        .expect("the server ended in good order");
}
