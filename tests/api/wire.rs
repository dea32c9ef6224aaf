//! Requests byte for byte as a test writes them: an HTTP client would tidy their targets up, and never stop half way.

use serde_json::Value;
use tokio::task::spawn_blocking;
use wreg_harness::raw::{Connection, Response};

use crate::registry::TestRegistry;

/// The head of a request by the administrator. `headers` are further lines, each with its CRLF.
pub(crate) fn head(registry: &TestRegistry, method: &str, target: &str, headers: &str) -> String {
    let TestRegistry { address, token, .. } = registry;
    format!(
        "{method} {target} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n{headers}\r\n"
    )
}

/// Sends one request of the administrator, its target as it is written, and gives the answer.
pub(crate) async fn exchange(registry: &TestRegistry, method: &str, target: &str, body: &[u8]) -> Response {
    let length = format!("Content-Length: {}\r\n", body.len());
    send(
        registry,
        [head(registry, method, target, &length).as_bytes(), body].concat(),
    )
    .await
}

/// Sends one request as it is, to anything but HEAD, and gives the answer.
pub(crate) async fn send(registry: &TestRegistry, request: Vec<u8>) -> Response {
    let address = registry.address;
    let exchanged = spawn_blocking(move || {
        let mut connection = Connection::open(address);
        connection.send(&request)?;
        connection.read_response()
    });
    let answer = exchanged.await.expect("nobody panics");
    answer.expect("an answer")
}

/// The status and the error code of an answer.
pub(crate) fn refusal(answer: &Response) -> (u16, String) {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let code = body["errors"][0]["code"].as_str().unwrap_or_default();
    (answer.status, code.to_owned())
}
