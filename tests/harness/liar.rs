//! A registry that lies: a proxy in front of an honest one, which tells clients what a test wants.

use std::{
    future::poll_fn,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use bytes::BytesMut;
use hyper::{
    Request, Response,
    body::{Body as _, Incoming},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use reqwest::{Body, redirect::Policy};
use tokio::net::TcpListener;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What is told instead of the truth.
#[derive(Debug, Clone)]
pub enum Lie {
    /// The truth.
    None,
    /// The answer to another request.
    Of(String),
    /// One bit of the body is another.
    Bit(usize),
    /// The body is another.
    Body(Vec<u8>),
    /// Each text is told for another of the same length, in bodies and headers, and taken back where it is asked for: `(true, told)`.
    Told(Vec<(String, String)>),
    /// There is no such thing.
    Absent,
}

impl Lie {
    /// What is told for a text. What is none stays as it is.
    fn tell(&self, said: Vec<u8>) -> Vec<u8> {
        let Self::Told(texts) = self else { return said };
        match String::from_utf8(said) {
            Ok(said) => tell(said, texts).into_bytes(),
            Err(said) => said.into_bytes(),
        }
    }
}

/// A text with each of the true ones told as the other.
pub fn tell(said: String, texts: &[(String, String)]) -> String {
    texts.iter().fold(said, |said, (truth, told)| said.replace(truth, told))
}

type Decide = dyn Fn(&str) -> Lie + Send + Sync;

/// The proxy. It ends when it is dropped.
pub struct Liar {
    address: SocketAddr,
    registry: Arc<Mutex<SocketAddr>>,
    decide: Arc<Mutex<Arc<Decide>>>,
    _stop: mpsc::Sender<()>,
}

impl Liar {
    /// Puts one in front of a registry; it begins with the truth.
    pub fn before(registry: SocketAddr) -> Self {
        let honest: Arc<Decide> = Arc::new(|_: &str| Lie::None);
        let decide = Arc::new(Mutex::new(honest));
        let (stop, stopped) = mpsc::channel::<()>();
        let (told, address) = mpsc::channel();
        let registry = Arc::new(Mutex::new(registry));
        let shared = (Arc::clone(&registry), Arc::clone(&decide));
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .expect("a runtime");
            let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
            let _ = told.send(listener.local_addr().expect("it is bound"));
            runtime.spawn(serve(listener, shared.0, shared.1));
            // An error says that the liar was dropped.
            let _ = stopped.recv();
            runtime.shutdown_background();
        });
        Self {
            address: address.recv().expect("it listens"),
            registry,
            decide,
            _stop: stop,
        }
    }

    /// Where clients find it.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on it is in front of another registry, or of the same one that was started again.
    pub fn move_before(&self, registry: SocketAddr) {
        *self.registry.lock().unwrap_or_else(PoisonError::into_inner) = registry;
    }

    /// From now on `decide`, given the target of each reading request, says what is told.
    pub fn tell(&self, decide: impl Fn(&str) -> Lie + Send + Sync + 'static) {
        *self.decide.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(decide);
    }
}

async fn serve(listener: TcpListener, registry: Arc<Mutex<SocketAddr>>, decide: Arc<Mutex<Arc<Decide>>>) {
    let client = reqwest::Client::builder()
        .redirect(Policy::none())
        .build()
        .expect("a client");
    while let Ok((connection, _)) = listener.accept().await {
        let (client, registry, decide) = (client.clone(), Arc::clone(&registry), Arc::clone(&decide));
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let registry = *registry.lock().unwrap_or_else(PoisonError::into_inner);
                let decide = Arc::clone(&decide.lock().unwrap_or_else(PoisonError::into_inner));
                answer(client.clone(), registry, decide, request)
            });
            let http = hyper::server::conn::http1::Builder::new();
            let _ = http.serve_connection(TokioIo::new(connection), service).await;
        });
    }
}

async fn answer(
    client: reqwest::Client,
    registry: SocketAddr,
    decide: Arc<Decide>,
    request: Request<Incoming>,
) -> Result<Response<Body>, BoxError> {
    let (head, mut incoming) = request.into_parts();
    let mut body = BytesMut::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut incoming).poll_frame(context)).await {
        body.extend(frame?.into_data().ok());
    }
    let target = head.uri.to_string();
    let reads = matches!(head.method.as_str(), "GET" | "HEAD");
    let lie = if reads { decide(&target) } else { Lie::None };
    let asked = match &lie {
        Lie::Of(other) => other.clone(),
        Lie::Told(texts) => texts
            .iter()
            .fold(target, |target, (truth, told)| target.replace(told, truth)),
        _ => target,
    };
    let mut headers = head.headers;
    // What is compressed could not be changed.
    for own in ["accept-encoding", "connection", "expect", "transfer-encoding"] {
        headers.remove(own);
    }
    let sent = client
        .request(head.method, format!("http://{registry}{asked}"))
        .headers(headers);
    let answer = sent.body(body.freeze()).send().await?;
    if matches!(lie, Lie::Absent) {
        return Ok(Response::builder().status(404).body("{\"errors\":[]}".into())?);
    }
    let mut to = Response::builder().status(answer.status());
    let keeps_length = matches!(lie, Lie::None | Lie::Of(_) | Lie::Bit(_) | Lie::Told(_));
    for (name, value) in answer.headers() {
        if name != "transfer-encoding" && (keeps_length || name != "content-length") {
            to = to.header(name, lie.tell(value.as_bytes().to_vec()));
        }
    }
    let mut said = answer.bytes().await?.to_vec();
    match lie {
        Lie::Bit(place) if !said.is_empty() => {
            let at = place % said.len();
            said[at] ^= 1;
        }
        Lie::Body(other) => said = other,
        lie => said = lie.tell(said),
    }
    Ok(to.body(said.into())?)
}
