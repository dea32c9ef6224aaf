//! A thread of its own for what the crates behind it were not made for: hostile input.
//!
//! They assert, and they recurse deeply. On a thread of its own a panic ends the work and nothing else, and there is room
//! to recurse.

use std::{io, thread};

/// The stack of such a thread, in bytes. It is address space; only what is used becomes memory.
const STACK: usize = 32 << 20;

/// Why there is no answer.
pub(crate) enum Ended {
    /// The work panicked.
    Panicked,
    /// The system gave no thread.
    NoThread(io::Error),
}

/// Does `work` on a thread that is called `name`, and waits for it.
pub(crate) fn apart<T: Send>(name: &str, work: impl FnOnce() -> T + Send) -> Result<T, Ended> {
    thread::scope(|scope| {
        let worker = thread::Builder::new()
            .name(name.to_owned())
            .stack_size(STACK)
            .spawn_scoped(scope, work)
            .map_err(Ended::NoThread)?;
        worker.join().map_err(|_panic| Ended::Panicked)
    })
}
