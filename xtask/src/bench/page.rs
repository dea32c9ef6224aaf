//! The page: goals and what was reached, all figures, and what they were measured on.

use std::fmt::Write as _;

use super::line::{Line, number};

/// What is to be said of a row beside its figures: its id, and why it is as it is.
const NOTES: &[(&str, &str)] = &[
    (
        "manifest-by-digest",
        "Two thirds of the time of the server is the kernel's, which sends and receives; nginx does as much there. Tried: past the router \
         to `/v2/`; exact facts in memory, so that no database is asked; the future of a request made a third of its size (20 to 6.5 KiB, \
         5 % of the time was moving it); mimalloc, which gained nothing and took five times the private memory. What is left is the price \
         of access control, request ids, metrics and hyper: about 1 µs of 13.",
    ),
    (
        "blob-100k",
        "nginx passes pages to the socket (`sendfile`) and copies nothing; wreg copies 100 KiB from the mapping, which is 13 of its 29 \
         µs. Where bytes are so many that the client does not take them from the processor's cache, as with 32 MiB, wreg is ahead. Tried: \
         mapped files, which are sent in one call with the head; mimalloc; smaller futures. A look at the file and at its pages before \
         each answer (3 µs) stays: without it a damaged disk would stop the thread.",
    ),
    (
        "push-16",
        "A loop that hashes, writes and syncs one such file and does nothing else makes the last but one row's figure; a push is five \
         requests and two blobs besides, and the goal, 4,400/s here, is two thirds of that. Tried: one sync of the database for all that \
         wait; small blobs in their row; whole blobs hashed in memory and stored in one step; all statements of a push in four trips to \
         SQLite instead of 17 (calls of `futex` 65 to 15 a push); tables in the order of their key (calls of `pwrite` 74 to 47); the log \
         taken over every 4,096 pages instead of after 64 writes. From 700/s before. Two fifths of what is left is making and syncing the \
         file.",
    ),
    (
        "push-64",
        "The goal is 7,200/s here, and the loop that only hashes, writes and syncs files reaches 6,500/s. Tried: as with 16 clients.",
    ),
    (
        "push-32m",
        "Shared disks differ from hour to hour: a later run by itself, with everything slower, gave 1.34× (1.34×–1.40×). What helped: \
         writing past the page cache after the first MiB; before, wreg was at 0.8×.",
    ),
    (
        "bearer-blob",
        "The two are within the noise of this machine: runs by themselves gave 0.96×, and 1.00× (0.82×–1.14×) in seven rounds, and the \
         row before this one 1.08×, 0.92× and, in a noisy hour, 0.74× (0.69×–1.15×). A token that was verified once is remembered until \
         it expires; what is left of its price is 1.6 µs of processor time, of 14.",
    ),
    (
        "clients",
        "Tried: no certificate authorities are read for plain http; the local store is not flushed, since it is verified whenever it is \
         used; what was pulled is outlined instead of validated a second time (from 187 ms); the outline and the copy at once, which \
         gained nothing and was taken back. wreg writes the file twice, into its store and to its place, and crane once.",
    ),
];

const INTRODUCTION: &str = "\
<!-- Written by `cargo xtask bench --write`, from what it measured. -->
# Performance

How fast wreg serves and accepts artifacts beside others, on the same machine, in one run. Every write that wreg acknowledges is on
the disk by then. (distribution syncs its files too, though not the folder that a blob is moved into.) Servers take turns, in several
rounds; a ratio is the median of those of neighbouring turns, and between which they lay stands in parentheses. Repeat it with
`cargo xtask bench`.

![wreg beside others](performance.svg)

";

const METHOD: &str = "
## How it is measured

- The load is a program of its own (`wreg-bench load`), in two threads. Requests and digests are prepared before the clock starts; what is
  read was compared with its digest once before, and is copied out of the socket as a client would.
- wreg runs as released, with its defaults, and access control on: reads are by anybody on public repositories, pushes carry a token.
- distribution runs without access control, with its cache of descriptors in memory, and no logs, traces or health checks.
- nginx serves the same bytes as static files: `sendfile`, open files kept, no log. It is the limit for reads; the limit for pushes is a
  loop that hashes, writes and syncs files, and does nothing else.
