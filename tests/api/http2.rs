//! HTTP/2 over TLS: what a client can do within one connection, and what it must not.

use std::{future::poll_fn, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use h2::{Reason, RecvStream, SendStream, client::ResponseFuture, client::SendRequest};
use http::{Request, Response};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, split},
    net::TcpStream,
    task::JoinHandle,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use wreg_harness::{RegistryProcess, certificates::Certificates, private_memory};
use wreg_oci::Digest;
use wreg_registry::http::connection::ConnectionLimits;

use crate::registry::{Options, TestRegistry};

/// A deadline that a test waits for.
const SHORT: Duration = Duration::from_millis(500);
/// A guard against hanging, not a measure.
const PATIENCE: Duration = Duration::from_mins(1);

async fn with_limits(certificates: &Certificates, limits: ConnectionLimits) -> TestRegistry {
    TestRegistry::with(Options {
        certificates: Some(certificates.folder().to_owned()),
        limits,
        may_leave_uploads: true,
        ..Options::default()
    })
    .await
}

async fn tls(certificates: &Certificates, address: SocketAddr) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_file(certificates.authority()).expect("a certificate");
    roots.add(authority).expect("an authority");
    let mut config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let socket = TcpStream::connect(address).await.expect("the server listens");
    let name = ServerName::IpAddress(address.ip().into());
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, socket)
        .await
        .expect("a handshake");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    stream
}

/// A connection of a client that keeps to the protocol.
struct Client {
    send: SendRequest<Bytes>,
    connection: JoinHandle<Result<(), h2::Error>>,
    origin: String,
    token: String,
}

impl Client {
    async fn of(certificates: &Certificates, registry: &TestRegistry) -> Self {
        let stream = tls(certificates, registry.address).await;
        let mut builder = h2::client::Builder::new();
        // A stream that nobody reads is not to keep the others from being read.
        builder.initial_connection_window_size(8 << 20);
        let (send, connection) = builder.handshake(stream).await.expect("HTTP/2");
        Self {
            send,
            connection: tokio::spawn(connection),
            origin: format!("https://{}", registry.address),
            token: registry.token.clone(),
        }
    }

    /// Sends a head of the administrator.
    async fn begin(&mut self, method: &str, target: &str, ends: bool) -> (ResponseFuture, SendStream<Bytes>) {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{target}", self.origin))
            .header("authorization", format!("Bearer {}", self.token));
        let request = request.body(()).expect("a valid request");
        poll_fn(|cx| self.send.poll_ready(cx)).await.expect("room for a stream");
        self.send.send_request(request, ends).expect("the connection is open")
    }

    async fn ask(&mut self, method: &str, target: &str, body: &'static [u8]) -> (Response<()>, Vec<u8>) {
        let (response, mut stream) = self.begin(method, target, body.is_empty()).await;
        if !body.is_empty() {
            stream
                .send_data(Bytes::from_static(body), true)
                .expect("the stream is open");
        }
        let (head, body) = response.await.expect("an answer").into_parts();
        (Response::from_parts(head, ()), read(body).await.expect("a body"))
    }

    async fn is_served(&mut self) {
        assert_eq!(self.ask("GET", "/livez", b"").await.0.status(), 200);
    }
}

