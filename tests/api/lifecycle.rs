//! Starting and ending, as the process that people run. It has its own database, so what takes long is left out of the run on
//! PostgreSQL.

use std::{
    fs::{self, Permissions},
    io::Read as _,
    net::{SocketAddr, TcpStream},
    os::unix::fs::PermissionsExt as _,
    process::Command,
};

use tempfile::tempdir;
use wreg_harness::{RegistryProcess, program, without_settings};

use crate::{
    descriptors::connections,
    process::{Client, start, until},
};

fn refusal(builder: wreg_harness::Builder) -> String {
    let refused = builder.try_start().expect_err("the server must not start");
    assert_eq!(refused.status.code(), Some(1), "{refused}");
    refused.stderr
}

/// **L03** A configuration with an unknown name or an impossible value → the server does not start, and says file, line and reason.
#[test]
fn a_configuration_that_is_wrong_is_refused_with_its_line() {
    let folder = tempdir().expect("a temporary folder");
    let file = folder.path().join("wreg.toml");
    for (text, line, reason) in [
        (
            "dev = false\nlisen = \"127.0.0.1:0\"\n",
            "line 2",
            "unknown field `lisen`",
        ),
        ("# wreg\n\nmax_blob_size = -1\n", "line 3", "max_blob_size"),
        (
            "default_visibility = \"secret\"\n",
            "line 1",
            "expected `private` or `public`",
        ),
        ("public_url = \"registry.example\"\n", "line 1", "https://host"),
        ("log_format = text\n", "line 1", "text"),
    ] {
        fs::write(&file, text).expect("the file can be written");
        let said = refusal(RegistryProcess::builder().arg("--config").arg(&file));
        for part in [&file.display().to_string(), line, reason] {
            assert!(said.contains(part), "{part} is not in: {said}");
        }
    }
    let missing = folder.path().join("missing.toml");
    let said = refusal(RegistryProcess::builder().arg("--config").arg(&missing));
    assert!(said.contains(&missing.display().to_string()), "{said}");
    let said = refusal(RegistryProcess::builder().env("WREG_MAX_BLOB_SIZE", "much"));
    assert!(said.contains("WREG_MAX_BLOB_SIZE"), "{said}");
}

/// **L03** A file with a secret that others can read, or that holds something else → the server does not start, and says which file and what to do.
#[test]
fn a_secret_that_others_can_read_is_refused() {
    let folder = tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let start = || RegistryProcess::builder().data_dir(&data);
    assert!(start().start().terminate().success());
    for name in ["admin-token", "token-key.p8"] {
        let file = data.join(name);
        for mode in [0o644, 0o640, 0o604, 0o660] {
            fs::set_permissions(&file, Permissions::from_mode(mode)).expect("the mode can be set");
            let said = refusal(start());
            for part in [&file.display().to_string(), "readable by others", "chmod 600"] {
                assert!(said.contains(part), "{part} is not in: {said}");
            }
        }
        fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("the mode can be set");
        let kept = folder.path().join("kept");
        fs::rename(&file, &kept).expect("the file is there");
        fs::write(&file, "planted-nonsense").expect("the file can be written");
        fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("the mode can be set");
        let said = refusal(start());
        assert!(
            said.contains(&file.display().to_string()) && !said.contains("planted"),
            "{said}"
        );
        fs::rename(&kept, &file).expect("the file is there");
    }
    assert!(start().start().terminate().success());
}

/// **L03** Plain http on an address that other machines reach, or `--dev` there → the server does not start, and says why.
#[test]
fn an_address_beyond_loopback_needs_tls() {
    let folder = tempdir().expect("a temporary folder");
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:5000"] {
        for (more, tls_in_front, reason) in [
            (&[][..], "false", "plain http"),
            (&["--dev"], "false", "loopback"),
            (&["--dev"], "true", "loopback"),
        ] {
            let mut command = Command::new(program());
            without_settings(&mut command).env("WREG_TLS_IN_FRONT", tls_in_front);
            command
                .args(["--listen", address, "--data-dir"])
                .arg(folder.path().join("data"))
                .args(more);
            let ended = command.output().expect("it can be started");
            let said = String::from_utf8_lossy(&ended.stderr);
            assert_eq!(ended.status.code(), Some(1), "{said}");
            assert!(said.contains(address) && said.contains(reason), "{said}");
            assert_eq!(ended.stdout, b"");
        }
    }
    // It did not get as far as to make anything.
    assert!(!folder.path().join("data").exists());
}

