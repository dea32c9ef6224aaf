//! The soak of the collection: a server that collects without a pause and leases for two seconds, while clients push, look, mount, pull
//! and delete. Whatever a client sees that it should not see counts: another status, other bytes, a connection that breaks.
//!
//! Most pushes are rubbish, tiny blobs that nothing will name, so that every pass has something to sweep. The other clients live at the
//! edge: they come back for content when its lease is about to end, and hold the server to whatever it tells them.

mod caller;
mod passes;
mod roles;

use std::{
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use wreg_harness::RegistryProcess;

use self::{caller::Caller, passes::Passes};

/// How long a blob is leased for, in seconds. Clients do what they do within half of it, or count as too slow to be judged.
const LEASE: u64 = 2;
/// How often the passes are counted.
const TICK: Duration = Duration::from_millis(200);
/// How long the last of it may take to be swept.
const PATIENCE: Duration = Duration::from_mins(2);
/// The most mistakes that are told in words.
const TOLD: usize = 20;

/// What is asked for. It ends when both numbers are reached, or the time is over.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Plan {
    /// Passes that sweep something
    #[arg(long, default_value_t = 10_000)]
    pub(crate) cycles: u64,
    /// Blobs whose bytes have been removed
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) blobs: u64,
    /// The longest that it takes, in minutes
    #[arg(long, default_value_t = 20.0)]
    pub(crate) minutes: f64,
    /// Clients that push rubbish
    #[arg(long, default_value_t = 24)]
    pub(crate) pushers: usize,
    /// Clients that live at the edge
    #[arg(long, default_value_t = 6)]
    pub(crate) edges: usize,
    /// Where the server's data folder is made; on a disk whose flushes are slow, a folder in memory shows more passes
    #[arg(long)]
    pub(crate) folder: Option<PathBuf>,
}

/// What all clients share.
#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    requests: AtomicU64,
    pushed: AtomicU64,
    judged: AtomicU64,
    slow: AtomicU64,
    wrong: AtomicU64,
    told: Mutex<Vec<String>>,
    /// How long pushes of rubbish took, in microseconds; a sample.
    took: Mutex<Vec<u64>>,
}

impl Shared {
    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn wrong(&self, what: String) {
        self.wrong.fetch_add(1, Ordering::Relaxed);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() < TOLD {
            told.push(what);
        }
    }
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) passes: Passes,
    pub(crate) requests: u64,
    pub(crate) pushed: u64,
    /// Promises of the server that were held against it.
    pub(crate) judged: u64,
    /// Those that the client itself was too slow for.
    pub(crate) slow: u64,
    pub(crate) wrong: u64,
    pub(crate) told: Vec<String>,
    pub(crate) files_left: usize,
    pub(crate) took: Duration,
    /// Median, 99th percentile and longest of a push, in milliseconds.
    pub(crate) push: [f64; 3],
    /// Whether the plan's numbers were reached.
    pub(crate) complete: bool,
}

