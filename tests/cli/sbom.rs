//! `wreg sbom`, and what `wreg push` pushes beside a component.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread,
};

use serde_json::Value;
use wreg_harness::{RegistryProcess, fixtures::wat};

use crate::wreg::{Run, User};

const PACKAGES: &str = r#"[{"name":"serde","version":"1.0.228","source":"crates.io"},
    {"name":"cc","version":"1.2.0","source":"crates.io","kind":"build"}]"#;
const TYPE: &str = "application/vnd.cyclonedx+json";

fn document(run: &Run) -> Value {
    serde_json::from_slice(&run.stdout).expect("it is JSON")
}

#[test]
fn the_document_is_the_same_of_a_file_and_of_an_artifact() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    let file = user.file("hello.wasm", wat::component_made_of(PACKAGES));
    let reference = format!("{}/acme/hello:1.0.0", registry.address());
    user.run(&["push", &file, &reference]).yes();
    let shown = user.run(&["sbom", &file]).yes();
    assert_eq!(shown.stderr, "");
    assert_eq!(document(&shown)["components"][1]["purl"], "pkg:cargo/serde@1.0.228");
    assert_eq!(user.run(&["sbom", &reference]).yes().stdout, shown.stdout);
    let written = user.run(&["sbom", &reference, "-o", "hello.cdx.json"]).yes();
    assert_eq!(written.line(), "hello.cdx.json");
    assert_eq!(user.read("hello.cdx.json"), shown.stdout);
    let json = user.run(&["sbom", &file, "--format", "json"]).yes().json();
    assert_eq!((&json["schema"], &json["sbom"]), (&1.into(), &document(&shown)));
    let dated = User::new().with("SOURCE_DATE_EPOCH", "1767225600");
    dated.file("hello.wasm", wat::component_made_of(PACKAGES));
    let dated = document(&dated.run(&["sbom", &file]).yes());
    assert_eq!(dated["metadata"]["timestamp"], "2026-01-01T00:00:00Z");
}

#[test]
fn a_component_without_a_list_has_a_document_that_says_so() {
    let user = User::new();
    let file = user.file("hello.wasm", wat::component());
    let shown = user.run(&["sbom", &file]).yes();
    assert_eq!(document(&shown)["components"], serde_json::json!([]));
    shown
        .saying("has no list of the packages")
        .saying("hint: `cargo auditable build`");
    let file = user.file("text.wasm", "no WebAssembly");
    user.run(&["sbom", &file]).no();
}

#[test]
fn what_is_pushed_has_the_document_beside_it() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    let reference = format!("{}/acme/hello:1.0.0", registry.address());
    let beside = |reference: &str| {
        let target = format!("{}/copies/{}:1", registry.address(), reference.len());
        let json = user
            .run(&["copy", reference, &target, "--referrers", "--format", "json"])
            .yes();
        json.json()["manifests"].as_u64().expect("a number") - 1
    };
    let plain = user.file("plain.wasm", wat::component());
    let json = user.run(&["push", &plain, &reference, "--format", "json"]).yes().json();
    assert_eq!((json.get("sbom"), beside(&reference)), (None, 0));

    let file = user.file("hello.wasm", wat::component_made_of(PACKAGES));
    let without = format!("{}/acme/without:10.0.0", registry.address());
    user.run(&["push", &file, &without, "--no-sbom"]).yes();
    assert_eq!(beside(&without), 0);

    let reference = format!("{}/acme/hello:1.1.0", registry.address());
    let json = user.run(&["push", &file, &reference, "--format", "json"]).yes().json();
    let digest = json["sbom"].as_str().expect("it was pushed").to_owned();
    let attached = format!("{}/acme/hello@{digest}", registry.address());
    let inspected = user.run(&["inspect", &attached, "--format", "json"]).yes().json();
    assert_eq!(inspected["artifact_type"], TYPE);
    assert_eq!(inspected["subject"], json["digest"]);
    assert_eq!(inspected["config"]["media_type"], "application/vnd.oci.empty.v1+json");
    let layers = inspected["layers"].as_array().expect("a list");
    assert_eq!((layers.len(), &layers[0]["media_type"]), (1, &TYPE.into()));
    let document = user.run(&["sbom", &file]).yes().stdout;
    assert_eq!(layers[0]["digest"], wreg_oci::Digest::sha256(&document).to_string());

    // On another day too.
    let later = User::of(&registry);
    later.file("hello.wasm", wat::component_made_of(PACKAGES));
    let again = later.run(&["push", &file, &reference, "--format", "json"]).yes().json();
    assert_eq!(again["sbom"], digest.as_str());
    assert_eq!(beside(&reference), 1);
}

/// Answers one request as a registry would that has every blob and takes every manifest but those with a subject.
fn answer(mut stream: TcpStream) {
    let mut request = BufReader::new(&stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if request.read_line(&mut line).unwrap_or(0) <= 2 {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a number");
        }
        head += &line;
    }
    let mut body = vec![0; length];
    request.read_exact(&mut body).expect("the body comes");
    let is_refused = String::from_utf8_lossy(&body).contains("\"subject\"");
    let status = match head.split(' ').next() {
        Some("PUT") if is_refused => "403 Forbidden",
        Some("PUT") => "201 Created",
        _ => "200 OK",
    };
    let text = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(text.as_bytes()).expect("the client reads");
}

#[test]
fn a_document_that_is_not_taken_is_told_and_the_component_is_pushed_all_the_same() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let address = listener.local_addr().expect("a bound socket has an address");
    thread::spawn(move || listener.incoming().flatten().for_each(answer));
    let user = User::new();
    let file = user.file("hello.wasm", wat::component_made_of(PACKAGES));
    let reference = format!("{address}/acme/hello:1.0.0");
    let run = user.run(&["push", &file, &reference]).yes();
    assert!(run.line().starts_with(&format!("{address}/acme/hello@sha256:")));
    run.saying("warning: it is pushed, but the list of its packages is not")
        .saying("--no-sbom leaves the list out");
    let json = user.run(&["push", &file, &reference, "--format", "json"]).yes().json();
    assert_eq!(json.get("sbom"), None);
    assert_eq!(user.run(&["push", &file, &reference, "--no-sbom"]).yes().stderr, "");
}
