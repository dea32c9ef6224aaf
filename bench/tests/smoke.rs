//! The load generator as a program, against the server that was built.

use std::process::Command;

use wreg_harness::RegistryProcess;

fn load(registry: &RegistryProcess, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_wreg-bench"))
        .arg("load")
        .args(arguments)
        .args([
            "--address",
            &registry.address().to_string(),
            "--pid",
            &registry.pid().to_string(),
        ])
        .args(["--connections", "4", "--operations", "40", "--seconds", "60"])
        .env("WREG_BENCH_CREDENTIALS", format!("admin:{}", registry.admin_token()))
        .output();
    let output = output.expect("the program starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn what_is_pushed_and_read_is_counted() {
    let registry = RegistryProcess::builder()
        .env("WREG_DEFAULT_VISIBILITY", "public")
        .start();
    for arguments in [
        &["push", "--size", "4KiB"][..],
        &["push", "--size", "4KiB", "--single"],
        &["pull", "--size", "4KiB", "--bearer"],
        &["tag"],
    ] {
        let said = load(&registry, arguments);
        assert!(
            said.contains("\"operations\":40.0") && said.contains("\"errors\":0.0"),
            "{said}"
        );
    }
}

#[test]
fn a_server_that_answers_otherwise_is_an_error() {
    let registry = RegistryProcess::start();
    let output = Command::new(env!("CARGO_BIN_EXE_wreg-bench"))
        .args([
            "load",
            "push",
            "--size",
            "4KiB",
            "--operations",
            "4",
            "--connections",
            "1",
            "--text",
        ])
        .args(["--address", &registry.address().to_string()])
        .output();
    let output = output.expect("the program starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success(), "{said}");
    assert!(
        said.contains("WRONG: POST /v2/bench/push/blobs/uploads/: 401"),
        "{said}"
    );
}