/// Runs it to its end.
pub(crate) fn run(plan: &Plan) -> Report {
    let place = tempfile::Builder::new();
    let place = plan
        .folder
        .as_ref()
        .map_or_else(|| place.tempdir(), tempfile::tempdir_in);
    let place = place.expect("a temporary folder can be made");
    let registry = RegistryProcess::builder()
        .data_dir(place.path().join("data"))
        .env("WREG_BLOB_LEASE_SECONDS", LEASE.to_string())
        .env("WREG_UNDELETE_SECONDS", "0")
        .env("WREG_COLLECTION_INTERVAL_SECONDS", "0")
        // The passes are counted from the log, which is kept in memory: without a line for each request.
        .env("WREG_LOG", "warn,wreg_registry::domain::collection=info")
        .start();
    let (address, token) = (registry.address(), registry.admin_token());
    let shared = Shared::default();
    let began = Instant::now();
    let limit = Duration::from_secs_f64(plan.minutes * 60.0);
    let mut passes = Passes::default();
    thread::scope(|scope| {
        for number in 0..plan.pushers {
            let (token, shared) = (&token, &shared);
            scope.spawn(move || roles::push_rubbish(&mut Caller::new(address, token, shared), number));
        }
        for number in 0..plan.edges {
            let (token, shared) = (&token, &shared);
            scope.spawn(move || roles::live_at_the_edge(&mut Caller::new(address, token, shared), number));
        }
        let mut told = began;
        while (passes.with_work < plan.cycles || passes.removed < plan.blobs) && began.elapsed() < limit {
            thread::sleep(TICK);
            passes = Passes::count(&registry.stderr());
            if told.elapsed() > Duration::from_secs(30) {
                told = Instant::now();
                println!("{:>5} s  {passes}", began.elapsed().as_secs());
            }
        }
        shared.stop.store(true, Ordering::Relaxed);
    });
    let took = began.elapsed();
    let complete = passes.with_work >= plan.cycles && passes.removed >= plan.blobs;
    // Nothing is named any more: in the end nothing may be left.
    let last = Instant::now();
    let mut files_left = count_files(&registry);
    while files_left > 0 && last.elapsed() < PATIENCE {
        thread::sleep(TICK);
        files_left = count_files(&registry);
    }
    let passes = Passes::count(&registry.stderr());
    registry.terminate();
    let push = percentiles(shared.took.into_inner().unwrap_or_else(PoisonError::into_inner));
    Report {
        passes,
        requests: shared.requests.into_inner(),
        pushed: shared.pushed.into_inner(),
        judged: shared.judged.into_inner(),
        slow: shared.slow.into_inner(),
        wrong: shared.wrong.into_inner(),
        told: shared.told.into_inner().unwrap_or_else(PoisonError::into_inner),
        files_left,
        took,
        push,
        complete,
    }
}

fn count_files(registry: &RegistryProcess) -> usize {
    let mut folders = vec![registry.data_dir().join("blobs")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                _ => files += 1,
            }
        }
    }
    files
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of a request")]
fn percentiles(mut took: Vec<u64>) -> [f64; 3] {
    took.sort_unstable();
    let at = |percent: usize| {
        let index = (took.len() * percent / 100).min(took.len().saturating_sub(1));
        took.get(index).map_or(0.0, |micros| *micros as f64 / 1000.0)
    };
    [at(50), at(99), at(100)]
}

/// Prints what came of it; whether no client saw anything wrong.
pub(crate) fn print(report: &Report) -> bool {
    let Report {
        passes,
        requests,
        pushed,
        judged,
        slow,
        wrong,
        told,
        files_left,
        took,
        push: [median, most_of_them, longest],
        complete,
    } = report;
    println!("{passes}");
    println!(
        "{requests} requests, {pushed} blobs pushed, in {:.0} s",
        took.as_secs_f64()
    );
    println!("a push took {median:.1} ms (median), {most_of_them:.1} ms (99 %), {longest:.1} ms (longest)");
    println!("{judged} promises were held against the server; {slow} more were not, because the client was too slow");
    println!("{files_left} files are left of all that is not named");
    for what in told {
        println!("WRONG: {what}");
    }
    println!("{wrong} errors that a client saw");
    if !complete {
        println!("the time was over before the numbers were reached");
    }
    *wrong == 0 && *files_left == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// **C10** Collection without a pause under pushes, looks, mounts, pulls and deletions, some dozen passes of it → 0 errors that a client sees, and nothing is left of what nobody names. (`cargo xtask soak` is the long form.)
    #[test]
    fn clients_see_nothing_of_the_collection() {
        let report = run(&Plan {
            cycles: 30,
            blobs: 500,
            minutes: 2.0,
            pushers: 4,
            edges: 4,
            folder: None,
        });
        assert!(print(&report), "{report:?}");
        assert!(report.complete, "{report:?}");
        assert!(report.judged > 0, "{report:?}");
    }
}
