//! The requests to a witness, over plain HTTP/1.1: what it answers is signed, so nothing is lost by that.

use std::{convert::Infallible, future::poll_fn, pin::Pin, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use hyper::{
    Method, Request, Response,
    body::{Body as _, Incoming},
    header::{ALLOW, CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::{JoinSet, spawn_blocking},
    time::{Instant, sleep_until, timeout},
};
use wreg_trust::log::witness::{MAX_LEN, PATH};

use super::{Answer, Witness};

/// How long a head, and how long a body may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many connections there may be.
const CONNECTIONS: usize = 256;
/// How long the last requests may take when the witness ends.
const LAST: Duration = Duration::from_secs(5);
/// The pause where no connection can be accepted.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers until `stopped` is done, and then what is under way.
pub(crate) async fn serve(witness: Arc<Witness>, listener: TcpListener, stopped: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let (stop, told) = watch::channel(());
    let mut connections = JoinSet::new();
    let accepting = async {
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return;
            };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let (witness, told) = (Arc::clone(&witness), told.clone());
                    connections.spawn(async move {
                        connection(witness, stream, told).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection cannot be accepted");
                    sleep_until(Instant::now() + PAUSE).await;
                }
            }
            while connections.try_join_next().is_some() {}
        }
    };
    tokio::select! {
        biased;
        () = stopped => {}
        () = accepting => {}
    }
    drop(stop);
    // Those that take longer are cut off.
    let _ = timeout(LAST, async { while connections.join_next().await.is_some() {} }).await;
}

async fn connection(witness: Arc<Witness>, stream: TcpStream, mut told: watch::Receiver<()>) {
    let service = service_fn(move |request| answer(Arc::clone(&witness), request));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = told.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
}

async fn answer(witness: Arc<Witness>, request: Request<Incoming>) -> Result<Response<String>, Infallible> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let answer = if path == PATH {
        if method != Method::POST {
            return Ok(not_allowed("POST"));
        }
        match timeout(PATIENCE, read(request.into_body())).await {
            Err(_) => Answer::text(408, "the request takes too long"),
            Ok(Err(answer)) => answer,
            Ok(Ok(body)) => add(witness, body).await,
        }
    } else if let Some(hash) = path.strip_prefix('/').and_then(|path| path.strip_suffix("/checkpoint")) {
        if method != Method::GET && method != Method::HEAD {
            return Ok(not_allowed("GET, HEAD"));
        }
        match witness.find(hash) {
            Some(body) => Answer {
                body,
                ..Answer::text(200, "")
            },
            None => Answer::text(404, "nothing of that log was signed here"),
        }
    } else {
        Answer::text(404, "there is nothing here but /add-checkpoint and checkpoints")
    };
    Ok(response(answer))
}

async fn add(witness: Arc<Witness>, body: Bytes) -> Answer {
    let Ok(text) = String::from_utf8(body.into()) else {
        return Answer::text(400, "it is no text");
    };
    // It goes on if whoever asked goes away: what is written must be known here too.
    let answered = spawn_blocking(move || witness.add(&text, super::now())).await;
    answered.unwrap_or_else(|_| Answer::text(500, "it could not be answered"))
}

async fn read(mut body: Incoming) -> Result<Bytes, Answer> {
    let mut all = BytesMut::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|_| Answer::text(400, "the request broke off"))?;
        if let Ok(data) = frame.into_data() {
            if all.len() + data.len() > MAX_LEN {
                return Err(Answer::text(413, "the request is too long"));
            }
            all.extend_from_slice(&data);
        }
    }
    Ok(all.freeze())
}

fn response(answer: Answer) -> Response<String> {
    let mut response = Response::new(answer.body);
    *response.status_mut() = answer.status.try_into().unwrap_or_default();
    let media_type = HeaderValue::from_static(answer.media_type);
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response
}

fn not_allowed(methods: &'static str) -> Response<String> {
    let mut response = response(Answer::text(405, "that is not how it is asked"));
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    response
}
