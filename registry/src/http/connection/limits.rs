//! What a connection may take its time for, and how much it may send ahead.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use tokio_rustls::rustls::ServerConfig;

use crate::metrics::Traffic;

/// On what terms a listener serves.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// What connections may take.
    pub limits: ConnectionLimits,
    /// How they are encrypted; plain http with none.
    pub tls: Option<Arc<ServerConfig>>,
    /// What counts them.
    pub traffic: Traffic,
    /// Whether the server is about to stop. It still takes requests then, each of them the last of its connection.
    pub leaving: Arc<AtomicBool>,
}

/// The limits of every connection. The defaults are those of a server on the open internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// From the opening of a connection to the end of its TLS handshake. 10 s.
    pub handshake: Duration,
    /// From the opening of a connection (with TLS: the end of the handshake), or from the first byte of a later request, to the end of the head. 10 s.
    pub header_read: Duration,
    /// From the end of a response to the first byte of the next request. 120 s.
    pub idle: Duration,
    /// How long a request whose body is awaited may send no byte of it. 60 s.
    pub body_stall: Duration,
    /// How long a client may take no byte of a response. 60 s.
    pub write_stall: Duration,
    /// The longest request target, in bytes. 8 KiB.
    pub target: usize,
    /// The most header fields. 100.
    pub headers: usize,
    /// The most bytes of header fields, names, values and separators together. 32 KiB.
    pub header_bytes: usize,
    /// How long requests in flight may go on after the server was told to stop. 30 s.
    pub drain: Duration,
    /// How long a connection that the server closes is read on, so that the client gets to read the last response. 2 s.
    pub linger: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            header_read: Duration::from_secs(10),
            idle: Duration::from_mins(2),
            body_stall: Duration::from_mins(1),
            write_stall: Duration::from_mins(1),
            target: 8 * 1024,
            headers: 100,
            header_bytes: 32 * 1024,
            drain: Duration::from_secs(30),
            linger: Duration::from_secs(2),
        }
    }
}