async fn read(mut body: RecvStream) -> Result<Vec<u8>, h2::Error> {
    let mut bytes = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece?;
        body.flow_control().release_capacity(piece.len())?;
        bytes.extend(piece);
    }
    Ok(bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn content_goes_and_comes_on_one_connection_of_http2() {
    let certificates = Certificates::new();
    let registry = with_limits(&certificates, ConnectionLimits::default()).await;
    let mut client = Client::of(&certificates, &registry).await;
    let content: &[u8] = vec![5; 3 << 20].leak();
    let digest = Digest::sha256(content);
    let push = format!("/v2/acme/hello/blobs/uploads/?digest={digest}");
    assert_eq!(client.ask("POST", &push, &content[..10]).await.0.status(), 400);
    let (response, mut stream) = client.begin("POST", &push, false).await;
    for piece in content.chunks(100_000) {
        stream
            .send_data(Bytes::from_static(piece), false)
            .expect("the stream is open");
    }
    stream.send_data(Bytes::new(), true).expect("the stream is open");
    let (stored, ping) = tokio::join!(response, async { client.begin("GET", "/v2/", true).await.0.await });
    assert_eq!(stored.expect("an answer").status(), 201);
    assert_eq!(ping.expect("an answer").status(), 200);
    let (head, found) = client.ask("GET", &format!("/v2/acme/hello/blobs/{digest}"), b"").await;
    assert_eq!(head.status(), 200);
    assert!(found == content);
    // The host is in the target, and no `Host` is sent.
    client.token = "wreg_pat_wrong".to_owned();
    let (head, _) = client.ask("GET", "/v2/", b"").await;
    let challenge = head.headers()["www-authenticate"].to_str().expect("text");
    assert!(
        challenge.contains(&format!("realm=\"{}/token\"", client.origin)),
        "{challenge}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_request_is_answered_without_content_over_http2() {
    let certificates = Certificates::new();
    let registry = with_limits(&certificates, ConnectionLimits::default()).await;
    registry.push_image("acme/hello", "1.0.0", b"layer").await;
    let mut client = Client::of(&certificates, &registry).await;
    for (target, status) in [
        ("/v2/acme/hello/manifests/1.0.0".to_owned(), 200),
        (format!("/v2/acme/hello/blobs/{}", Digest::sha256("layer")), 200),
        ("/v2/acme/hello/manifests/2.0.0".to_owned(), 404),
    ] {
        let (whole, content) = client.ask("GET", &target, b"").await;
        let (head, nothing) = client.ask("HEAD", &target, b"").await;
        assert_eq!(
            (whole.status().as_u16(), head.status().as_u16()),
            (status, status),
            "{target}"
        );
        assert!(nothing.is_empty(), "{target}");
        assert_eq!(head.headers()["content-length"], content.len().to_string(), "{target}");
    }
}

/// **H01** Over HTTP/2 a request target of more than 8 KiB → 414, and the other streams go on.
/// **H02** Over HTTP/2 more than 100 header fields or 32 KiB of them → 431, and the other streams go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_is_too_long_is_refused() {
    let certificates = Certificates::new();
    let registry = with_limits(&certificates, ConnectionLimits::default()).await;
    let mut client = Client::of(&certificates, &registry).await;
    let target = format!("/{}", "x".repeat(8 * 1024));
    assert_eq!(client.ask("GET", &target, b"").await.0.status(), 414);
    for (fields, length) in [(101, 1), (20, 2000)] {
        let mut request = Request::builder().uri(format!("{}/livez", client.origin));
        for _ in 0..fields {
            request = request.header("x", "y".repeat(length));
        }
        let request = request.body(()).expect("a valid request");
        poll_fn(|cx| client.send.poll_ready(cx))
            .await
            .expect("room for a stream");
        let (response, _) = client.send.send_request(request, true).expect("the connection is open");
        assert_eq!(response.await.expect("an answer").status(), 431, "{fields}");
    }
    client.is_served().await;
}

/// **U03** Over HTTP/2 a client stops in the middle of a body → an error for that request, and the other streams go on.
/// **H06** Over HTTP/2 a client takes nothing of a response → its stream is reset at the deadline, and the other streams go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_stalls_ends_alone() {
    let certificates = Certificates::new();
    let limits = ConnectionLimits {
        body_stall: SHORT,
        write_stall: SHORT,
        ..ConnectionLimits::default()
    };
    let registry = with_limits(&certificates, limits).await;
    let content = vec![5; 1 << 20];
    let digest = registry.push_blob("acme/hello", &content).await;
    let upload = registry.start_upload("acme/hello").await;
    let mut client = Client::of(&certificates, &registry).await;
    let (response, mut stream) = client.begin("PATCH", &upload, false).await;
    stream
        .send_data(Bytes::from_static(b"half"), false)
        .expect("the stream is open");
    let answer = timeout(PATIENCE, response).await.expect("in time").expect("an answer");
    assert!(answer.status().is_client_error(), "{answer:?}");
    client.is_served().await;

    let (response, _) = client
        .begin("GET", &format!("/v2/acme/hello/blobs/{digest}"), true)
        .await;
    let mut body = response.await.expect("an answer").into_body();
    client.is_served().await;
    // What was sent ahead is there; nothing more is asked for, so nothing more comes.
    let mut ahead = 0;
    let ended = loop {
        match timeout(PATIENCE, body.data())
            .await
            .expect("in time")
            .expect("no end in good order")
        {
            Ok(piece) => ahead += piece.len(),
            Err(error) => break error,
        }
    };
    assert!(ahead < content.len());
    assert_eq!(ended.reason(), Some(Reason::CANCEL), "{ended}");
    client.is_served().await;
}