- zot is not compared: the public module proxy does not serve its module.
- On object storage both registries use the same Garage, which syncs, and wreg a PostgreSQL with its defaults.
- Each turn of a row that writes has an empty registry, in a folder whose files lie far from those of the turns before.
- Private memory is what the kernel calls `RssAnon`; what is mapped from files is reported beside it.
";

/// The table of goals, for a terminal and for the page.
pub(super) fn goals(lines: &[Line]) -> String {
    let mut text = String::from("| work | stack | median | goal | measured | reached |\n|---|---|---|---|---|---|\n");
    for line in lines {
        let unit = if line.unit == "/s" {
            "/s".to_owned()
        } else {
            format!(" {}", line.unit)
        };
        let value = |(name, value): &(String, f64)| format!("{name} {}{unit}", number(*value));
        let values: Vec<_> = line.values.iter().map(value).collect();
        let start = format!("| {} | {} | {} |", line.work, line.stack, values.join(", "));
        if line.verdicts.is_empty() {
            let _ = writeln!(text, "{start} – | – | – |");
        }
        for verdict in &line.verdicts {
            let (goal, measured) = (&verdict.goal, &verdict.measured);
            let _ = writeln!(text, "{start} {goal} | {measured} | {} |", verdict.word());
        }
    }
    text
}

/// All of it.
pub(super) fn page(lines: &[Line], command: &str, machine: &[String], versions: &[String]) -> String {
    let mut text = format!("{INTRODUCTION}## Goals\n\n{}", goals(lines));
    for (id, note) in NOTES {
        if let Some(line) = lines.iter().find(|line| line.id == *id) {
            let _ = writeln!(text, "\n**{}.** {note}", line.work);
        }
    }
    text += "\n## All figures\n\nMedians of the rounds; times in µs, memory in MiB, processor time of the server for each operation.\n\n";
    text += "| work | stack | who | per second | MB/s | p50 | p99 | p99.9 | processor | private memory, peak | mapped, peak |\n";
    text += "|---|---|---|---|---|---|---|---|---|---|---|\n";
    for line in lines {
        for (who, figures) in &line.figures {
            let names = [
                "per_second",
                "mb_per_second",
                "p50",
                "p99",
                "p999",
                "cpu_us_per_operation",
                "anon_peak_mib",
                "file_peak_mib",
            ];
            let cells = names.map(|name| number(figures.get(name))).join(" | ");
            let _ = writeln!(text, "| {} | {} | {who} | {cells} |", line.work, line.stack);
        }
    }
    text += METHOD;
    let _ = writeln!(text, "\n## What it was measured on\n\n- `{command}`");
    for what in machine.iter().chain(versions) {
        let _ = writeln!(text, "- {what}");
    }
    text
}

/// The same for programs: an array of rows.
pub(super) fn json(lines: &[Line]) -> String {
    let object = |values: &mut dyn Iterator<Item = (&str, f64)>| {
        let fields: Vec<_> = values.map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", fields.join(","))
    };
    let row = |line: &Line| {
        let values = object(&mut line.values.iter().map(|(name, value)| (name.as_str(), *value)));
        let verdicts = line.verdicts.iter().map(|verdict| {
            let reached = verdict.reached.map_or("null".to_owned(), |reached| reached.to_string());
            format!(
                "{{\"goal\":\"{}\",\"measured\":\"{}\",\"reached\":{reached}}}",
                verdict.goal, verdict.measured
            )
        });
        let figures = line.figures.iter().map(|(who, figures)| {
            let of = object(&mut figures.0.iter().map(|(name, value)| (name.as_str(), *value)));
            format!("\"{who}\":{of}")
        });
        format!(
            "{{\"id\":\"{}\",\"stack\":\"{}\",\"work\":\"{}\",\"unit\":\"{}\",\"values\":{values},\"verdicts\":[{}],\"figures\":{{{}}}}}",
            line.id,
            line.stack,
            line.work,
            line.unit,
            verdicts.collect::<Vec<_>>().join(","),
            figures.collect::<Vec<_>>().join(",")
        )
    };
    let rows: Vec<_> = lines.iter().map(row).collect();
    format!("[\n{}\n]\n", rows.join(",\n"))
}
