//! The least of a client: requests over one connection, by the administrator.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use wreg_harness::{
    RegistryProcess,
    raw::{Connection, Response},
};

pub(crate) struct Client {
    connection: Connection,
    common: String,
}

impl Client {
    pub(crate) fn of(registry: &RegistryProcess) -> Self {
        let credentials = BASE64.encode(format!("admin:{}", registry.admin_token()));
        Self {
            connection: Connection::open(registry.address()),
            common: format!("Host: {}\r\nAuthorization: Basic {credentials}\r\n", registry.address()),
        }
    }

    pub(crate) fn get(&mut self, target: &str) -> Response {
        self.request("GET", target, 0, std::iter::empty())
    }

    /// Sends a request whose body is `length` bytes in `pieces`.
    pub(crate) fn request<'a>(
        &mut self,
        method: &str,
        target: &str,
        length: usize,
        pieces: impl Iterator<Item = &'a [u8]>,
    ) -> Response {
        let head = format!(
            "{method} {target} HTTP/1.1\r\n{}Content-Length: {length}\r\n\r\n",
            self.common
        );
        let sent = self.connection.send(head).and_then(|()| {
            let mut pieces = pieces;
            pieces.try_for_each(|piece| self.connection.send(piece))
        });
        let answer = sent.and_then(|()| self.connection.read_response());
        answer.unwrap_or_else(|error| panic!("{method} {target}: {error}"))
    }
}

/// Asks something by nobody in particular, who must get this status; the body of the answer.
pub(crate) fn ask(connection: &mut Connection, method: &str, target: &str, body: &[u8], status: u16) -> Result<String> {
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/vnd.oci.image.manifest.v1+json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    connection.send(head)?;
    connection.send(body)?;
    let answer = connection.read_response().context("no answer")?;
    ensure!(
        answer.status == status,
        "{method} {target}: {} {}",
        answer.status,
        answer.text()
    );
    Ok(answer.text())
}

/// The one in the middle.
pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
