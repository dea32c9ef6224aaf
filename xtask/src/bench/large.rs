//! Large stores: how long the server takes to start on 100,000 manifests, and to list tags of which there are a million.
//!
//! Both are filled through the API, once, and kept in the cache.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result};

use super::{
    line::{Line, Verdict},
    load::{self, Figures, median},
    peers::{Backend, Peer, Programs, Running},
    rounds::Rounds,
};
use crate::{process, runner::Runner};

/// Process start to first answer.
pub(super) fn start(runner: &Runner, programs: &Programs, manifests: usize) -> Result<Line> {
    let data = filled(runner, programs, &format!("manifests-{manifests}"), |server| {
        let operations = manifests.to_string();
        let push = [
            "push",
            "--size",
            "1KiB",
            "--connections",
            "64",
            "--seconds",
            "3600",
            "--operations",
            &operations,
        ];
        load::run(programs, server, &push).map(drop)
    })?;
    let mut start = Command::new(&programs.bench);
    start
        .env("WREG_REGISTRY_BIN", &programs.wreg)
        .args(["start", "--data-dir"])
        .arg(data.join("wreg"));
    let took = Figures::parse(&process::read(&mut start)?)?.get("ms");
    Ok(Line {
        stack: "sqlite-files",
        id: "start",
        work: format!("process start to first answer, {manifests} manifests in the store"),
        unit: "ms",
        values: vec![("wreg".to_owned(), took)],
        verdicts: vec![Verdict::at_most(took, 50.0, "ms", "≤ 50 ms".to_owned())],
        figures: Vec::new(),
    })
}

/// The first and a deep page of very many tags, against the first page of a hundred.
pub(super) fn tags(runner: &Runner, programs: &Programs, tags: usize, rounds: &Rounds) -> Result<Vec<Line>> {
    let many = tags.to_string();
    let seconds = rounds.seconds.to_string();
    let list = |server: &Running, tags: &str, deep: bool, prepare: bool| {
        let mut arguments = vec!["tags", "--tags", tags, "--seconds", &seconds];
        arguments.extend(deep.then_some("--deep"));
        arguments.extend(prepare.then_some("--prepare"));
        load::run(programs, server, &arguments)
    };
    let [few, large] = ["100", &many].map(|tags| {
        let data = filled(runner, programs, &format!("tags-{tags}"), |server| {
            list(server, tags, false, true).map(drop)
        })?;
        Running::start(programs, Peer::Wreg, &data, &Backend::Files)
    });
    let (few, large) = (few?, large?);
    let (mut of_few, mut of_many) = (Vec::new(), [Vec::new(), Vec::new()]);
    for _ in 0..rounds.rounds {
        of_few.push(list(&few, "100", false, false)?.get("per_second"));
        for (deep, rates) in [false, true].into_iter().zip(&mut of_many) {
            rates.push(list(&large, &many, deep, false)?.get("per_second"));
        }
    }
    let line = |(id, page, rates): (&'static str, &str, &Vec<f64>)| {
        let slower = median(of_few.iter().zip(rates).map(|(few, many)| few / many.max(0.1)));
        let mut verdict = Verdict::at_most(slower, 1.5, "×", "≤ 1.5× the time with 100 tags".to_owned());
        if id != "tags" {
            (verdict.goal, verdict.reached) = ("beside the first page of 100 tags".to_owned(), None);
        }
        Line {
            stack: "sqlite-files",
            id,
            work: format!("tag list, {page} of {tags} tags, 32 at once"),
            unit: "/s",
            values: vec![
                ("wreg".to_owned(), median(rates.iter().copied())),
                ("of 100 tags".to_owned(), median(of_few.iter().copied())),
            ],
            verdicts: vec![verdict],
            figures: Vec::new(),
        }
    };
    let [first, deep] = &of_many;
    Ok([("tags", "first page", first), ("tags-deep", "a deep page", deep)]
        .map(line)
        .into())
}

/// A data folder in the cache, filled now unless that has been done. It is noted last: what was left half filled is filled anew.
fn filled(
    runner: &Runner,
    programs: &Programs,
    name: &str,
    fill: impl FnOnce(&Running) -> Result<()>,
) -> Result<PathBuf> {
    let (folder, _lock) = runner.locked_folder("bench")?;
    let (data, note) = (folder.join(name), folder.join(format!("{name}.filled")));
    // A store that a newer version has written is of no use to an older one.
    if note.exists() && Running::start(programs, Peer::Wreg, &data, &Backend::Files).is_ok() {
        return Ok(data);
    }
    drop(fs::remove_file(&note));
    if data.exists() {
        fs::remove_dir_all(&data).with_context(|| format!("removing {}", data.display()))?;
    }
    println!("filling {}", data.display());
    let server = Running::start(programs, Peer::Wreg, &data, &Backend::Files)?;
    fill(&server)?;
    drop(server);
    fs::write(note, "")?;
    Ok(data)
}
