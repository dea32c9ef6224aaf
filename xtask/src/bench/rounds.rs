//! The rows of the plan, measured: in each round every server has its turn, one after the other.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use super::{
    line::{Line, Turns, Verdict},
    load::{self, Figures, median},
    peers::{Backend, Peer, Programs, Running},
    plan::Row,
};
use crate::process;

/// A turn that took longer than that, in seconds, is not made longer.
const PATIENCE: f64 = 20.0;

/// How long, and how often.
pub(super) struct Rounds {
    pub(super) rounds: usize,
    pub(super) seconds: f64,
}

/// The servers of one stack, and what is known of wreg's memory.
pub(super) struct Stack<'a> {
    pub(super) name: &'static str,
    programs: &'a Programs,
    folder: PathBuf,
    backend: Backend,
    /// Those that keep running from row to row.
    running: HashMap<&'static str, Running>,
    /// Private memory of wreg after its start, in MB.
    idle: Vec<f64>,
    /// Its figures at each row.
    loaded: Vec<Figures>,
    /// Turns that have had a registry of their own.
    turns: usize,
}

impl<'a> Stack<'a> {
    pub(super) fn new(name: &'static str, programs: &'a Programs, folder: PathBuf, backend: Backend) -> Self {
        Self {
            name,
            programs,
            folder,
            backend,
            running: HashMap::new(),
            idle: Vec::new(),
            loaded: Vec::new(),
            turns: 0,
        }
    }

    fn on_bucket(&self) -> bool {
        matches!(self.backend, Backend::Bucket { .. })
    }

    /// Measures a row.
    pub(super) fn measure(&mut self, row: &Row, rounds: &Rounds) -> Result<Line> {
        let others = row.against.iter().map(|(peer, _)| *peer);
        // What is a file is not in a bucket.
        let others = others.filter(|peer| !(self.on_bucket() && *peer == Peer::Nginx));
        let mut all: Vec<_> = [Peer::Wreg]
            .into_iter()
            .chain(others)
            .map(|peer| Turns {
                peer,
                turns: Vec::new(),
            })
            .collect();
        for round in 1..=rounds.rounds {
            for Turns { peer, turns } in &mut all {
                let figures = self.turn(row, *peer, rounds.seconds);
                let figures = figures.with_context(|| format!("{} at {}", peer.name(), row.work))?;
                println!(
                    "{:>18} {:>16}, round {round}: {:>9.0}/s {:>7.0} MB/s, p99 {:>8.0} µs, processor {:>8.1} µs, private memory {:>5.1} MiB",
                    row.id,
                    peer.name(),
                    figures.get("per_second"),
                    figures.get("mb_per_second"),
                    figures.get("p99"),
                    figures.get("cpu_us_per_operation"),
                    figures.get("anon_peak_mib"),
                );
                turns.push(figures);
            }
        }
        Ok(self.line(row, &all))
    }

    /// A turn, again and for longer where operations took so long that few of them ended.
    fn turn(&mut self, row: &Row, peer: Peer, mut seconds: f64) -> Result<Figures> {
        loop {
            let figures = self.turn_of(row, peer, seconds)?;
            if figures.get("operations") >= figures.get("connections") || seconds > PATIENCE {
                return Ok(figures);
            }
            seconds *= 4.0;
        }
    }

    fn turn_of(&mut self, row: &Row, peer: Peer, seconds: f64) -> Result<Figures> {
        let (seconds, connections) = (seconds.to_string(), row.connections.to_string());
        let mut arguments = [row.load, row.threads()].concat();
        if peer == Peer::Anonymous {
            arguments.retain(|argument| *argument != "--bearer");
        }
        arguments.extend(["--seconds", &seconds, "--connections", &connections]);
        // What others have written goes to the disk before the clock starts.
        process::read(&mut Command::new("sync"))?;
        // In a database and a bucket that stay, there is no new registry.
        if row.writes && !self.on_bucket() {
            self.turns += 1;
            let data = self.folder.join(format!("turn-{}", self.turns));
            let server = self.start(peer, &data)?;
            let figures = load::run(self.programs, &server, &arguments);
            drop(server);
            // Many small files stay until the end: ext4 looks at each inode that was given up of late before it makes a new one, so that
            // the next turn would pay for this one.
            if row.is_bulk() {
                fs::remove_dir_all(&data).with_context(|| format!("removing {}", data.display()))?;
            }
            return figures;
        }
        let name = if peer == Peer::Anonymous { Peer::Wreg } else { peer }.name();
        if !self.running.contains_key(name) {
            let server = self.start(peer, &self.folder.join(name))?;
            self.running.insert(name, server);
        }
        load::run(self.programs, &self.running[name], &arguments)
    }

    fn start(&mut self, peer: Peer, data: &Path) -> Result<Running> {
        let server = Running::start(self.programs, peer, data, &self.backend)?;
        if peer == Peer::Wreg {
            self.idle.push(server.private_memory()?);
        }
        Ok(server)
    }

    fn line(&mut self, row: &Row, all: &[Turns]) -> Line {
        let figure = if row.is_bulk() { "mb_per_second" } else { "per_second" };
        let medians: Vec<_> = all
            .iter()
            .map(|turns| (turns.peer, Figures::medians(&turns.turns)))
            .collect();
        self.loaded.extend(medians.first().map(|(_, wreg)| wreg.clone()));
        let verdict = |other: &Turns| {
            let goal = row
                .against
                .iter()
                .find(|(peer, _)| *peer == other.peer)
                .and_then(|(_, goal)| *goal);
            let goal = if self.on_bucket() { row.on_bucket } else { goal };
            Verdict::of_ratio(&all[0], other, figure, goal)
        };
        Line {
            stack: self.name,
            id: row.id,
            work: format!("{}, {} at once", row.work, row.connections),
            unit: if row.is_bulk() { "MB/s" } else { "/s" },
            values: medians
                .iter()
                .map(|(peer, medians)| (peer.name().to_owned(), medians.get(figure)))
                .collect(),
            verdicts: all[1..].iter().map(verdict).collect(),
            figures: medians
                .into_iter()
                .map(|(peer, medians)| (peer.name(), medians))
                .collect(),
        }
    }

    /// Private memory, after the start and at the row where it was most; and what was mapped from files then.
    pub(super) fn memory(&self) -> Option<Line> {
        if self.loaded.is_empty() {
            return None;
        }
        let most = |name: &str| self.loaded.iter().map(|figures| figures.get(name)).fold(0.0, f64::max) * 1.048_576;
        let (idle, peak) = (median(self.idle.iter().copied()), most("anon_peak_mib"));
        Some(Line {
            stack: self.name,
            id: "memory",
            work: "private memory: idle, peak; mapped from files, peak".to_owned(),
            unit: "MB",
            values: vec![
                ("wreg, idle".to_owned(), idle),
                ("peak".to_owned(), peak),
                ("mapped".to_owned(), most("file_peak_mib")),
            ],
            verdicts: vec![
                Verdict::at_most(idle, 20.0, "MB", "idle ≤ 20 MB".to_owned()),
                Verdict::at_most(peak, 80.0, "MB", "peak ≤ 80 MB".to_owned()),
            ],
            figures: Vec::new(),
        })
    }
}
