//! A server that stops.

use super::*;

/// A handler that says that it began, and waits to be told to end.
fn waiting() -> (Router, mpsc::UnboundedReceiver<oneshot::Sender<()>>) {
    let (sender, begun) = mpsc::unbounded_channel();
    let handler = async move || {
        let (go_on, told) = oneshot::channel();
        sender.send(go_on).expect("the test waits");
        told.await.map_or("cut", |()| "done")
    };
    (ok().route("/wait", get(handler)), begun)
}

/// **L01** The server is told to stop while requests are in flight → nobody new is accepted, idle connections close at once, requests in flight are answered, and then the server ends.
#[tokio::test]
async fn requests_in_flight_are_answered_before_the_end() {
    let (router, mut begun) = waiting();
    let server = Server::start(patient(), router).await;
    let (mut idle, mut silent, mut busy) = (server.connect().await, server.connect().await, server.connect().await);
    assert!(idle.get("/").await.ends_with("ok"));
    busy.send("GET /wait HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let go_on = begun.recv().await.expect("the request arrives");

    server.stop.send(()).expect("the server runs");
    assert_eq!(idle.rest().await, "");
    silent.closed().await;
    assert!(
        TcpStream::connect(server.address).await.is_err(),
        "nobody is accepted any more"
    );
    assert!(!server.served.is_finished());
    go_on.send(()).expect("the handler waits");
    let response = busy.rest().await;
    assert!(
        response.starts_with("HTTP/1.1 200 ") && response.ends_with("done"),
        "{response}"
    );
    assert!(response.contains("\r\nconnection: close\r\n"), "{response}");
    server
        .served
        .await
        .expect("no panic")
        .expect("the server ends in good order");
}

/// **L01** The server is about to stop → who is connected and who comes are answered still, each for the last time on its connection; who says nothing stays connected until it stops.
#[tokio::test]
async fn a_server_that_is_about_to_stop_answers_each_connection_once_more() {
    let server = Server::start(patient(), ok()).await;
    let (mut idle, mut kept) = (server.connect().await, server.connect().await);
    for client in [&mut idle, &mut kept] {
        let response = client.get("/").await;
        assert!(
            response.ends_with("ok") && !response.contains("connection: close"),
            "{response}"
        );
    }
    server.leaving.store(true, Ordering::Relaxed);
    for client in [&mut kept, &mut server.connect().await] {
        let response = client.get("/").await;
        assert!(
            response.ends_with("ok") && response.contains("\r\nconnection: close\r\n"),
            "{response}"
        );
        client.closed().await;
    }
    let response = idle.get("/").await;
    assert!(response.ends_with("ok"), "{response}");
}

/// **L01** A request is not done when the time to finish is over → its connection is cut, and the server ends.
#[tokio::test]
async fn what_is_not_done_in_time_is_cut() {
    let (router, mut begun) = waiting();
    let server = Server::start(
        ConnectionLimits {
            drain: SHORT,
            ..patient()
        },
        router,
    )
    .await;
    let mut busy = server.connect().await;
    busy.send("GET /wait HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let mut go_on = begun.recv().await.expect("the request arrives");
    server.stop.send(()).expect("the server runs");
    server
        .served
        .await
        .expect("no panic")
        .expect("the server ends in good order");
    go_on.closed().await;
    assert_eq!(busy.rest().await, "");
}

#[tokio::test]
async fn a_response_on_its_way_is_finished_before_the_end() {
    let body = "x".repeat(32 << 20);
    let large = body.clone();
    let server = Server::start(patient(), Router::new().route("/", get(async move || large.clone()))).await;
    let mut client = server.connect().await;
    client.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    // More than the sockets' buffers hold: most of it is with the server still.
    client.0.read_u8().await.expect("the response begins");
    server.stop.send(()).expect("the server runs");
    assert!(client.rest().await.ends_with(&body));
    server
        .served
        .await
        .expect("no panic")
        .expect("the server ends in good order");
}
