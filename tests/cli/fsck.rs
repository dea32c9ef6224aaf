//! `wreg admin fsck`.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    path::PathBuf,
    thread,
};

use serde_json::Value;
use wreg_harness::{RegistryProcess, fixtures::wat};
use wreg_oci::Digest;

use crate::wreg::{Run, User};

/// A registry whose blobs are files, however small.
fn registry_of_files() -> RegistryProcess {
    RegistryProcess::builder().env("WREG_SMALL_BLOB_BYTES", "0").start()
}

/// A registry with one component, and the file of its bytes.
fn registry_with_a_component(user: &User, registry: &RegistryProcess) -> PathBuf {
    let file = user.file("hello.wasm", wat::component());
    user.run(&["push", &file, &format!("{}/acme/hello:1.0.0", registry.address())])
        .yes();
    let digest = Digest::sha256(wat::component());
    let folder = registry.data_dir().join("blobs/sha256").join(&digest.encoded()[..2]);
    let files = fs::read_dir(folder).expect("blobs are there");
    let mut paths = files.map(|entry| entry.expect("an entry").path());
    let is_it = |path: &PathBuf| path.to_string_lossy().contains(digest.encoded());
    paths.find(is_it).expect("the blob is there")
}

/// The lines of a result in JSON.
fn lines(run: &Run) -> Vec<Value> {
    let text = run.text();
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[test]
fn a_store_that_is_well_is_said_to_be() {
    let registry = registry_of_files();
    let user = User::of(&registry);
    registry_with_a_component(&user, &registry);
    let host = registry.address().to_string();
    for flags in [&[][..], &["--deep"], &["--deep", "--repair"]] {
        let line = user.run(&[&["admin", "fsck", &host], flags].concat()).yes().line();
        assert_eq!(
            line,
            "2 blobs, 2 objects in the store, 1 manifest: 0 findings, 0 repaired"
        );
    }
    let json = user.run(&["admin", "fsck", &host, "--format", "json"]).yes().json();
    assert_eq!((&json["schema"], &json["registry"]), (&1.into(), &host.into()));
    assert_eq!(json["checked"]["findings"], 0);
}

#[test]
fn a_blob_that_is_gone_is_named() {
    let registry = registry_of_files();
    let user = User::of(&registry);
    let file = registry_with_a_component(&user, &registry);
    let host = registry.address().to_string();
    fs::remove_file(file).expect("it is there");
    for flag in ["--deep", "--repair"] {
        let run = user.run(&["admin", "fsck", &host, flag]);
        let digest = Digest::sha256(wat::component());
        assert_eq!((run.code, run.stderr.as_str()), (1, ""), "{run:?}");
        let text = run.text();
        assert!(
            text.starts_with(&format!("blob-missing: {digest}: no bytes at ")),
            "{text}"
        );
        assert!(text.ends_with(": 1 finding, 0 repaired\n"), "{text}");
    }
}

#[test]
fn what_can_be_made_good_is_on_request() {
    let registry = registry_of_files();
    let user = User::of(&registry);
    let file = registry_with_a_component(&user, &registry);
    let host = registry.address().to_string();
    // The same bytes under the name that another upload would have given them.
    fs::rename(&file, file.with_extension("67e55044-10b1-426f-9247-bb680e5fe0c8")).expect("it is there");
    user.run(&["pull", &format!("{host}/acme/hello:1.0.0")]).no();
    let run = user.run(&["admin", "fsck", &host, "--format", "json"]);
    let [finding, end] = &lines(&run)[..] else {
        panic!("{run:?}")
    };
    assert_eq!(run.code, 1);
    assert_eq!(
        (&finding["schema"], &finding["finding"]["kind"]),
        (&1.into(), &"blob-missing".into())
    );
    assert_eq!((&end["schema"], &end["checked"]["findings"]), (&1.into(), &1.into()));

    let text = user.run(&["admin", "fsck", &host, "--repair"]).yes().text();
    assert!(
        text.contains(" (repaired)\n") && text.ends_with(": 1 finding, 1 repaired\n"),
        "{text}"
    );
    let line = user.run(&["admin", "fsck", &host, "--deep"]).yes().line();
    assert!(line.ends_with(": 0 findings, 0 repaired"), "{line}");
    user.run(&["pull", &format!("{host}/acme/hello:1.0.0")]).yes();
}

#[test]
fn a_check_that_is_denied_says_nothing_about_the_store() {
    let registry = registry_of_files();
    let host = registry.address().to_string();
    let admin = User::of(&registry);
    let made = admin
        .run(&["token", "create", "ci", &host, "--scope", "*:pull,push"])
        .yes();
    for token in [&made.line(), "wreg_pat_wrong"] {
        let user = User::new().with("WREG_TOKEN", token);
        user.run(&["admin", "fsck", &host]).unknown();
    }
    User::new().run(&["admin", "fsck", &host]).unknown();
}

#[test]
fn a_check_that_breaks_off_has_no_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let host = listener.local_addr().expect("it is bound").to_string();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("it is asked");
        let mut head = BufReader::new(&stream).lines().map_while(Result::ok);
        assert!(head.any(|line| line.is_empty()));
        let finding = r#"{"finding":{"kind":"content-differs","subject":"a","detail":"b","repaired":true}}"#;
        write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n\n{finding}\n").expect("it is read");
    });
    let run = User::new()
        .with("WREG_TOKEN", "secret")
        .run(&["admin", "fsck", &host])
        .saying("error: the check of the store by ")
        .saying("was not finished");
    assert_eq!(
        (run.code, run.text().as_str()),
        (2, "content-differs: a: b (repaired)\n")
    );
    server.join().expect("it does not panic");
}
