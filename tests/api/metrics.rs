//! What Prometheus is told, and how little of it a client can choose.

use wreg_harness::{
    RegistryProcess,
    certificates::Certificates,
    raw::{Connection, Response},
};

use crate::process::{Client, until};

fn scrape(server: &RegistryProcess) -> Response {
    // It comes after the line that the harness waits for.
    until(|| server.stdout().contains("/metrics\n"));
    let stdout = server.stdout();
    let (_, rest) = stdout.split_once("metrics on http://").expect("metrics are served");
    let (address, _) = rest.split_once("/metrics").expect("an address");
    let mut connection = Connection::open(address.parse().expect("an address"));
    let request = "GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    connection.send(request).expect("the server reads");
    connection.read_response().expect("an answer")
}

/// The value of the one line that begins so.
fn value(text: &str, line: &str) -> f64 {
    let mut lines = text
        .lines()
        .filter_map(|found| found.strip_prefix(line)?.strip_prefix(' '));
    let value = lines.next().unwrap_or_else(|| panic!("{line} is not in: {text}"));
    value.parse().expect("a number")
}

/// Requests with hostile methods, paths and headers → metrics count them, and have not one label more than their closed sets.
#[test]
fn metrics_count_and_their_labels_are_closed_sets() {
    let server = RegistryProcess::builder()
        .env("WREG_METRICS_LISTEN", "127.0.0.1:0")
        .may_leave_uploads()
        .start();
    let mut client = Client::of(&server);
    client.must(202, "POST", "/v2/acme/hello/blobs/uploads/", b"");
    client.must(200, "GET", "/livez", b"");
    for number in 0..50 {
        client.must(404, "GET", &format!("/evil-{number}"), b"");
        client.must(404, "GET", &format!("/v2/evil/manifests/{number}"), b"");
        client.must(405, &format!("EVIL{number}"), "/v2/", b"");
    }
    let answer = scrape(&server);
    assert_eq!(answer.status, 200);
    assert!(
        answer
            .header("content-type")
            .expect("a type")
            .starts_with("application/openmetrics-text")
    );
    let text = answer.text();
    assert!(!text.to_lowercase().contains("evil"), "{text}");
    for (line, expected) in [
        (
            "wreg_requests_total{method=\"POST\",endpoint=\"uploads\",status=\"2xx\"}",
            1.0,
        ),
        (
            "wreg_requests_total{method=\"GET\",endpoint=\"health\",status=\"2xx\"}",
            1.0,
        ),
        (
            "wreg_requests_total{method=\"GET\",endpoint=\"manifests\",status=\"4xx\"}",
            50.0,
        ),
        (
            "wreg_requests_total{method=\"GET\",endpoint=\"other\",status=\"4xx\"}",
            50.0,
        ),
        (
            "wreg_requests_total{method=\"other\",endpoint=\"ping\",status=\"4xx\"}",
            50.0,
        ),
        ("wreg_request_duration_seconds_count{endpoint=\"uploads\"}", 1.0),
        ("wreg_connections", 1.0),
        ("wreg_open_uploads", 1.0),
        ("wreg_ready", 1.0),
        ("wreg_panics_total", 0.0),
        ("wreg_certificate_expiry_timestamp_seconds", 0.0),
    ] {
        assert!((value(&text, line) - expected).abs() < 0.5, "{line}: {text}");
    }
    assert!(value(&text, "wreg_received_bytes_total") > 1000.0);
    assert!(value(&text, "wreg_sent_bytes_total") > 1000.0);
    // On the listener of clients there is nothing, and on this one nothing else.
    client.must(404, "GET", "/metrics", b"");
}

/// **L01** The server was told to stop and still answers what is in flight → its metrics say that it is not ready.
#[test]
fn metrics_say_that_a_server_that_stops_is_not_ready() {
    let server = RegistryProcess::builder()
        .env("WREG_METRICS_LISTEN", "127.0.0.1:0")
        .start();
    let form = format!("grant_type=password&username=x&password={}", server.admin_token());
    let mut client = Client::of(&server);
    let framing = format!("expect: 100-continue\r\ncontent-length: {}", form.len());
    client.begin("POST", "/token", &framing).expect("the server reads");
    assert_eq!(client.connection.read_head().expect("an answer").status, 100);
    server.ask_to_stop();
    until(|| value(&scrape(&server).text(), "wreg_ready") < 0.5);
    client.connection.send(&form).expect("the server reads");
    assert_eq!(client.connection.read_response().expect("an answer").status, 200);
    assert!(server.terminate().success());
}

#[test]
fn metrics_tell_of_tls() {
    let certificates = Certificates::new();
    let server = RegistryProcess::builder()
        .env("WREG_METRICS_LISTEN", "127.0.0.1:0")
        .env("WREG_TLS_CERTIFICATE", certificates.certificate())
        .env("WREG_TLS_KEY", certificates.key())
        .start();
    let mut plain = Connection::open(server.address());
    plain.send("GET / HTTP/1.1\r\n\r\n").expect("the server reads");
    assert!(plain.read_head().is_err());
    until(|| value(&scrape(&server).text(), "wreg_tls_handshakes_failed_total") > 0.5);
    // The certificates of tests end in the year 4096.
    assert!(value(&scrape(&server).text(), "wreg_certificate_expiry_timestamp_seconds") > 6e10);
    assert!(server.terminate().success());
}
