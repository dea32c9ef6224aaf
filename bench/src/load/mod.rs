//! The load generator: `wreg-bench load`.
//!
//! It shares the processors with the server that it measures, so it does next to nothing: requests are bytes before the clock starts,
//! a thread serves its connections by epoll, and of answers only status and length are looked at. What is read was compared with its
//! digest once, before. Credentials are in `WREG_BENCH_CREDENTIALS` (`user:password`): preparing and pushes use a token for them.

mod answer;
mod connection;
mod engine;
mod histogram;
mod mode;
mod payload;
mod prepare;
mod registry;
mod report;
mod seed;
mod size;
pub(crate) mod usage;
mod work;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{Result, ensure};

pub(crate) use self::size::Size;
use self::{engine::Plan, prepare::Setting, registry::Registry, report::Report, seed::Seed};

/// What to load, and how.
#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    mode: mode::Mode,
    /// Where the server listens
    #[arg(long, global = true, default_value = "127.0.0.1:5000")]
    address: SocketAddr,
    /// Connections, all busy
    #[arg(long, global = true, default_value_t = 32)]
    connections: usize,
    /// Threads that serve them
    #[arg(long, global = true, default_value_t = 1)]
    threads: usize,
    /// How long the clock runs
    #[arg(long, global = true, default_value_t = 5.0)]
    seconds: f64,
    /// How long the load runs before; half a second, and not at all where operations are counted
    #[arg(long, global = true)]
    warm_up: Option<f64>,
    /// The most operations
    #[arg(long, global = true)]
    operations: Option<usize>,
    /// A process of the server, whose time and memory are told; can be given several times
    #[arg(long = "pid", global = true)]
    pids: Vec<u32>,
    /// Read with a token, not as anybody
    #[arg(long, global = true)]
    bearer: bool,
    /// Let the kernel throw bodies away, instead of copying them as a client's would be
    #[arg(long, global = true)]
    discard: bool,
    /// For a server of static files: lay content out in this folder, its root, instead of pushing it
    #[arg(long, global = true)]
    folder: Option<PathBuf>,
    /// Prepare, and do not load
    #[arg(long, global = true)]
    prepare: bool,
    /// A row to read, not JSON
    #[arg(long, global = true)]
    text: bool,
}

/// Prepares and runs it: the line to print, and whether all went well.
pub(crate) fn run(arguments: &Arguments) -> Result<(String, bool)> {
    let Arguments { mode, address, .. } = arguments;
    ensure!(
        arguments.threads > 0 && arguments.connections >= arguments.threads,
        "each thread needs a connection"
    );
    let warm_up = arguments
        .warm_up
        .unwrap_or(if arguments.operations.is_some() { 0.0 } else { 0.5 });
    let registry = Registry::open(*address, mode.repository())?;
    let plan = |seconds: f64, warm_up: f64| Plan {
        address: *address,
        connections: arguments.connections,
        threads: arguments.threads,
        warm_up: Duration::from_secs_f64(warm_up),
        time: Duration::from_secs_f64(seconds),
        operations: arguments.operations.unwrap_or(usize::MAX),
        discard: arguments.discard,
        pids: &arguments.pids,
    };
    let setting = Setting {
        seed: match &arguments.folder {
            Some(folder) => Seed::Folder(folder.clone(), registry.repository),
            None => Seed::Registry(&registry),
        },
        registry: &registry,
        bearer: arguments.bearer,
        operations: arguments.operations,
        seconds: arguments.seconds + warm_up,
        run: &|work| {
            let plan = Plan {
                connections: 64,
                operations: usize::MAX,
                ..plan(3600.0, 0.0)
            };
            let outcome = engine::run(&plan, work)?;
            ensure!(outcome.errors == 0, "preparing: {}", outcome.told.join("; "));
            Ok(())
        },
    };
    let payload = mode.payload();
    let work = mode.prepare(&setting, &payload)?;
    if arguments.prepare {
        return Ok((format!("{{\"name\":\"{}\",\"prepared\":1}}", mode.name()), true));
    }
    let outcome = engine::run(&plan(arguments.seconds, warm_up), &*work)?;
    let report = Report {
        name: &mode.name(),
        connections: arguments.connections,
        outcome: &outcome,
    };
    let line = if arguments.text { report.text() } else { report.json() };
    Ok((line, outcome.errors == 0))
}
