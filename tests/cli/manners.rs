//! What all commands share: exit codes, streams, help, JSON, signals.

use std::{io::Read as _, process::Stdio};

use wreg_harness::fixtures::wat;

use crate::wreg::{Run, User};

#[test]
fn wrong_usage_is_no_answer() {
    let user = User::new();
    for arguments in [
        &["frobnicate"][..],
        &["push"],
        &["validate"],
        &["push", "--frobnicate", "a", "b"],
        &[],
    ] {
        let run = user.run(arguments);
        assert_eq!((run.code, run.text().as_str()), (2, ""), "{arguments:?}");
        assert!(run.stderr.contains("Usage: wreg"), "{arguments:?}: {}", run.stderr);
    }
}

#[test]
fn help_is_a_result_and_teaches_by_example() {
    let user = User::new();
    for verb in [
        "login",
        "push",
        "pull",
        "validate",
        "inspect",
        "size",
        "wit",
        "diff",
        "check",
        "tags",
        "delete",
        "copy",
        "repository",
    ] {
        let run = user.run(&[verb, "--help"]).yes();
        assert!(
            run.text().contains(&format!("Examples:\n  wreg {verb}")),
            "{}",
            run.text()
        );
        assert_eq!(run.stderr, "");
    }
    assert!(user.run(&["help", "push"]).yes().text().contains("SOURCE_DATE_EPOCH"));
}

#[test]
fn a_reference_without_a_registry_is_explained() {
    let user = User::new();
    let file = user.file("hello.wasm", wat::component());
    user.run(&["push", &file, "acme/hello"])
        .unknown()
        .saying("hint: or set WREG_REGISTRY");
    user.run(&["push", &file, "http://localhost:5000/acme/hello"])
        .unknown()
        .saying("write localhost:5000/acme/hello");
    user.run(&["push", &file, "localhost:5000/acme/hello:1.0.0+5"])
        .unknown()
        .saying("1.0.0_build5");
    user.run(&["push", &file, "localhost:5000/Acme/hello"])
        .unknown()
        .saying("lower-case");
    user.run(&["tags", "localhost:5000/acme/hello:1.0.0"])
        .unknown()
        .saying("write localhost:5000/acme/hello");
    user.run(&["repository", "list"])
        .unknown()
        .saying("hint: name one, such as localhost:5000");
}

#[test]
fn a_default_registry_that_is_no_registry_is_refused() {
    let user = User::new().with("WREG_REGISTRY", "https://registry.example");
    user.run(&["tags", "acme/hello"])
        .unknown()
        .saying("WREG_REGISTRY is \"https://registry.example\"");
}

#[test]
fn an_error_is_json_where_json_is_asked_for() {
    let user = User::new();
    let run = user.run(&["inspect", "./nothing.wasm", "--format", "json"]);
    assert_eq!(run.code, 2);
    let json = run.json();
    assert_eq!((&json["schema"], &json["error"]["kind"]), (&1.into(), &"failed".into()));
    assert_eq!(json["error"]["message"], "cannot read ./nothing.wasm");
    assert!(run.stderr.starts_with("error: cannot read ./nothing.wasm\n"));
}

#[test]
fn a_registry_that_does_not_answer_is_no_answer() {
    // Nobody listens on port 1.
    let user = User::new();
    user.run(&["tags", "127.0.0.1:1/acme/hello"])
        .unknown()
        .saying("127.0.0.1:1");
    user.run(&["pull", "127.0.0.1:1/acme/hello"]).unknown();
    assert_eq!(user.names(), [""; 0]);
}

#[test]
fn colour_is_for_terminals_and_for_those_who_ask() {
    let user = User::new();
    assert!(!user.run(&["inspect", "./nothing"]).unknown().stderr.contains('\u{1b}'));
    let run = user.run(&["inspect", "./nothing", "--color", "always"]);
    assert!(run.stderr.starts_with("\u{1b}["), "{run:?}");
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let user = User::new();
    let file = user.file("many.wasm", exporting(5_000));
    let mut child = user
        .command(&["inspect", &file])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command can be started");
    let mut stdout = child.stdout.take().expect("stdout is piped");
    stdout.read_exact(&mut [0; 8]).expect("it says something");
    drop(stdout);
    let run = Run::from(child.wait_with_output().expect("a child can be waited for"));
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
}

#[cfg(unix)]
#[test]
fn an_interrupted_command_says_so_by_its_exit_code() {
    use rustix::process::{Pid, Signal, kill_process};

    let user = User::new();
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let mut child = user
            .command(&["-vv", "validate", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command can be started");
        let stdin = child.stdin.take();
        // It says that it is ready: from here on the signal finds its handler.
        let mut stderr = child.stderr.take().expect("stderr is piped");
        stderr.read_exact(&mut [0; 8]).expect("it says something");
        kill_process(Pid::from_child(&child), signal).expect("the process is there until it is waited for");
        assert_eq!(child.wait().expect("a child can be waited for").code(), Some(code));
        drop(stdin);
    }
}

#[test]
fn the_version_is_the_packages() {
    let user = User::new();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(user.run(&["version"]).yes().line(), format!("wreg {version}"));
    assert_eq!(user.run(&["--version"]).yes().line(), format!("wreg {version}"));
    assert_eq!(
        user.run(&["version", "--format", "json"]).yes().json()["version"],
        version
    );
}

/// A module with so many exports.
fn exporting(count: u32) -> Vec<u8> {
    use std::fmt::Write as _;
    let mut text = String::from("(module (func $f)");
    for number in 0..count {
        write!(text, " (export \"an-export-with-a-long-name-{number}\" (func $f))").expect("writing to a string");
    }
    wat::encode(&(text + ")"))
}
