//! The least of a client: requests over one connection, by the administrator.

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
