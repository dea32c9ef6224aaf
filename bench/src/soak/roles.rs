//! What the clients do.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use wreg_oci::Digest;

use super::{LEASE, caller::Caller};

/// Blobs that an edge has pushed and will come back for.
const RING: usize = 64;

/// A blob of this many bytes is a file; one of a few bytes is kept in the database.
const FILE: usize = 4097;

/// Pushes blobs that nothing will ever name, files and others in turn.
pub(super) fn push_rubbish(caller: &mut Caller<'_>, number: usize) {
    let repository = format!("soak/rubbish-{number}");
    let mut counter = 0_u64;
    while !caller.shared.is_over() {
        let length = if counter.is_multiple_of(2) { FILE } else { 0 };
        let content = format!("{number} {counter:<length$}");
        caller.push(&repository, content.as_bytes(), Digest::sha256(&content).as_str());
        counter += 1;
    }
}

/// Content that was pushed, and when.
struct Old {
    content: String,
    digest: Digest,
    pushed: Instant,
}

/// Pushes content and comes back for it when its lease is about to end, or has just ended.
pub(super) fn live_at_the_edge(caller: &mut Caller<'_>, number: usize) {
    let (home, away) = (format!("soak/home-{number}"), format!("soak/away-{number}"));
    let mut ring = VecDeque::new();
    let mut counter = 0_u64;
    while !caller.shared.is_over() {
        counter += 1;
        let length = if counter.is_multiple_of(8) { 0 } else { FILE };
        let content = format!("edge {number} {counter:<length$}");
        let digest = Digest::sha256(&content);
        if caller.push(&home, content.as_bytes(), digest.as_str()).is_some() {
            ring.push_back(Old {
                content,
                digest,
                pushed: Instant::now(),
            });
        }
        let is_old = |old: &Old| old.pushed.elapsed() >= Duration::from_millis(LEASE * 1000 - 50);
        let next = match ring.front() {
            Some(old) if is_old(old) || ring.len() > RING => ring.pop_front(),
            _ => None,
        };
        let Some(old) = next else { continue };
        match counter % 4 {
            0 => look_and_name(caller, &home, &old),
            1 => mount_and_name(caller, &home, &away, &old),
            2 => push_and_name(caller, &home, &old),
            _ => name(caller, &home, &old),
        }
    }
}

/// A manifest that names the content alone.
fn manifest(old: &Old) -> String {
    format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{}","size":{}}},"layers":[]}}"#,
        old.digest,
        old.content.len()
    )
}

/// HEAD says that it is there: then a manifest can name it.
fn look_and_name(caller: &mut Caller<'_>, home: &str, old: &Old) {
    let blob = format!("/v2/{home}/blobs/{}", old.digest);
    let Some(answer) = caller.call("HEAD", &blob, b"", &[200, 404]) else {
        return;
    };
    if answer.status == 200 {
        name_as_promised(caller, Instant::now(), home, old);
    }
}

/// A mount says that it is there now: then a manifest there can name it.
fn mount_and_name(caller: &mut Caller<'_>, home: &str, away: &str, old: &Old) {
    let mount = format!("/v2/{away}/blobs/uploads/?mount={}&from={home}", old.digest);
    let Some(answer) = caller.call("POST", &mount, b"", &[201, 202]) else {
        return;
    };
    if answer.status == 201 {
        name_as_promised(caller, Instant::now(), away, old);
    } else {
        let session = answer.header("location").unwrap_or_default().to_owned();
        caller.call("DELETE", &session, b"", &[204]);
    }
}

/// It is pushed again, whatever became of it.
fn push_and_name(caller: &mut Caller<'_>, home: &str, old: &Old) {
    if caller.push(home, old.content.as_bytes(), old.digest.as_str()).is_some() {
        name_as_promised(caller, Instant::now(), home, old);
    }
}

/// Nobody was asked: either the manifest is stored and all of it is there, or it is refused.
fn name(caller: &mut Caller<'_>, home: &str, old: &Old) {
    let manifest = manifest(old);
    let target = format!("/v2/{home}/manifests/{}", Digest::sha256(&manifest));
    if let Some(answer) = caller.call("PUT", &target, manifest.as_bytes(), &[201, 400])
        && answer.status == 201
    {
        pull_and_delete(caller, home, old, &target, &manifest);
    }
}

fn name_as_promised(caller: &mut Caller<'_>, since: Instant, repository: &str, old: &Old) {
    let manifest = manifest(old);
    let target = format!("/v2/{repository}/manifests/{}", Digest::sha256(&manifest));
    if caller.promised(since, "PUT", &target, manifest.as_bytes(), (201, 400)) {
        pull_and_delete(caller, repository, old, &target, &manifest);
    }
}

/// What is stored can be pulled, byte for byte, and then goes.
fn pull_and_delete(caller: &mut Caller<'_>, repository: &str, old: &Old, target: &str, manifest: &str) {
    let blob = format!("/v2/{repository}/blobs/{}", old.digest);
    for (path, content) in [(target, manifest), (&blob, &old.content)] {
        if let Some(answer) = caller.call("GET", path, b"", &[200])
            && answer.body != content.as_bytes()
        {
            caller.shared.wrong(format!("GET {path}: other bytes"));
        }
    }
    caller.call("DELETE", target, b"", &[202]);
    caller.call("GET", target, b"", &[404]);
}