/// **H04** Over HTTP/2 a client says nothing, or begins a head and does not end it → the connection is closed at the deadline for a head, whatever else it did before.
#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_does_not_end_closes_the_connection() {
    let certificates = Certificates::new();
    let limits = ConnectionLimits {
        header_read: SHORT,
        idle: Duration::from_hours(1),
        ..ConnectionLimits::default()
    };
    let registry = with_limits(&certificates, limits).await;
    let whole = headers(GET, 1, END_STREAM | END_HEADERS);
    let begun = headers(GET, 3, END_STREAM);
    let cut = &headers(GET, 3, END_STREAM | END_HEADERS)[..12];
    for bytes in [
        &[][..],
        PREFACE,
        &begin(&[]),
        &begin(&[&begun]),
        &begin(&[&whole, &begun]),
        &begin(&[&whole, cut]),
    ] {
        let mut stream = tls(&certificates, registry.address).await;
        stream.write_all(bytes).await.expect("the server reads");
        let mut rest = Vec::new();
        let ended = timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "the connection is still open");
    }
}

/// **H07** Over HTTP/2 a connection without requests → it is closed at the deadline for idle ones.
#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_is_closed() {
    let certificates = Certificates::new();
    let limits = ConnectionLimits {
        idle: SHORT,
        ..ConnectionLimits::default()
    };
    let registry = with_limits(&certificates, limits).await;
    let mut client = Client::of(&certificates, &registry).await;
    client.is_served().await;
    let ended = timeout(PATIENCE, client.connection).await;
    assert!(ended.is_ok(), "the connection is still open");
}

