//! `wreg push` and `wreg pull` of the component made from Python, as whole processes.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use wreg_harness::{RegistryProcess, fixtures, without_settings};

use crate::{millis, print_row};

const RUNS: usize = 5;

pub(crate) fn measure() {
    let (Some(component), Some(wreg)) = (
        fixtures::path("python.wasm"),
        env::var_os("WREG_BIN").map(PathBuf::from),
    ) else {
        println!("| push and pull of the Python component | not measured: WREG_FIXTURES or WREG_BIN is not set | | |");
        return;
    };
    let (mut push, mut pull, mut again) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        // A new registry and a new home each time: nothing is there before.
        let registry = RegistryProcess::start();
        let home = tempfile::tempdir().expect("a temporary folder");
        let reference = format!("{}/bench/python:1.0.0", registry.address());
        let run = |arguments: &[&Path]| timed(&wreg, home.path(), &registry.admin_token(), arguments);
        let output = home.path().join("python.wasm");
        push.push(run(&[Path::new("push"), &component, Path::new(&reference)]));
        let pull_arguments = [Path::new("pull"), Path::new(&reference), Path::new("-o"), &output];
        pull.push(run(&pull_arguments));
        again.push(run(&pull_arguments));
    }
    print_row(
        "wreg push of the Python component, 18 MB, validated, durable",
        push,
        "ms",
    );
    print_row("wreg pull of the same, nothing stored locally", pull, "ms");
    print_row("wreg pull of the same again, from the local store", again, "ms");
}

fn timed(wreg: &Path, home: &Path, token: &str, arguments: &[&Path]) -> f64 {
    let mut command = Command::new(wreg);
    without_settings(&mut command)
        .args(arguments)
        .env("HOME", home)
        .env("XDG_CACHE_HOME", home.join("cache"))
        .env("DOCKER_CONFIG", home.join("docker"))
        .env("WREG_TOKEN", token);
    let began = Instant::now();
    let output = command.output().expect("wreg starts");
    let took = millis(began.elapsed());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    took
}
