//! A client that reports what it sees and goes on.

use std::{
    io,
    net::SocketAddr,
    sync::{PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use wreg_harness::raw::{Connection, Response};

use super::Shared;

pub(super) struct Caller<'a> {
    address: SocketAddr,
    connection: Connection,
    common: String,
    pub(super) shared: &'a Shared,
}

impl<'a> Caller<'a> {
    pub(super) fn new(address: SocketAddr, token: &str, shared: &'a Shared) -> Self {
        let credentials = BASE64.encode(format!("admin:{token}"));
        Self {
            connection: Connection::open(address),
            common: format!("Host: {address}\r\nAuthorization: Basic {credentials}\r\n"),
            address,
            shared,
        }
    }

    /// The answer, whose status must be among `expected`. `None` if it is not, or the connection broke: that has been noted.
    pub(super) fn call(&mut self, method: &str, target: &str, body: &[u8], expected: &[u16]) -> Option<Response> {
        self.shared.requests.fetch_add(1, Ordering::Relaxed);
        match self.send(method, target, body) {
            Ok(answer) if expected.contains(&answer.status) => Some(answer),
            Ok(answer) => {
                self.shared.wrong(format!(
                    "{method} {target}: {} where {expected:?} was due: {}",
                    answer.status,
                    answer.text()
                ));
                None
            }
            Err(error) => {
                self.shared.wrong(format!("{method} {target}: {error}"));
                self.connection = Connection::open(self.address);
                None
            }
        }
    }

    fn send(&mut self, method: &str, target: &str, body: &[u8]) -> io::Result<Response> {
        let head = format!(
            "{method} {target} HTTP/1.1\r\n{}Content-Type: application/vnd.oci.image.manifest.v1+json\r\nContent-Length: {}\r\n\r\n",
            self.common,
            body.len()
        );
        self.connection.send([head.as_bytes(), body].concat())?;
        if method == "HEAD" {
            self.connection.read_head()
        } else {
            self.connection.read_response()
        }
    }

    /// Pushes a blob.
    pub(super) fn push(&mut self, repository: &str, content: &[u8], digest: &str) -> Option<()> {
        let began = Instant::now();
        let target = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
        self.call("POST", &target, content, &[201])?;
        let pushed = self.shared.pushed.fetch_add(1, Ordering::Relaxed);
        if pushed.is_multiple_of(16) {
            let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
            let mut took = self.shared.took.lock().unwrap_or_else(PoisonError::into_inner);
            took.push(micros);
        }
        Some(())
    }

    /// The answer to what the server has promised `since` then: `due`. Beyond half a lease the promise no longer holds, and `late`
    /// is right as well. Says whether it was kept.
    pub(super) fn promised(
        &mut self,
        since: Instant,
        method: &str,
        target: &str,
        body: &[u8],
        (due, late): (u16, u16),
    ) -> bool {
        const HALF: Duration = Duration::from_millis(super::LEASE * 1000 / 2);
        self.shared.requests.fetch_add(1, Ordering::Relaxed);
        let answer = self.send(method, target, body);
        let is_late = since.elapsed() >= HALF;
        match answer {
            Ok(answer) if answer.status == due => {
                self.shared.judged.fetch_add(1, Ordering::Relaxed);
                true
            }
            Ok(answer) if is_late && answer.status == late => {
                self.shared.slow.fetch_add(1, Ordering::Relaxed);
                false
            }
            Ok(answer) => {
                let after = since.elapsed();
                self.shared.wrong(format!(
                    "{method} {target}: {} after {after:?} where {due} was promised: {}",
                    answer.status,
                    answer.text()
                ));
                false
            }
            Err(error) => {
                self.shared.wrong(format!("{method} {target}: {error}"));
                self.connection = Connection::open(self.address);
                false
            }
        }
    }
}
