//! What the server counts, for Prometheus. Labels come from closed sets: nothing that a client writes ever becomes one.
//!
//! Requests are counted where they are logged (`http/trace.rs`), connections in the accept loop; the rest is asked of its owner when
//! somebody scrapes.

use std::{sync::atomic::AtomicU64, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

/// The media type of [`Metrics::encode`].
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Everything that is counted.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    durations: Family<Endpoint, Histogram, fn() -> Histogram>,
    /// The connections of clients.
    pub(crate) traffic: Traffic,
    panics: Total,
    certificate_failures: Total,
    certificate_expiry: Gauge,
    ready: Gauge,
    open_uploads: Gauge,
    database_connections: Gauge,
    database_idle: Gauge,
    writes_waiting: Gauge,
}

/// What is known at the moment of a scrape.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Observed {
    pub(crate) ready: bool,
    /// `None` if the database does not say.
    pub(crate) open_uploads: Option<u64>,
    pub(crate) panics: u64,
    pub(crate) certificate_failures: u64,
    /// In seconds since 1970; `None` without TLS.
    pub(crate) certificate_expiry: Option<i64>,
    pub(crate) database: DatabaseLoad,
}

/// How busy the database is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DatabaseLoad {
    /// Connections that are open, those in use among them.
    pub(crate) connections: u32,
    pub(crate) idle: usize,
    /// Writes that wait for the one writer of SQLite.
    pub(crate) writes_waiting: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: &'static str,
    endpoint: &'static str,
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Endpoint {
    endpoint: &'static str,
}

/// The connections of a listener. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Traffic {
    open: Gauge,
    received: Counter,
    sent: Counter,
    handshakes_failed: Counter,
}

/// An open connection; it counts as one until it is dropped.
pub(crate) struct Open(Gauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Traffic {
    pub(crate) fn open(&self) -> Open {
        self.open.inc();
        Open(self.open.clone())
    }

    pub(crate) fn received(&self, bytes: usize) {
        self.received.inc_by(bytes as u64);
    }

    pub(crate) fn sent(&self, bytes: usize) {
        self.sent.inc_by(bytes as u64);
    }

    pub(crate) fn handshake_failed(&self) {
        self.handshakes_failed.inc();
    }
}

/// A total that somebody else keeps.
#[derive(Debug, Clone, Default)]
struct Total(Counter);

impl Total {
    fn set(&self, total: u64) {
        let inner: &AtomicU64 = self.0.inner();
        inner.store(total, std::sync::atomic::Ordering::Relaxed);
    }
}

/// From a millisecond to a minute.
fn durations() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 4.0, 9))
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("wreg"),
            requests: Family::default(),
            durations: Family::new_with_constructor(durations),
            traffic: Traffic::default(),
            panics: Total::default(),
            certificate_failures: Total::default(),
            certificate_expiry: Gauge::default(),
            ready: Gauge::default(),
            open_uploads: Gauge::default(),
            database_connections: Gauge::default(),
            database_idle: Gauge::default(),
            writes_waiting: Gauge::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let Self { registry, traffic, .. } = self;
        registry.register("requests", "Requests that were answered", self.requests.clone());
        registry.register_with_unit(
            "request_duration",
            "From a request's head to its answer's",
            Unit::Seconds,
            self.durations.clone(),
        );
        registry.register("connections", "Open connections of clients", traffic.open.clone());
        registry.register_with_unit(
            "received",
            "Bytes from clients, without TLS",
            Unit::Bytes,
            traffic.received.clone(),
        );
        registry.register_with_unit(
            "sent",
            "Bytes to clients, without TLS",
            Unit::Bytes,
            traffic.sent.clone(),
        );
        registry.register(
            "tls_handshakes_failed",
            "Handshakes that came to nothing",
            traffic.handshakes_failed.clone(),
        );
        registry.register("panics", "Requests that ended in a panic", self.panics.0.clone());
        registry.register(
            "certificate_reloads_failed",
            "Changed certificates that could not be used",
            self.certificate_failures.0.clone(),
        );
        registry.register_with_unit(
            "certificate_expiry_timestamp",
            "When the certificate ends, since 1970; 0 without TLS",
            Unit::Seconds,
            self.certificate_expiry.clone(),
        );
        registry.register("ready", "1 if requests should be sent here", self.ready.clone());
        registry.register("open_uploads", "Uploads under way", self.open_uploads.clone());
        registry.register(
            "database_connections",
            "Connections to the database",
            self.database_connections.clone(),
        );
        registry.register(
            "database_connections_idle",
            "Connections to the database that nobody uses",
            self.database_idle.clone(),
        );
        registry.register(
            "database_writes_waiting",
            "Writes that wait for the writer of SQLite",
            self.writes_waiting.clone(),
        );
    }

    /// A request was answered. `endpoint` is one of a closed set.
    pub(crate) fn answered(&self, method: &str, endpoint: &'static str, status: u16, took: Duration) {
        let request = Request {
            method: known_method(method),
            endpoint,
            status: class(status),
        };
        self.requests.get_or_create(&request).inc();
        self.durations
            .get_or_create(&Endpoint { endpoint })
            .observe(took.as_secs_f64());
    }

    /// Everything as text.
    pub(crate) fn encode(&self, observed: &Observed) -> Result<String, std::fmt::Error> {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.ready.set(i64::from(observed.ready));
        if let Some(uploads) = observed.open_uploads {
            self.open_uploads.set(number(uploads));
        }
        self.panics.set(observed.panics);
        self.certificate_failures.set(observed.certificate_failures);
        self.certificate_expiry.set(observed.certificate_expiry.unwrap_or(0));
        self.database_connections.set(observed.database.connections.into());
        self.database_idle.set(number(observed.database.idle as u64));
        self.writes_waiting.set(number(observed.database.writes_waiting as u64));
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

fn known_method(method: &str) -> &'static str {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
    known.into_iter().find(|known| *known == method).unwrap_or("other")
}

fn class(status: u16) -> &'static str {
    match status / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}
