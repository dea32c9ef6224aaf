//! A balancer as one stands in front of several servers: it asks each whether it is ready, and gives every request to the next one that
//! is. It is a strict one: no request is sent twice, and where a server that it has to believe ready takes no connection, that is a
//! failure. Only what it had in hand when a server said that it leaves goes to another one.

use std::{
    convert::Infallible,
    future::poll_fn,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use hyper::{
    Request, Response,
    body::{Body as _, Incoming},
    header::{CONNECTION, HeaderMap, TRANSFER_ENCODING},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use reqwest::{Body, redirect::Policy};
use tokio::{
    net::TcpListener,
    sync::watch,
    time::{interval, timeout},
};

/// From one question whether a server is ready to the next.
const INTERVAL: Duration = Duration::from_millis(20);
/// How long it waits for what is to become so. A guard against hanging, not a measure.
const PATIENCE: Duration = Duration::from_mins(1);

/// The balancer, which ends with the runtime of the test.
pub struct Balancer {
    address: SocketAddr,
    places: watch::Sender<Vec<Place>>,
    turn: AtomicUsize,
    client: reqwest::Client,
    failures: Mutex<Vec<String>>,
}

/// One of the servers.
#[derive(Debug, Clone, Copy)]
struct Place {
    server: SocketAddr,
    is_ready: bool,
    /// How many requests it has answered.
    answered: usize,
}

impl Balancer {
    /// Puts one in front of these servers, which are ready when it returns.
    pub async fn before(servers: &[SocketAddr]) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let places = servers.iter().map(|server| Place::of(*server)).collect();
        let balancer = Arc::new(Self {
            address: listener.local_addr().expect("it is bound"),
            places: watch::Sender::new(places),
            turn: AtomicUsize::new(0),
            client: reqwest::Client::builder()
                .redirect(Policy::none())
                .build()
                .expect("a client"),
            failures: Mutex::default(),
        });
        tokio::spawn(Arc::clone(&balancer).serve(listener));
        for place in 0..servers.len() {
            tokio::spawn(Arc::clone(&balancer).watch_over(place));
        }
        for place in 0..servers.len() {
            balancer.wait_until_ready(place, true).await;
        }
        balancer
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Another server takes a place. It gets requests once it is ready.
    pub fn replace(&self, place: usize, server: SocketAddr) {
        self.places.send_modify(|places| places[place] = Place::of(server));
    }

    /// Waits until the server in a place is ready, or is not.
    pub async fn wait_until_ready(&self, place: usize, is_ready: bool) {
        self.wait(|places| places[place].is_ready == is_ready).await;
    }

    /// Waits until the server in a place has answered so many requests.
    pub async fn wait_for_answers(&self, place: usize, count: usize) {
        self.wait(|places| places[place].answered >= count).await;
    }

    /// What did not go well so far: answers of 500 and above, connections that broke, requests for which no server was ready.
    pub fn failures(&self) -> Vec<String> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn wait(&self, is_so: impl Fn(&[Place]) -> bool) {
        let mut places = self.places.subscribe();
        let waited = timeout(PATIENCE, places.wait_for(|places| is_so(places))).await;
        assert!(waited.is_ok(), "it does not become so: {:?}", self.places.borrow());
    }

    async fn watch_over(self: Arc<Self>, place: usize) {
        let mut times = interval(INTERVAL);
        loop {
            times.tick().await;
            let server = self.places.borrow()[place].server;
            let answer = self.client.get(format!("http://{server}/readyz")).send().await;
            let is_ready = answer.is_ok_and(|answer| answer.status().is_success());
            self.places.send_if_modified(|places| {
                let place = &mut places[place];
                let changes = place.server == server && place.is_ready != is_ready;
                place.is_ready ^= changes;
                changes
            });
        }
    }

    async fn serve(self: Arc<Self>, listener: TcpListener) {
        while let Ok((connection, _)) = listener.accept().await {
            let balancer = Arc::clone(&self);
            let service = service_fn(move |request| Arc::clone(&balancer).answer(request));
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(connection), service),
            );
        }
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        let asked = format!("{} {}", request.method(), request.uri());
        let (what, answer) = match self.pass_on(request).await {
            Ok(answer) if answer.status().is_server_error() => (answer.status().to_string(), answer),
            Ok(answer) => return Ok(answer),
            Err(what) => {
                let mut answer = Response::new(what.clone().into());
                *answer.status_mut() = hyper::StatusCode::BAD_GATEWAY;
                (what, answer)
            }
        };
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.push(format!("{asked}: {what}"));
        Ok(answer)
    }

    async fn pass_on(&self, request: Request<Incoming>) -> Result<Response<Body>, String> {
        let (head, mut incoming) = request.into_parts();
        let mut body = BytesMut::new();
        while let Some(frame) = poll_fn(|context| Pin::new(&mut incoming).poll_frame(context)).await {
            let frame = frame.map_err(|error| error.to_string())?;
            body.extend(frame.into_data().ok());
        }
        let body = body.freeze();
        let headers = of_the_request(head.headers);
        loop {
            let Some((place, server)) = self.next_ready() else {
                return Err("no server is ready".to_owned());
            };
            let sent = self
                .client
                .request(head.method.clone(), format!("http://{server}{}", head.uri));
            match sent.headers(headers.clone()).body(body.clone()).send().await {
                Ok(answer) => return self.whole(place, server, answer).await,
                Err(error) if error.is_connect() && !self.believes_ready(place, server) => {}
                Err(error) => return Err(format!("{error:?}")),
            }
        }
    }

    fn believes_ready(&self, place: usize, server: SocketAddr) -> bool {
        let place = self.places.borrow()[place];
        place.server == server && place.is_ready
    }

    fn next_ready(&self) -> Option<(usize, SocketAddr)> {
        let places = self.places.borrow();
        let ready = places.iter().enumerate().filter(|(_, place)| place.is_ready);
        let ready: Vec<_> = ready.map(|(index, place)| (index, place.server)).collect();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        (!ready.is_empty()).then(|| ready[turn % ready.len()])
    }

    /// The answer, read to its end: one that breaks off is a failure.
    async fn whole(
        &self,
        place: usize,
        server: SocketAddr,
        answer: reqwest::Response,
    ) -> Result<Response<Body>, String> {
        let (status, headers) = (answer.status(), of_the_request(answer.headers().clone()));
        let body: Bytes = answer.bytes().await.map_err(|error| format!("{error:?}"))?;
        self.places.send_modify(|places| {
            let place = &mut places[place];
            place.answered += usize::from(place.server == server);
        });
        let mut answer = Response::new(body.into());
        *answer.status_mut() = status;
        *answer.headers_mut() = headers;
        Ok(answer)
    }
}

impl Place {
    fn of(server: SocketAddr) -> Self {
        Self {
            server,
            is_ready: false,
            answered: 0,
        }
    }
}

/// What is not about one connection alone.
fn of_the_request(mut headers: HeaderMap) -> HeaderMap {
    headers.remove(CONNECTION);
    headers.remove(TRANSFER_ENCODING);
    headers
}
