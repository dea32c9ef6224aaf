//! The server's process, killed: whatever it was doing, a normal start goes on from what it acknowledged.
//!
//! On SQLite alone: it is the store and the embedded database that are to be shown.

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use serde_json::{Value, json};
use wreg_harness::{RegistryProcess, program, without_settings};
use wreg_oci::{Digest, MediaType};

use crate::{
    flows::bytes,
    process::{Client, start, until},
};

fn entries(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

/// Starts a server and kills it as soon as its data folder has `files` entries and has been looked at `looks` times more, or when
/// its start is over.
fn kill_during_start(data: &Path, files: usize, looks: usize) {
    let mut command = Command::new(program());
    without_settings(&mut command)
        .arg("--data-dir")
        .arg(data)
        .args(["--listen", "127.0.0.1:0"]);
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut server = quiet.spawn().expect("the program is there");
    until(|| entries(data).len() >= files || entries(data).iter().any(|name| name == "token-key.p8"));
    for _ in 0..looks {
        entries(data);
    }
    server.kill().expect("it is ours");
    server.wait().expect("it is ours");
}

/// **P09** SIGKILL at many moments of the first start → the next start makes up for it: the server works, and no file is half written.
#[test]
fn a_first_start_that_is_killed_is_made_up_for() {
    if wreg_harness::database().is_some() {
        return;
    }
    for files in 0..10 {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("data");
        for looks in [0, 30, 300] {
            kill_during_start(&data, files, looks);
        }
        let server = start(&data);
        let mut client = Client::of(&server);
        let target = format!("/v2/acme/hello/blobs/uploads/?digest={}", Digest::sha256("x"));
        client.must(201, "POST", &target, b"x");
        assert!(server.terminate().success());
        let mut left = entries(&data);
        left.sort_unstable();
        let expected = [
            "admin-token",
            "blobs",
            "lock",
            "log",
            "signing-keys",
            "token-key.p8",
            "uploads",
            "wreg.db",
        ];
        assert_eq!(left, expected, "killed at {files}");
        assert!(entries(&data.join("uploads")).is_empty());
    }
}

/// **S06** SIGKILL in the middle of a streamed chunk → after a start the upload stands at the byte that was last acknowledged, and ends with the right digest.
#[test]
fn an_upload_goes_on_after_its_server_was_killed() {
    const ACKNOWLEDGED: usize = 1_000_001;
    if wreg_harness::database().is_some() {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let content = bytes(8_000_000);
    let server = start(&data);
    let mut client = Client::of(&server);
    let answer = client.must(202, "POST", "/v2/acme/hello/blobs/uploads/", b"");
    let session = answer.header("location").expect("a session").to_owned();
    client.must(202, "PATCH", &session, &content[..ACKNOWLEDGED]);

    client
        .begin("PATCH", &session, "Transfer-Encoding: chunked")
        .expect("it reads");
    let file = data.join("uploads").join(session.rsplit('/').next().expect("an id"));
    for piece in content[ACKNOWLEDGED..7_000_000].chunks(100_000) {
        let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
        client.connection.send(chunk).expect("it reads");
    }
    until(|| file.metadata().is_ok_and(|found| found.len() > 4_000_000));
    server.kill();

    let server = start(&data);
    let mut client = Client::of(&server);
    let answer = client.must(204, "GET", &session, b"");
    assert_eq!(answer.header("range"), Some("0-1000000"));
    let digest = Digest::sha256(&content);
    client.must(
        201,
        "PUT",
        &format!("{session}?digest={digest}"),
        &content[ACKNOWLEDGED..],
    );
    let found = client.must(200, "GET", &format!("/v2/acme/hello/blobs/{digest}"), b"");
    assert!(found.body == content);
    assert!(entries(&data.join("uploads")).is_empty());
    assert!(server.terminate().success());
}

/// Pushes images as fast as it can until the server is gone: `acknowledged` counts them, and `tags` learns of each by its digest.
fn push_until_it_dies(
    mut client: Client,
    pusher: usize,
    acknowledged: &AtomicUsize,
    tags: &Mutex<BTreeMap<String, Digest>>,
) -> Option<()> {
    for number in 0.. {
        let layer = format!("layer {number} of {pusher}").repeat(1 + number * 50);
        let digest = Digest::sha256(&layer);
        let target = format!("/v2/acme/hello/blobs/uploads/?digest={digest}");
        let answer = client.ask("POST", &target, layer.as_bytes()).ok()?;
        assert_eq!(answer.status, 201);
        let descriptor = json!({ "mediaType": "application/octet-stream", "digest": digest, "size": layer.len() });
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MediaType::IMAGE_MANIFEST,
            "config": descriptor,
            "layers": [descriptor],
        });
        let tag = format!("{pusher}.{number}");
        let target = format!("/v2/acme/hello/manifests/{tag}");
        let answer = client.ask("PUT", &target, manifest.to_string().as_bytes()).ok()?;
        assert_eq!(answer.status, 201);
        let digest = Digest::sha256(manifest.to_string());
        tags.lock().expect("nobody panics").insert(tag, digest);
        acknowledged.fetch_add(1, Ordering::SeqCst);
    }
    None
}

