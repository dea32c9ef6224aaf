//! Tests that cannot run here say so, where it is seen.

use std::{
    env,
    fs::OpenOptions,
    io::{self, Write},
    thread,
};

/// Notes that the current test is not run, and why. In continuous integration this is a failure of the test.
///
/// The line goes straight to standard error, past the capture of the test runner, which would hide what a passing test prints.
/// The task runner also names a file (`WREG_NOT_RUN`) and lists at its end what was noted there.
#[expect(
    clippy::disallowed_methods,
    reason = "the task runner speaks to tests through the environment"
)]
pub fn note(reason: &str) {
    let ci = env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false" && value != "0");
    assert!(
        !ci,
        "this test cannot be left out in continuous integration, but {reason}"
    );
    let current = thread::current();
    let line = format!("NOT RUN: {}: {reason}\n", current.name().unwrap_or("a test"));
    // One write a line, so that lines of tests at the same time stay whole. Nobody is there to tell if it fails.
    let _ = io::stderr().write_all(line.as_bytes());
    if let Some(file) = env::var_os("WREG_NOT_RUN") {
        let file = OpenOptions::new().append(true).create(true).open(file);
        let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
    }
}
