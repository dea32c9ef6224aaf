//! Private memory of a process, as the kernel counts it: what is neither a file nor shared.

use std::{
    io::Read as _,
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use wreg_harness::RegistryProcess;

use crate::{client::Client, print_row};

/// How often a running process is looked at.
const TICK: Duration = Duration::from_millis(10);

/// `RssAnon` of a process, in MiB.
pub(crate) fn private_mib(pid: u32) -> f64 {
    let mut status = String::new();
    let read = std::fs::File::open(format!("/proc/{pid}/status")).and_then(|mut file| file.read_to_string(&mut status));
    let line = read
        .ok()
        .and_then(|_| status.lines().find_map(|line| line.strip_prefix("RssAnon:")));
    let kib = line
        .and_then(|line| line.split_whitespace().next())
        .and_then(|kib| kib.parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) / 1024.0
}

/// The most private memory that a process has while `work` is done, in MiB.
pub(crate) fn peak_mib(pid: u32, work: impl FnOnce()) -> f64 {
    let (done, ended) = mpsc::channel::<()>();
    let watcher = thread::spawn(move || {
        let mut peak = private_mib(pid);
        while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
            peak = peak.max(private_mib(pid));
        }
        peak
    });
    work();
    drop(done);
    watcher.join().unwrap_or(f64::NAN)
}

/// After the start and one request.
pub(crate) fn measure_idle() {
    let values = (0..5).map(|_| {
        let registry = RegistryProcess::start();
        Client::of(&registry).get("/readyz");
        private_mib(registry.pid())
    });
    print_row("private memory, idle", values.collect(), "MiB");
}
