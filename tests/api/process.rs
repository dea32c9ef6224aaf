//! The server's own process, asked over kept connections: for what ends it, and for what it may use.

use std::{io, net::SocketAddr, path::Path, time::Instant};

use wreg_harness::{
    RegistryProcess,
    raw::{Connection, Response},
};

/// A server on a data folder that outlives it. Uploads may be left in it.
pub(crate) fn start(data: &Path) -> RegistryProcess {
    RegistryProcess::builder().data_dir(data).may_leave_uploads().start()
}

/// The administrator on one connection, which is kept.
pub(crate) struct Client {
    pub(crate) connection: Connection,
    address: SocketAddr,
    token: String,
}

impl Client {
    pub(crate) fn of(server: &RegistryProcess) -> Self {
        Self::at(server.address(), &server.admin_token())
    }

    /// The same where the server's own folder has no token.
    pub(crate) fn at(address: SocketAddr, token: &str) -> Self {
        Self {
            connection: Connection::open(address),
            address,
            token: token.to_owned(),
        }
    }

    /// Sends a request's head, whose `framing` says how its body will come.
    pub(crate) fn begin(&mut self, method: &str, target: &str, framing: &str) -> io::Result<()> {
        let Self { address, token, .. } = self;
        self.connection.send(format!(
            "{method} {target} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n{framing}\r\n\r\n"
        ))
    }

    /// Sends a request whole, and reads the answer. An error if the server ends meanwhile.
    pub(crate) fn ask(&mut self, method: &str, target: &str, body: &[u8]) -> io::Result<Response> {
        // The type is looked at for manifests alone.
        let media_type = wreg_oci::MediaType::IMAGE_MANIFEST;
        let framing = format!("Content-Type: {media_type}\r\nContent-Length: {}", body.len());
        self.begin(method, target, &framing)?;
        self.connection.send(body)?;
        self.connection.read_response()
    }

    /// Sends a request whole, whose answer must come and have that status.
    pub(crate) fn must(&mut self, status: u16, method: &str, target: &str, body: &[u8]) -> Response {
        let answer = self.ask(method, target, body).expect("an answer");
        assert_eq!(answer.status, status, "{method} {target}: {}", answer.text());
        answer
    }
}

/// Looks again and again until something is so. Panics after a minute.
pub(crate) fn until(mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed().as_secs() < 60, "it does not become so");
        std::thread::yield_now();
    }
}
