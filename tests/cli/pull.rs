//! `wreg pull`.

use std::{fs, process::Stdio};

use wreg_harness::{RegistryProcess, fixtures::wat};

use crate::{
    stalling::Stalling,
    wreg::{Run, User, names},
};

/// A user who has pushed the component as `acme/hello:1.0.0`; the reference by tag and by digest.
fn pushed(registry: &RegistryProcess) -> (User, String, String) {
    let user = User::of(registry);
    let reference = format!("{}/acme/hello:1.0.0", registry.address());
    let file = user.file("source.wasm", wat::component());
    let by_digest = user.run(&["push", &file, &reference]).yes().line();
    fs::remove_file(user.work().join(file)).expect("the file was made");
    (user, reference, by_digest)
}

#[test]
fn a_pull_by_tag_and_by_digest_gives_the_bytes() {
    let registry = RegistryProcess::start();
    let (user, by_tag, by_digest) = pushed(&registry);
    for reference in [&by_tag, &by_digest] {
        let run = user.run(&["pull", reference]).yes();
        assert_eq!(run.line(), by_digest);
        assert_eq!(user.names(), ["hello.wasm"]);
        assert_eq!(user.read("hello.wasm"), wat::component());
        fs::remove_file(user.work().join("hello.wasm")).expect("it is there");
    }
}

#[test]
fn the_second_pull_transfers_nothing() {
    let registry = RegistryProcess::start();
    let (user, by_tag, by_digest) = pushed(&registry);
    let first = user.run(&["pull", &by_tag, "--format", "json"]).yes().json();
    assert_eq!(first["from_store"], false);
    let second = user.run(&["pull", &by_tag]).yes().saying("from the local store");
    assert_eq!(second.line(), by_digest);
    // The honest proof: nobody is there to transfer anything.
    assert!(registry.terminate().success());
    let third = user
        .run(&["pull", &by_digest, "-o", "again.wasm"])
        .yes()
        .saying("from the local store");
    assert_eq!(third.line(), by_digest);
    assert_eq!(user.read("again.wasm"), wat::component());
    user.run(&["pull", &by_tag]).unknown();
}

#[test]
fn a_damaged_store_is_noticed_and_mended() {
    let registry = RegistryProcess::start();
    let (user, by_tag, _) = pushed(&registry);
    user.run(&["pull", &by_tag]).yes();
    let folder = user.store().join("sha256");
    for name in names(&folder) {
        let path = folder.join(name);
        let mut bytes = crate::wreg::read(&path);
        bytes[10] ^= 1;
        fs::remove_file(&path).expect("it is there");
        fs::write(&path, bytes).expect("the store is ours");
    }
    user.run(&["pull", &by_tag]).yes();
    assert_eq!(user.read("hello.wasm"), wat::component());
}

#[test]
fn without_a_place_for_a_store_a_pull_works_all_the_same() {
    let registry = RegistryProcess::start();
    let (user, by_tag, _) = pushed(&registry);
    user.file("taken", "");
    let taken = user.work().join("taken/cache").display().to_string();
    let user = user.with("XDG_CACHE_HOME", taken);
    user.run(&["pull", &by_tag])
        .yes()
        .saying("warning: nothing is kept in the local store");
    assert_eq!(user.read("hello.wasm"), wat::component());
}

#[test]
fn the_file_goes_where_it_is_wanted() {
    let registry = RegistryProcess::start();
    let (user, by_tag, _) = pushed(&registry);
    fs::create_dir(user.work().join("folder")).expect("a new folder");
    user.run(&["pull", &by_tag, "-o", "folder"]).yes();
    assert_eq!(user.read("folder/hello.wasm"), wat::component());
    user.file("old.wasm", "old");
    user.run(&["pull", &by_tag, "-o", "old.wasm"]).yes();
    assert_eq!(user.read("old.wasm"), wat::component());
    user.run(&["pull", &by_tag, "-o", "none/x.wasm"])
        .unknown()
        .saying("cannot write none/x.wasm");
    let run = user.run(&["pull", &by_tag, "-o", "-"]).yes();
    assert_eq!(run.stdout, wat::component());
    user.run(&["pull", &by_tag, "-o", "/dev/null"]).yes();
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_is_replaced_and_what_it_points_to_is_not_touched() {
    let registry = RegistryProcess::start();
    let (user, by_tag, _) = pushed(&registry);
    user.file("precious", "precious");
    std::os::unix::fs::symlink("precious", user.work().join("hello.wasm")).expect("a new link");
    user.run(&["pull", &by_tag]).yes();
    assert_eq!(user.read("precious"), b"precious");
    assert_eq!(user.read("hello.wasm"), wat::component());
    let made = user.work().join("hello.wasm").symlink_metadata().expect("it is there");
    assert!(made.is_file());
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&made.permissions()) & 0o600,
        0o600
    );
}

#[test]
fn stdout_is_the_file_or_json_and_not_both() {
    let registry = RegistryProcess::start();
    let (user, by_tag, _) = pushed(&registry);
    let run = user.run(&["pull", &by_tag, "-o", "-", "--format", "json"]);
    assert_eq!((run.code, run.json()["error"]["kind"].as_str()), (2, Some("usage")));
}

#[test]
fn what_is_not_there_is_a_no() {
    let registry = RegistryProcess::start();
    let (user, _, _) = pushed(&registry);
    let host = registry.address();
    user.run(&["pull", &format!("{host}/acme/hello:2.0.0")]).no();
    user.run(&["pull", &format!("{host}/acme/nothing:1.0.0")]).no();
    assert_eq!(user.names(), [""; 0]);
}

#[test]
fn a_reader_of_the_bytes_that_goes_away_is_told_by_the_exit_code() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    let reference = format!("{}/acme/large:1.0.0", registry.address());
    // More than a pipe holds.
    let file = user.file("large.wasm", wat::component_with(&"x".repeat(1 << 20)));
    user.run(&["push", &file, &reference]).yes();
    let mut child = user
        .command(&["pull", &reference, "-o", "-"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command can be started");
    drop(child.stdout.take());
    let run = Run::from(child.wait_with_output().expect("a child can be waited for"));
    assert_eq!((run.code, run.stderr.as_str()), (2, ""));
}

#[cfg(unix)]
#[test]
fn an_interrupted_pull_leaves_no_file_and_the_next_one_goes_on() {
    use rustix::process::{Pid, Signal, kill_process};

    let registry = Stalling::start();
    let user = User::new();
    let mut command = user.command(&["pull", &registry.reference]);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command can be started");
    registry.wait_for_stall();
    kill_process(Pid::from_child(&child), Signal::INT).expect("the process is there until it is waited for");
    let run = Run::from(child.wait_with_output().expect("a child can be waited for"));
    assert_eq!(
        (run.code, run.text().as_str(), run.stderr.as_str()),
        (130, "", "error: interrupted\n")
    );
    assert_eq!(user.names(), [""; 0]);

    user.run(&["pull", &registry.reference]).yes();
    let resumed_at = registry.resumed_at();
    assert!(resumed_at > 0 && resumed_at <= registry.bytes.len() / 2, "{resumed_at}");
    assert!(user.read("large.wasm") == registry.bytes);
}
