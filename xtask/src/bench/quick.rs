//! A smoke test of the benchmark: every kind of load for a moment, on the programs that the tests use. It asserts that operations happen
//! and clients see no error, and looks at no number beyond that.

use std::{env, fs, process};

use anyhow::{Context, Result, ensure};

use super::{
    load,
    peers::{Backend, Peer, Programs, Running},
    plan::ROWS,
};
use crate::runner::Runner;

/// The most connections, and how many operations for each: so many take as long as they take, where the machine is busy with other things.
const CONNECTIONS: usize = 32;
const OPERATIONS: usize = 2;

/// What no row has: the pages of tags.
const TAGS: [&[&str]; 2] = [&["tags", "--tags", "200"], &["tags", "--tags", "200", "--deep"]];

/// Runs it, beside nginx where files can be compared.
pub(crate) fn run(runner: &mut Runner) -> Result<()> {
    runner.part("bench --quick", |runner| {
        let folder = runner.part("build", |runner| runner.build_tested_bench())?;
        let programs = Programs::in_folder(runner, &folder)?;
        let folder = env::temp_dir().join(format!("wreg-bench-{}", process::id()));
        let outcome = runner.part("every kind of load", |_| load_all(&programs, &folder));
        drop(fs::remove_dir_all(&folder));
        outcome
    })
}

fn load_all(programs: &Programs, folder: &std::path::Path) -> Result<()> {
    let start = |peer: Peer| Running::start(programs, peer, &folder.join(peer.name()), &Backend::Files);
    let (wreg, nginx) = (start(Peer::Wreg)?, start(Peer::Nginx)?);
    let rows = ROWS.iter().map(|row| {
        let beside_nginx = row.against.iter().any(|(peer, _)| *peer == Peer::Nginx);
        (
            [row.load, row.threads()].concat(),
            row.connections.min(CONNECTIONS),
            beside_nginx,
        )
    });
    let tags = TAGS.into_iter().map(|load| (load.to_vec(), CONNECTIONS, false));
    for (load, connections, beside_nginx) in rows.chain(tags) {
        let (connections, operations) = (connections.to_string(), (connections * OPERATIONS).to_string());
        let mut arguments = load.clone();
        arguments.extend([
            "--connections",
            &connections,
            "--operations",
            &operations,
            "--seconds",
            "60",
        ]);
        for server in [Some(&wreg), beside_nginx.then_some(&nginx)].into_iter().flatten() {
            let figures = load::run(programs, server, &arguments).with_context(|| load.join(" "))?;
            let done = figures.get("operations").to_string();
            ensure!(
                done == operations,
                "{}: {done} operations, not {operations}",
                load.join(" ")
            );
            println!("{done:>4} operations: {}", load.join(" "));
        }
    }
    Ok(())
}
