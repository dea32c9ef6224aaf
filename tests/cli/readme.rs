//! The README's first screen, run as it is written.

use std::{io::Read as _, os::unix::fs::symlink, path::Path, process::Command};

use wreg_harness::{RegistryProcess, without_settings};

use crate::wreg::User;

/// The blocks of shell lines in the README, in their order.
fn shell_blocks() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|mut file| file.read_to_string(&mut text))
        .expect("the README can be read");
    let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split_once("```"));
    blocks.map(|(block, _)| block.to_owned()).collect()
}

#[test]
fn the_first_screen_works_as_it_is_written() {
    let blocks = shell_blocks();
    assert_eq!(blocks[0].trim(), "cargo run --release --bin wreg-registry");
    let registry = RegistryProcess::start();
    let user = User::new();
    // Where the reader would be: the folder that the server was started in, with the command on the path.
    symlink(registry.data_dir(), user.work().join("data")).expect("a link in a new folder can be made");
    let programs = Path::new(env!("CARGO_BIN_EXE_wreg"))
        .parent()
        .expect("a program is in a folder")
        .display();
    // Only the port differs from what the README says: tests share this machine.
    let script = blocks[1].replace("127.0.0.1:5000", &registry.address().to_string());
    let mut shell = Command::new("sh");
    without_settings(&mut shell)
        .args(["-eu", "-c", &format!("PATH={programs}:$PATH\n{script}")])
        .current_dir(user.work())
        .env("HOME", user.work())
        .env("TMPDIR", user.work())
        .env_remove("DOCKER_CONFIG")
        .env_remove("XDG_CACHE_HOME")
        .env_remove("XDG_RUNTIME_DIR");
    let output = shell.output().expect("there is a shell");
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{stdout}\n{stderr}");
    let pushed = format!("{}/acme/hello@sha256:", registry.address());
    assert_eq!(
        stdout.matches(&pushed).count(),
        3,
        "push, pull and inspect name the artifact by its digest: {stdout}"
    );
    assert!(stdout.contains("component"), "inspect says what it is: {stdout}");
}
