//! How long it takes from starting the process until it has answered a request.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use wreg_harness::RegistryProcess;

use crate::{client::Client, millis, print_row};

const RUNS: usize = 10;

/// Whose data to start on.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A data folder that no server uses
    #[arg(long)]
    data_dir: PathBuf,
}

pub(crate) fn measure() {
    let first = (0..RUNS).map(|_| {
        let began = Instant::now();
        let registry = RegistryProcess::start();
        Client::of(&registry).get("/livez");
        millis(began.elapsed())
    });
    print_row("process start to first answer, new data folder", first.collect(), "ms");

    let Ok(folder) = tempfile::tempdir() else { return };
    print_row(
        "process start to first answer, old data folder",
        again(&folder.path().join("data"), "/livez"),
        "ms",
    );
}

/// The median on that data folder, in milliseconds, until a question has been answered that needs the database.
pub(crate) fn run(arguments: &Arguments) -> String {
    let mut times = again(&arguments.data_dir, "/v2/bench/push/tags/list?n=1");
    times.sort_by(f64::total_cmp);
    format!(
        "{{\"name\":\"process start to first answer\",\"ms\":{:.1}}}",
        times[times.len() / 2]
    )
}

/// On one data folder, again and again; the first time does not count.
fn again(data: &Path, target: &str) -> Vec<f64> {
    let times = (0..=RUNS).map(|_| {
        let began = Instant::now();
        let registry = RegistryProcess::builder().data_dir(data).start();
        Client::of(&registry).get(target);
        let took = millis(began.elapsed());
        registry.terminate();
        took
    });
    times.skip(1).collect()
}
