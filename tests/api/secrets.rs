//! Secrets in every place where a client, or whoever runs the server, can put one: none of them is ever written down.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    thread::{self, JoinHandle},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use tempfile::tempdir;
use wreg_harness::{RegistryProcess, raw::Connection};
use wreg_oci::Digest;

use crate::auth::unknown_token;

fn ask(server: &RegistryProcess, line: &str, fields: &str, body: &str) -> (u16, String) {
    let mut connection = Connection::open(server.address());
    let length = body.len();
    let request = format!("{line} HTTP/1.1\r\nhost: x\r\n{fields}content-length: {length}\r\n\r\n{body}");
    connection.send(request).expect("the server reads");
    let answer = connection.read_response().expect("an answer");
    (answer.status, answer.text())
}

#[test]
fn no_secret_reaches_the_log_even_at_its_loudest() {
    let folder = tempdir().expect("a temporary folder");
    let start = || RegistryProcess::builder().data_dir(folder.path().join("data"));
    // The greeting of the first start shows the administrator's token, on purpose and once.
    let mut first = start().start();
    first.ask_to_stop();
    assert!(first.wait().success());
    assert!(first.stdout().contains(&first.admin_token()));

    for format in ["text", "json"] {
        let mut server = start().env("WREG_LOG", "trace").env("WREG_LOG_FORMAT", format).start();
        let (admin, unknown) = (server.admin_token(), unknown_token());
        let basic = |user: &str, password: &str| BASE64.encode(format!("{user}:{password}"));
        let (right, wrong) = (basic("admin", &admin), basic("planted-user", "planted-password"));
        let target = format!("GET /v2/a/{format}/tags/list");
        let jwt = ask(
            &server,
            &format!("GET /token?scope=repository:a/{format}:pull"),
            &format!("authorization: Basic {right}\r\n"),
            "",
        );
        let jwt: serde_json::Value = serde_json::from_str(&jwt.1).expect("JSON");
        let jwt = jwt["token"].as_str().expect("a token").to_owned();
        let (head, rest) = jwt.split_once('.').expect("three parts");
        let forged = format!("{head}x.{rest}");
        for (authorization, status) in [
            (format!("Basic {right}"), 404),
            (format!("Basic {wrong}"), 401),
            (format!("Bearer {admin}"), 404),
            (format!("Bearer {unknown}"), 401),
            (format!("Bearer {jwt}"), 404),
            (format!("Bearer {forged}"), 401),
            ("Basic planted-malformed".to_owned(), 401),
            ("planted-scheme planted-credentials".to_owned(), 401),
        ] {
            let fields = format!("authorization: {authorization}\r\n");
            assert_eq!(ask(&server, &target, &fields, "").0, status, "{authorization}");
            ask(
                &server,
                "GET /token?account=planted-account&scope=repository:a/b:pull",
                &fields,
                "",
            );
            ask(
                &server,
                "GET /api/v1/repositories?planted-key=planted-value",
                &fields,
                "",
            );
        }
        for form in [
            format!("grant_type=password&username=planted-user&password={admin}"),
            "grant_type=password&username=planted-user&password=planted-password".to_owned(),
            format!("grant_type=refresh_token&refresh_token={unknown}"),
            "grant_type=planted-grant&password=planted-password".to_owned(),
        ] {
            ask(&server, "POST /token", "", &form);
        }
        let admins =
            format!("authorization: Bearer {admin}\r\ncookie: planted-cookie\r\nx-api-key: planted-header\r\n");
        let digest = Digest::sha256("planted-content");
        let push = format!("POST /v2/a/{format}/blobs/uploads/?digest={digest}&token=planted-query");
        assert_eq!(ask(&server, &push, &admins, "planted-content").0, 201);
        assert_eq!(
            ask(
                &server,
                &format!("PUT /v2/a/{format}/manifests/1.0"),
                &format!("{admins}content-type: text/plain\r\n"),
                "planted-manifest"
            )
            .0,
            400
        );

        server.ask_to_stop();
        assert!(server.wait().success());
        let log = server.stderr();
        assert!(
            log.contains("answered") && log.contains("refused"),
            "the log is not on: {log}"
        );
        let everything = server.stdout() + &log;
        for secret in ["planted-", &admin, &unknown, &right, &wrong, &jwt, &forged, rest] {
            let found = everything.lines().find(|line| line.contains(secret));
            assert_eq!(found, None, "{format}: {secret}");
        }
    }
}

/// A PostgreSQL that asks for a password, says that it is wrong, and gives what came back.
fn unwilling_postgres() -> (String, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    let answering = thread::spawn(move || {
        let (mut client, _) = listener.accept().expect("the server connects");
        let mut message = vec![0; 4096];
        let mut read = client.read(&mut message).expect("a first message");
        if message[..read].ends_with(&80_877_103_u32.to_be_bytes()) {
            // It asks for TLS.
            client.write_all(b"N").expect("the server reads");
            read = client.read(&mut message).expect("a first message");
        }
        assert!(read > 0);
        client.write_all(b"R\0\0\0\x08\0\0\0\x03").expect("the server reads");
        read = client.read(&mut message).expect("a password");
        message.truncate(read);
        let fields = b"SFATAL\0C28P01\0Mpassword authentication failed\0\0";
        let length = u32::try_from(fields.len() + 4).expect("short").to_be_bytes();
        client
            .write_all(&[b"E", &length[..], fields].concat())
            .expect("the server reads");
        message
    });
    (
        format!("postgres://planted-user:planted-password@{address}/planted"),
        answering,
    )
}

#[test]
fn the_password_of_the_database_is_not_shown_when_it_is_wrong() {
    let (url, answering) = unwilling_postgres();
    let loud = || RegistryProcess::builder().env("WREG_LOG", "trace");
    let refused = loud()
        .env("WREG_DATABASE", url)
        .try_start()
        .expect_err("the password is wrong");
    let sent = answering.join().expect("a password came");
    assert!(
        String::from_utf8_lossy(&sent).contains("planted-password"),
        "the control: it was sent"
    );
    assert!(
        refused.stderr.contains("password authentication failed") && !refused.stderr.contains("planted-password"),
        "{refused}"
    );
    for url in [
        "mysql://user:planted-password@host/db",
        "postgres://user:planted-password@host:port/db",
        "postgres://user:planted-password@host:70000/db",
        "postgres://user:planted-password@[::/db",
    ] {
        let refused = loud()
            .env("WREG_DATABASE", url)
            .try_start()
            .expect_err("this is no PostgreSQL");
        assert!(
            refused.stderr.contains("error: ") && !refused.stderr.contains("planted"),
            "{refused}"
        );
    }
}
