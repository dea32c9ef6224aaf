//! How long it takes from starting the process until it has answered a request.

use std::time::Instant;

use wreg_harness::RegistryProcess;

use crate::{client::Client, millis, print_row};

const RUNS: usize = 10;

pub(crate) fn measure() {
    let first = (0..RUNS).map(|_| {
        let began = Instant::now();
        let registry = RegistryProcess::start();
        Client::of(&registry).get("/livez");
        millis(began.elapsed())
    });
    print_row("process start to first answer, new data folder", first.collect(), "ms");

    let Ok(folder) = tempfile::tempdir() else { return };
    let again = (0..=RUNS).map(|_| {
        let began = Instant::now();
        let registry = RegistryProcess::builder().data_dir(folder.path().join("data")).start();
        Client::of(&registry).get("/livez");
        let took = millis(began.elapsed());
        registry.terminate();
        took
    });
    print_row(
        "process start to first answer, old data folder",
        again.skip(1).collect(),
        "ms",
    );
}