/// **S06** SIGKILL while four clients push images, several times over → everything that was acknowledged is there, byte for byte, and nothing is there in part: no tag without its manifest, no manifest without its blobs.
#[test]
fn what_was_acknowledged_outlives_a_kill() {
    if wreg_harness::database().is_some() {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    for (round, pushes) in [1, 7, 20].into_iter().enumerate() {
        let server = start(&data);
        let (acknowledged, tags) = (AtomicUsize::new(0), Mutex::default());
        thread::scope(|scope| {
            for pusher in 0..4 {
                let (client, pusher) = (Client::of(&server), 10 * round + pusher);
                let (acknowledged, tags) = (&acknowledged, &tags);
                scope.spawn(move || push_until_it_dies(client, pusher, acknowledged, tags));
            }
            until(|| acknowledged.load(Ordering::SeqCst) >= pushes);
            server.kill();
        });
        check(&start(&data), &tags.into_inner().expect("nobody panicked"));
    }
}

/// Asserts that every one of `tags` is there, and that whatever is there is whole.
fn check(server: &RegistryProcess, tags: &BTreeMap<String, Digest>) {
    let mut client = Client::of(server);
    let mut get = |target: String| client.must(200, "GET", &target, b"").body;
    let listed: Value = serde_json::from_slice(&get("/v2/acme/hello/tags/list".to_owned())).expect("JSON");
    let listed: Vec<String> = serde_json::from_value(listed["tags"].clone()).expect("tags");
    for (tag, digest) in tags {
        assert!(listed.contains(tag), "{tag} is lost");
        assert_eq!(Digest::sha256(get(format!("/v2/acme/hello/manifests/{tag}"))), *digest);
    }
    for tag in listed {
        let manifest: Value = serde_json::from_slice(&get(format!("/v2/acme/hello/manifests/{tag}"))).expect("JSON");
        let digest = manifest["layers"][0]["digest"].as_str().expect("a digest");
        let blob = get(format!("/v2/acme/hello/blobs/{digest}"));
        assert_eq!(Digest::sha256(blob).to_string(), digest);
    }
}

#[test]
fn a_second_process_on_the_same_folder_is_refused() {
    let server = RegistryProcess::start();
    let data = server.data_dir();
    let refused = RegistryProcess::builder()
        .data_dir(data)
        .may_leave_uploads()
        .try_start();
    let refused = refused.expect_err("the folder is in use");
    assert_eq!(refused.status.code(), Some(1));
    let reason = format!("error: another server uses the data folder {}", data.display());
    assert!(refused.stderr.contains(&reason), "{refused}");
    let target = format!("/v2/acme/hello/blobs/uploads/?digest={}", Digest::sha256("x"));
    Client::of(&server).must(201, "POST", &target, b"x");
}
