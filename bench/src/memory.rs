//! Private memory of the server, in MiB.

use wreg_harness::{RegistryProcess, peak_private_memory, private_memory};

use crate::{client::Client, print_row};

/// What a process has now.
pub(crate) fn private_mib(pid: u32) -> f64 {
    mib(private_memory(pid))
}

/// The most that a process has while `work` is done.
pub(crate) fn peak_mib(pid: u32, work: impl FnOnce()) -> f64 {
    mib(peak_private_memory(pid, work))
}

#[expect(clippy::cast_precision_loss, reason = "a figure with one decimal")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
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