/// A request whose body is asked for: it is in flight for certain.
fn begin(server: &RegistryProcess, method: &str, target: &str, length: usize) -> Client {
    let mut client = Client::of(server);
    let framing = format!("expect: 100-continue\r\ncontent-length: {length}");
    client.begin(method, target, &framing).expect("the server reads");
    assert_eq!(client.connection.read_head().expect("an answer").status, 100);
    client
}

/// Whether nobody new is let in. Whoever is let in before the server is told to end is let go then.
fn is_closed(address: SocketAddr) -> bool {
    match TcpStream::connect(address) {
        Err(_) => true,
        Ok(mut stream) => stream.read(&mut [0]).is_err(),
    }
}

/// **L01** SIGTERM where a delay is configured → `/readyz` says 503 from then on, and what still comes is answered; a second SIGTERM ends the delay.
#[test]
fn a_server_that_is_about_to_end_is_not_ready_and_answers_still() {
    let builder = RegistryProcess::builder().env("WREG_SHUTDOWN_DELAY_SECONDS", "86400");
    let mut server = builder.start();
    let mut kept = Client::of(&server);
    kept.must(200, "GET", "/readyz", b"");
    server.ask_to_stop();
    until(|| {
        Client::of(&server)
            .ask("GET", "/readyz", b"")
            .expect("an answer")
            .status
            == 503
    });
    let answer = kept.must(200, "GET", "/v2/", b"");
    assert_eq!(answer.header("connection"), Some("close"));
    assert!(kept.connection.is_closed_by_peer());
    Client::of(&server).must(200, "GET", "/v2/", b"");
    server.ask_to_stop();
    assert!(server.wait().success(), "{}", server.stderr());
}

/// **L01** SIGTERM with 1,000 requests in flight → nobody new is let in, each of them is answered, the process ends with success, and uploads go on after the next start.
#[test]
fn a_server_that_is_told_to_end_answers_what_is_in_flight() {
    const UPLOADS: usize = 50;
    if wreg_harness::database().is_some() {
        return;
    }
    let count = connections(1000);
    if count < 1000 {
        wreg_harness::note_not_run(&format!(
            "there are descriptors for {count} connections only (ulimit -Hn)"
        ));
        return;
    }
    let folder = tempdir().expect("a temporary folder");
    let mut server = start(folder.path());
    let form = format!("grant_type=password&username=x&password={}", server.admin_token());
    let mut client = Client::of(&server);
    let mut upload = || {
        let answer = client.must(202, "POST", "/v2/a/b/blobs/uploads/", b"");
        answer.header("location").expect("a location").to_owned()
    };
    let locations: Vec<_> = (0..UPLOADS).map(|_| upload()).collect();
    let uploads = locations.iter().map(|path| begin(&server, "PATCH", path, 10));
    let mut uploads: Vec<_> = uploads.collect();
    let forms = (UPLOADS..count).map(|_| begin(&server, "POST", "/token", form.len()));
    let mut forms: Vec<_> = forms.collect();

    server.ask_to_stop();
    until(|| is_closed(server.address()));
    // One of the uploads gives up half way; the others finish.
    let mut abandoned = uploads.remove(0);
    abandoned.connection.send("01234").expect("the server reads");
    drop(abandoned);
    for client in &mut uploads {
        client.connection.send("0123456789").expect("the server reads");
    }
    for client in &mut forms {
        client.connection.send(&form).expect("the server reads");
    }
    for client in &mut uploads {
        let answer = client.connection.read_response().expect("an answer");
        assert_eq!((answer.status, answer.header("range")), (202, Some("0-9")));
    }
    for client in &mut forms {
        assert_eq!(client.connection.read_response().expect("an answer").status, 200);
        assert!(client.connection.is_closed_by_peer());
    }
    assert!(server.wait().success(), "{}", server.stderr());

    let server = start(folder.path());
    let mut client = Client::of(&server);
    for (index, location) in locations.iter().enumerate() {
        let answer = client.must(204, "GET", location, b"");
        let range = if index == 0 { "0-4" } else { "0-9" };
        assert_eq!(answer.header("range"), Some(range), "{location}");
    }
    let content = "0123456789";
    let digest = wreg_oci::Digest::sha256(content);
    client.must(201, "PUT", &format!("{}?digest={digest}", locations[0]), b"56789");
    assert_eq!(
        client.must(200, "GET", &format!("/v2/a/b/blobs/{digest}"), b"").text(),
        content
    );
    assert!(server.terminate().success());
}
