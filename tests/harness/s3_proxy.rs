//! An S3 server that fails as a test wants, and is as far away: a proxy in front of the real one. It knows no conditional requests.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, stream};
use hyper::{
    Request, Response,
    body::{Body as _, Incoming},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use reqwest::Body;
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, sleep_until},
};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What becomes of a request.
#[derive(Clone)]
pub enum Fate {
    /// It reaches the server, and its answer the client.
    Pass,
    /// It does not reach the server: this status and S3 error code are the answer.
    Refused(u16, &'static str),
    /// It does not reach the server: success and this text are the answer.
    Accepted(&'static str),
    /// It does not reach the server: the connection is reset.
    Reset,
    /// It reaches the server, and the connection breaks instead of the answer.
    AnswerLost,
    /// It reaches the server, and the connection breaks after so many bytes of the answer's body.
    CutAfter(usize),
    /// It reaches the server, and where the answer's body says the one thing it comes to say the other.
    Says(&'static str, &'static str),
}

type Decide = dyn Fn(&str, &str) -> Fate + Send + Sync;

/// The proxy, which ends with the runtime of the test.
pub struct Proxy {
    server: String,
    client: reqwest::Client,
    decide: Mutex<Arc<Decide>>,
    /// From a request to its answer at least.
    latency: Mutex<Duration>,
    /// Method and target of every request so far.
    seen: Mutex<Vec<String>>,
}

impl Proxy {
    /// Puts one in front of the server with this URL; with it comes its own.
    pub async fn before(server: String) -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let proxy = Arc::new(Self {
            server,
            client: reqwest::Client::new(),
            decide: Mutex::new(Arc::new(|_: &str, _: &str| Fate::Pass)),
            latency: Mutex::default(),
            seen: Mutex::default(),
        });
        tokio::spawn(Arc::clone(&proxy).serve(listener));
        (proxy, format!("http://{address}"))
    }

    /// From now on `decide`, given method and target, says what becomes of each request.
    pub fn set(&self, decide: impl Fn(&str, &str) -> Fate + Send + Sync + 'static) {
        *self.decide.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(decide);
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// From now on every answer takes at least so long.
    pub fn set_latency(&self, latency: Duration) {
        *self.latency.lock().unwrap_or_else(PoisonError::into_inner) = latency;
    }

    /// How many requests with this method came since the last [`Self::set`].
    pub fn count(&self, method: &str) -> usize {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().filter(|seen| seen.starts_with(method)).count()
    }

    async fn serve(self: Arc<Self>, listener: TcpListener) {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(Arc::clone(&self).converse(connection));
        }
    }

    async fn converse(self: Arc<Self>, connection: TcpStream) {
        let is_reset = Arc::new(AtomicBool::new(false));
        let noted = Arc::clone(&is_reset);
        let service = service_fn(move |request| Arc::clone(&self).answer(request, Arc::clone(&noted)));
        let mut connection =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(connection), service);
        let _ = (&mut connection).await;
        if is_reset.load(Ordering::Relaxed) {
            let socket = connection.into_parts().io.into_inner();
            socket.set_zero_linger().expect("a socket takes its options");
        }
    }

    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        is_reset: Arc<AtomicBool>,
    ) -> Result<Response<Body>, BoxError> {
        let (method, target) = (request.method().clone(), request.uri().to_string());
        let conditional = ["if-match", "if-none-match"]
            .iter()
            .any(|name| request.headers().contains_key(*name));
        let decide = Arc::clone(&self.decide.lock().unwrap_or_else(PoisonError::into_inner));
        let fate = if conditional {
            Fate::Refused(501, "NotImplemented")
        } else {
            decide(method.as_str(), &target)
        };
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(format!("{method} {target}"));
        let latency = *self.latency.lock().unwrap_or_else(PoisonError::into_inner);
        sleep_until(Instant::now() + latency).await;
        if let Fate::Reset = fate {
            is_reset.store(true, Ordering::Relaxed);
            return Err("the connection is reset".into());
        }
        let (head, mut incoming) = request.into_parts();
        let mut body = BytesMut::new();
        while let Some(frame) = poll_fn(|context| Pin::new(&mut incoming).poll_frame(context)).await {
            body.extend(frame?.into_data().ok());
        }
        if let Fate::Refused(status, code) = fate {
            let said = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>no</Message></Error>");
            return Ok(Response::builder().status(status).body(said.into())?);
        }
        if let Fate::Accepted(said) = fate {
            return Ok(Response::new(said.into()));
        }
        let mut headers = head.headers;
        for own in ["connection", "expect", "transfer-encoding"] {
            headers.remove(own);
        }
        let sent = self
            .client
            .request(method, format!("{}{target}", self.server))
            .headers(headers);
        let answer = sent.body(body.freeze()).send().await?;
        let mut to = Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            if !(name == "transfer-encoding" || matches!(fate, Fate::Says(..)) && name == "content-length") {
                to = to.header(name, value);
            }
        }
        let said = answer.bytes().await?;
        let body = match fate {
            Fate::AnswerLost => return Err("the answer is lost".into()),
            Fate::CutAfter(length) => {
                let some = said.slice(..length.min(said.len()));
                let broken = async {
                    // What came before is sent when there is nothing to send at once.
                    tokio::task::yield_now().await;
                    Err::<Bytes, BoxError>("the answer is cut off".into())
                };
                Body::wrap_stream(stream::once(async { Ok(some) }).chain(stream::once(broken)))
            }
            Fate::Says(one, other) => String::from_utf8_lossy(&said).replace(one, other).into(),
            _ => said.into(),
        };
        Ok(to.body(body)?)
    }
}
