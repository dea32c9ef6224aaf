//! Private memory of a process, as the kernel counts it: what is neither a file nor shared.

use std::{
    fs::File,
    io::Read as _,
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

/// How often a running process is looked at.
const TICK: Duration = Duration::from_millis(10);

/// `RssAnon` of a process that runs, in bytes. Linux only.
pub fn private_memory(pid: u32) -> u64 {
    let mut status = String::new();
    let mut file = File::open(format!("/proc/{pid}/status")).expect("the process runs, on Linux");
    file.read_to_string(&mut status).expect("it is text");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    kib.expect("the kernel says how much") * 1024
}

/// The most private memory that a process was seen to have while `work` was done, in bytes: a look every 10 ms, and one at the end.
pub fn peak_private_memory(pid: u32, work: impl FnOnce()) -> u64 {
    let (done, ended) = mpsc::channel::<()>();
    let watcher = thread::spawn(move || {
        let mut peak = private_memory(pid);
        while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
            peak = peak.max(private_memory(pid));
        }
        peak.max(private_memory(pid))
    });
    work();
    drop(done);
    watcher.join().expect("the watcher only looks")
}
