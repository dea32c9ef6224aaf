//! Clients that say nothing, send nothing, or take nothing.

use super::*;

/// **H04** A client connects and says nothing, or sends its head byte by byte → the connection is closed at the deadline for a head.
#[tokio::test]
async fn a_client_that_does_not_finish_its_head_is_dropped() {
    let server = Server::start(
        ConnectionLimits {
            header_read: SHORT,
            ..patient()
        },
        ok(),
    )
    .await;
    let mut silent = server.connect().await;
    let mut begun = server.connect().await;
    begun.send("GET / HT").await;
    silent.closed().await;
    begun.closed().await;

    let mut dripping = server.connect().await;
    dripping.send("GET / HTTP/1.1\r\nx: ").await;
    let mut scrap = [0];
    // A byte now and then, for as long as the connection is open.
    while let Err(_waited) = timeout(SHORT / 10, dripping.0.read(&mut scrap)).await {
        dripping.send_whatever_is_taken("y").await;
    }
}

#[tokio::test]
async fn a_later_head_has_the_same_deadline_from_its_first_byte() {
    let server = Server::start(
        ConnectionLimits {
            header_read: SHORT,
            ..patient()
        },
        ok(),
    )
    .await;
    let mut client = server.connect().await;
    assert!(client.get("/").await.ends_with("ok"));
    // Silence between two requests has another deadline: another client's runs out meanwhile.
    server.connect().await.closed().await;
    assert!(client.get("/").await.ends_with("ok"));
    client.send("GET").await;
    client.closed().await;
}

/// **H07** A connection that is kept open stays silent → it is closed at the deadline for idle ones, which is not the one for heads.
#[tokio::test]
async fn an_idle_connection_is_closed() {
    let server = Server::start(
        ConnectionLimits {
            idle: SHORT,
            ..patient()
        },
        ok(),
    )
    .await;
    let mut client = server.connect().await;
    assert!(client.get("/").await.ends_with("ok"));
    assert_eq!(client.rest().await, "");
}

/// **U03** A client stops in the middle of a body → what came reaches the handler, then an error, and the connection closes after the answer.
#[tokio::test]
async fn a_body_that_stalls_is_an_error_after_what_came() {
    let handler = async |request: Request<Body>| {
        let mut pieces = request.into_body().into_data_stream();
        let mut read = 0;
        while let Some(piece) = pieces.next().await {
            match piece {
                Ok(piece) => read += piece.len(),
                Err(error) => return format!("{read} bytes, then: {}", error.into_inner()),
            }
        }
        format!("{read} bytes")
    };
    let server = Server::start(
        ConnectionLimits {
            body_stall: SHORT,
            ..patient()
        },
        Router::new().fallback(handler),
    )
    .await;
    for lengths in [
        "content-length: 10\r\n\r\nabc",
        "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ] {
        let mut client = server.connect().await;
        client.send(&format!("POST / HTTP/1.1\r\nhost: x\r\n{lengths}")).await;
        let response = client.rest().await;
        assert!(
            response.ends_with(&format!("3 bytes, then: {BodyStalled}")),
            "{response}"
        );
    }
}

#[tokio::test]
async fn a_handler_that_takes_its_time_is_no_stall() {
    let (go_on, told) = oneshot::channel::<()>();
    let told = Arc::new(Mutex::new(Some(told)));
    let patient_handler = async move |request: Request<Body>| {
        let told = told
            .lock()
            .expect("no test panics with it")
            .take()
            .expect("one request");
        told.await.expect("the test goes on");
        axum::body::to_bytes(request.into_body(), 10)
            .await
            .map_or_else(|error| error.to_string(), |_| "whole".to_owned())
    };
    let router = Router::new()
        .route("/patient", post(patient_handler))
        .route("/", post(async |_: String| "whole"));
    let server = Server::start(
        ConnectionLimits {
            body_stall: SHORT,
            ..patient()
        },
        router,
    )
    .await;
    let mut client = server.connect().await;
    client
        .send("POST /patient HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nab")
        .await;
    // The same time runs out for a body that is waited for.
    let mut other = server.connect().await;
    other
        .send("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nab")
        .await;
    other.closed().await;
    client.send("c").await;
    go_on.send(()).expect("the handler waits");
    assert!(client.response().await.ends_with("whole"));
}

/// A deadline with room for a slow machine, and a while that is well within it.
const LONG: Duration = Duration::from_secs(2);
const WHILE: Duration = Duration::from_millis(500);

#[tokio::test]
async fn a_body_that_comes_slowly_does_not_stall() {
    let limits = ConnectionLimits {
        body_stall: LONG,
        ..patient()
    };
    let server = Server::start(limits, Router::new().route("/", post(async |body: String| body))).await;
    let mut client = server.connect().await;
    client
        .send("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n")
        .await;
    for byte in ["s", "l", "o", "w", "!"] {
        // All in all longer than the deadline.
        let answered = timeout(WHILE, client.0.read_u8()).await;
        assert!(answered.is_err(), "answered before the end");
        client.send(byte).await;
    }
    assert!(client.response().await.ends_with("slow!"));
}

#[tokio::test]
async fn a_client_that_reads_slowly_is_not_dropped() {
    let (router, mut dropped) = endless();
    let server = Server::start(
        ConnectionLimits {
            write_stall: LONG,
            ..patient()
        },
        router,
    )
    .await;
    let mut client = server.connect().await;
    client.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    for _ in 0..5 {
        assert!(
            timeout(WHILE, dropped.recv()).await.is_err(),
            "dropped although it reads"
        );
        let mut piece = vec![0; 8 << 20];
        client.0.read_exact(&mut piece).await.expect("the response goes on");
    }
}

/// Says when it is dropped.
struct Dropped(mpsc::UnboundedSender<()>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

/// A response without end, and where its end is told.
fn endless() -> (Router, mpsc::UnboundedReceiver<()>) {
    let (sender, dropped) = mpsc::unbounded_channel();
    let handler = async move || {
        let chunks = stream::repeat(Dropped(sender.clone()).into_chunk());
        Body::from_stream(chunks.map(|chunk| Ok::<_, Infallible>(chunk.bytes.clone())))
    };
    (Router::new().route("/", get(handler)), dropped)
}

/// A chunk that keeps the guard of its response alive.
#[derive(Clone)]
struct Chunk {
    bytes: bytes::Bytes,
    _guard: Arc<Dropped>,
}

impl Dropped {
    fn into_chunk(self) -> Chunk {
        Chunk {
            bytes: vec![b'x'; 1 << 16].into(),
            _guard: Arc::new(self),
        }
    }
}

/// **H06** A client stops reading in the middle of a download → the connection is dropped at the deadline, and its buffers with it.
#[tokio::test]
async fn a_client_that_stops_reading_is_dropped() {
    let (router, mut dropped) = endless();
    let server = Server::start(
        ConnectionLimits {
            write_stall: SHORT,
            ..patient()
        },
        router,
    )
    .await;
    let mut client = server.connect().await;
    client.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    dropped.recv().await.expect("the response is let go of");
    drop(client);
}

#[tokio::test]
async fn a_client_that_leaves_takes_its_response_with_it() {
    let (router, mut dropped) = endless();
    let server = Server::start(patient(), router).await;
    let mut client = server.connect().await;
    client.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    client.0.read_u8().await.expect("the response begins");
    drop(client);
    dropped.recv().await.expect("the response is let go of");
}