/// **L01** The server is told to stop while HTTP/2 requests are in flight → GOAWAY, they are answered, idle connections are closed, and the server ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_answers_what_is_in_flight() {
    let certificates = Certificates::new();
    let limits = ConnectionLimits {
        drain: Duration::from_hours(1),
        ..ConnectionLimits::default()
    };
    let registry = with_limits(&certificates, limits).await;
    let upload = registry.start_upload("acme/hello").await;
    let mut idle = Client::of(&certificates, &registry).await;
    idle.is_served().await;
    let mut busy = Client::of(&certificates, &registry).await;
    let (response, mut stream) = busy.begin("PATCH", &upload, false).await;
    stream
        .send_data(Bytes::from_static(b"01234"), false)
        .expect("the stream is open");
    busy.is_served().await;
    let stopping = tokio::spawn(registry.stop());
    idle.connection
        .await
        .expect("no panic")
        .expect("GOAWAY without an error");
    stream
        .send_data(Bytes::from_static(b"56789"), true)
        .expect("the stream is open");
    let answer = response.await.expect("an answer");
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["range"]),
        (202, &"0-9".parse().expect("a value"))
    );
    drop((stream, busy.send));
    timeout(PATIENCE, stopping)
        .await
        .expect("the server ends")
        .expect("no panic");
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// `:method`, `:scheme https`, `:path`, `:authority x` in HPACK, without the dynamic table.
const GET: &[u8] = b"\x82\x87\x04\x06/livez\x01\x01x";
const POST: &[u8] = b"\x83\x87\x04\x06/token\x01\x01x";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = u32::try_from(payload.len()).expect("short").to_be_bytes();
    [&length[..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

fn headers(request: &[u8], stream: u32, flags: u8) -> Vec<u8> {
    frame(HEADERS, flags, stream, request)
}

/// What every client sends first, then these frames.
fn begin(frames: &[&[u8]]) -> Vec<u8> {
    [PREFACE, &frame(SETTINGS, 0, 0, &[]), &frames.concat()].concat()
}

/// What it is called, what comes first, and what comes again and again.
type Flood = (&'static str, Vec<u8>, fn(u32) -> Vec<u8>);

/// Sends without end, until the server closes; gives the reason that it gave.
async fn flood(
    certificates: &Certificates,
    address: SocketAddr,
    first: &[u8],
    next: impl Fn(u32) -> Vec<u8> + Send + 'static,
) -> Option<u32> {
    let (mut from, mut to) = split(tls(certificates, address).await);
    to.write_all(&begin(&[first])).await.expect("the server reads");
    let flooding = tokio::spawn(async move {
        let mut round = 0;
        loop {
            let frames: Vec<_> = (round..round + 100).flat_map(&next).collect();
            round += 100;
            if to.write_all(&frames).await.is_err() {
                return;
            }
        }
    });
    let mut reason = None;
    let mut head = [0; 9];
    while from.read_exact(&mut head).await.is_ok() {
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        if from.read_exact(&mut payload).await.is_err() {
            break;
        }
        if head[3] == GOAWAY {
            reason = payload[4..8].try_into().ok().map(u32::from_be_bytes);
        }
    }
    // Nobody reads any more.
    flooding.abort();
    reason
}

/// **H10** Floods of HTTP/2: PING, SETTINGS, priorities, unknown frames, requests that are reset at once, heads without end, DATA without content → GOAWAY with `ENHANCE_YOUR_CALM`, others are served, and memory does not grow.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_frames_ends_its_connection() {
    let certificates = Certificates::new();
    let server = RegistryProcess::builder()
        .env("WREG_TLS_CERTIFICATE", certificates.certificate())
        .env("WREG_TLS_KEY", certificates.key())
        .start();
    let floods: [Flood; 7] = [
        ("PING", Vec::new(), |_| frame(PING, 0, 0, &[7; 8])),
        ("SETTINGS", Vec::new(), |_| frame(SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0])),
        ("PRIORITY", Vec::new(), |_| frame(PRIORITY, 0, 1, &[0, 0, 0, 3, 9])),
        ("unknown", Vec::new(), |_| frame(0xbb, 0, 0, &[])),
        ("rapid reset", Vec::new(), |round| {
            let id = 2 * round + 1;
            [
                headers(GET, id, END_STREAM | END_HEADERS),
                frame(RST_STREAM, 0, id, &[0, 0, 0, 8]),
            ]
            .concat()
        }),
        ("CONTINUATION", headers(GET, 1, END_STREAM), |_| {
            frame(CONTINUATION, 0, 1, &[])
        }),
        ("empty DATA", headers(POST, 1, END_HEADERS), |_| frame(DATA, 0, 1, &[])),
    ];
    let before = private_memory(server.pid());
    for (what, first, next) in floods {
        let reason = timeout(PATIENCE, flood(&certificates, server.address(), &first, next)).await;
        let reason = reason.unwrap_or_else(|_| panic!("{what}: the connection is still open"));
        assert_eq!(reason, Some(u32::from(Reason::ENHANCE_YOUR_CALM)), "{what}");
    }
    let after = private_memory(server.pid());
    assert!(after < before + (16 << 20), "{before} bytes before, {after} after");
    let mut stream = tls(&certificates, server.address()).await;
    stream
        .write_all(&begin(&[&headers(GET, 1, END_STREAM | END_HEADERS)]))
        .await
        .expect("the server reads");
    let mut head = [0; 9];
    while head[3] != HEADERS {
        stream.read_exact(&mut head).await.expect("an answer");
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        stream.read_exact(&mut payload).await.expect("a whole frame");
    }
    assert!(server.terminate().success());
}
