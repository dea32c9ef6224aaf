//! What it costs that a registry signs and logs: pushes to one that does and to one that does not, in turn. And a log of very many entries.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use wreg_harness::{RegistryProcess, fixtures::wat, raw::Connection};
use wreg_oci::{Digest, MediaType};

use crate::{
    client::{ask, median},
    load::usage::cpu_time,
};

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A component, to be pushed whole
    #[arg(long)]
    file: Option<PathBuf>,
    /// How often it is pushed
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// How many components of 100 KiB are pushed one after the other
    #[arg(long, default_value_t = 400)]
    small: usize,
    /// How many entries the log gets
    #[arg(long, default_value_t = 100_000)]
    entries: usize,
}

/// How many tags a manifest gets with one request.
const TAGS: usize = 10;
/// How many proofs are read.
const PROOFS: usize = 400;

/// Measures, one line for each thing.
pub(crate) fn run(arguments: &Arguments) -> Result<(String, bool)> {
    let start = |signing: &str| {
        RegistryProcess::builder()
            .env("WREG_SIGNING", signing)
            .arg("--dev")
            .start()
    };
    let folder = tempfile::tempdir()?;
    let servers = [start("off"), start("wasm")];
    let silent = without_log(&folder.path().join("data"))?;
    let mut lines = Vec::new();
    if let Some(file) = &arguments.file {
        let component = fs::read(file).with_context(|| file.display().to_string())?;
        lines.push(large(&servers, &component, arguments.rounds)?);
    }
    lines.push(small([&silent, &servers[0], &servers[1]], arguments.small)?);
    lines.push(long(&servers[1], arguments.entries)?);
    Ok((lines.join("\n"), true))
}

/// A server that neither signs nor logs: the key of its log is somewhere else.
fn without_log(data: &Path) -> Result<RegistryProcess> {
    let builder = || {
        RegistryProcess::builder()
            .env("WREG_SIGNING", "off")
            .arg("--dev")
            .data_dir(data)
    };
    builder().start().terminate();
    fs::remove_file(data.join("signing-keys/log.key")).context("the key of the log")?;
    Ok(builder().start())
}

/// A large component, until it is acknowledged, and until it is signed.
fn large(servers: &[RegistryProcess; 2], component: &[u8], rounds: usize) -> Result<String> {
    let mut times = [const { Vec::new() }; 3];
    for round in 0..=rounds {
        for (server, signs) in servers.iter().zip([false, true]) {
            let mut connection = Connection::open(server.address());
            let content = variant(component, round);
            let began = Instant::now();
            push(&mut connection, "bench/large", &format!("r{round}"), &content)?;
            let answered = began.elapsed();
            settle(&mut connection, "bench/large", &format!("r{round}"))?;
            // The first of each is for warming up.
            if round > 0 {
                times[usize::from(signs)].push(answered);
            }
            if signs && round > 0 {
                times[2].push(began.elapsed());
            }
        }
    }
    let [without, with, signed] = times.map(median);
    Ok(format!(
        "{{\"name\":\"signed-push\",\"megabytes\":{:.1},\"off_ms\":{:.1},\"on_ms\":{:.1},\"on_until_signed_ms\":{:.1}}}",
        float(component.len()) / 1e6,
        without.as_secs_f64() * 1e3,
        with.as_secs_f64() * 1e3,
        signed.as_secs_f64() * 1e3,
    ))
}

/// Into how many rounds the small ones are divided, in which the servers take turns: what a machine gives changes with the minutes.
const ROUNDS: usize = 10;

/// Many small ones: the processor time of the server for each, until all is signed. Of one that neither logs nor signs, of one that logs, and
/// of one that does both.
fn small(servers: [&RegistryProcess; 3], count: usize) -> Result<String> {
    let component = wat::component_with(&"x".repeat(100 * 1024));
    let mut used = [(Duration::ZERO, Duration::ZERO); 3];
    let mut connections = servers.map(|server| Connection::open(server.address()));
    let is_logged = [false, true, true];
    for (connection, is_logged) in connections.iter_mut().zip(is_logged) {
        push(connection, "bench/small", "warm", &variant(&component, 0))?;
        looked_after(connection, "bench/small", "warm", is_logged)?;
    }
    let of_round = count / ROUNDS;
    for round in 0..ROUNDS {
        let numbers = round * of_round + 1..=(round + 1) * of_round;
        let servers = servers.iter().zip(&mut connections).zip(is_logged).zip(&mut used);
        for (((server, connection), is_logged), (cpu, wall)) in servers {
            let before = cpu_time(&[server.pid()])?;
            let began = Instant::now();
            for number in numbers.clone() {
                let content = variant(&component, number);
                push(connection, "bench/small", &format!("n{number}"), &content)?;
            }
            *wall += began.elapsed();
            for number in numbers.clone() {
                looked_after(connection, "bench/small", &format!("n{number}"), is_logged)?;
            }
            *cpu += cpu_time(&[server.pid()])?.saturating_sub(before);
        }
    }
    let each = |time: Duration| time.as_secs_f64() * 1e6 / float(of_round * ROUNDS);
    let [(neither, neither_wall), (log, log_wall), (both, both_wall)] =
        used.map(|(cpu, wall)| (each(cpu), each(wall) / 1e3));
    Ok(format!(
        "{{\"name\":\"signed-small-push\",\"count\":{},\"neither_cpu_us\":{neither:.0},\"log_cpu_us\":{log:.0},\"both_cpu_us\":{both:.0},\"neither_ms\":{neither_wall:.2},\"log_ms\":{log_wall:.2},\"both_ms\":{both_wall:.2}}}",
        of_round * ROUNDS,
    ))
}

/// A long log: the time for each tenth of its entries, and what a proof takes at the end.
fn long(server: &RegistryProcess, entries: usize) -> Result<String> {
    let mut connection = Connection::open(server.address());
    // No WebAssembly: the registry would look through the tags of its repository, too.
    let layer = Digest::sha256("layer");
    let uploads = "/v2/bench/log/blobs/uploads/?digest=";
    ask(&mut connection, "POST", &format!("{uploads}{layer}"), b"layer", 201)?;
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": MediaType::IMAGE_MANIFEST,
        "config": { "mediaType": MediaType::EMPTY, "digest": layer, "size": 5 },
        "layers": [],
    });
    let manifest = manifest.to_string();
    let digest = Digest::sha256(&manifest);
    let (rounds, mut tenths) = (entries / TAGS, Vec::new());
    let mut began = Instant::now();
    for round in 0..rounds {
        let tags: Vec<_> = (0..TAGS).map(|tag| format!("tag=t{round}-{tag}")).collect();
        let target = format!("/v2/bench/log/manifests/{digest}?{}", tags.join("&"));
        ask(&mut connection, "PUT", &target, manifest.as_bytes(), 201)?;
        if (round + 1) % (rounds / 10).max(1) == 0 {
            logged(&mut connection, &format!("t{round}-{}", TAGS - 1))?;
            tenths.push(began.elapsed());
            began = Instant::now();
        }
    }
    let checkpoint = ask(&mut connection, "GET", "/log/checkpoint", b"", 200)?;
    let size: u64 = checkpoint.lines().nth(1).unwrap_or_default().parse()?;
    // What a client reads for the proof of an entry, tile by tile.
    let mut times = Vec::new();
    for number in 0..PROOFS as u64 {
        let place = (number * 7_919_999) % size;
        let path = wreg_trust::log::TilePath::of_inclusion(place, size).context("it is in the log")?;
        let began = Instant::now();
        for tile in path.tiles() {
            ask(&mut connection, "GET", &format!("/log/{tile}"), b"", 200)?;
        }
        times.push(began.elapsed());
    }
    times.sort_unstable();
    // What the server takes for one, until it is stored: a small component from the push to its signature.
    let mut until_signed = Vec::new();
    for number in 0..20 {
        let content = wat::component_with(&format!("late {number}"));
        let began = Instant::now();
        push(&mut connection, "bench/late", &format!("l{number}"), &content)?;
        settle(&mut connection, "bench/late", &format!("l{number}"))?;
        until_signed.push(began.elapsed());
    }
    let millis = |time: &Duration| time.as_secs_f64() * 1e3;
    let tenths: Vec<_> = tenths.iter().map(|time| format!("{:.1}", time.as_secs_f64())).collect();
    Ok(format!(
        "{{\"name\":\"long-log\",\"entries\":{size},\"seconds_per_tenth\":[{}],\"proof_p50_ms\":{:.2},\"proof_p99_ms\":{:.2},\"push_until_signed_ms\":{:.1}}}",
        tenths.join(","),
        times.get(times.len() / 2).map_or(0.0, millis),
        times.get(times.len() * 99 / 100).map_or(0.0, millis),
        millis(&median(until_signed)),
    ))
}

/// The component with a custom section more: other bytes.
fn variant(component: &[u8], round: usize) -> Vec<u8> {
    let text = format!("trust-{round:08}");
    let content = [&[5][..], b"bench", text.as_bytes()].concat();
    let length = u8::try_from(content.len()).unwrap_or(u8::MAX);
    [component, &[0, length], &content].concat()
}

fn push(connection: &mut Connection, repository: &str, tag: &str, content: &[u8]) -> Result<()> {
    let (digest, empty) = (Digest::sha256(content), Digest::sha256("{}"));
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": MediaType::IMAGE_MANIFEST,
        "artifactType": MediaType::WASM,
        "config": { "mediaType": MediaType::EMPTY, "digest": empty, "size": 2 },
        "layers": [{ "mediaType": MediaType::WASM, "digest": digest, "size": content.len() }],
    });
    let uploads = format!("/v2/{repository}/blobs/uploads/?digest=");
    ask(connection, "POST", &format!("{uploads}{empty}"), b"{}", 201)?;
    ask(connection, "POST", &format!("{uploads}{digest}"), content, 201)?;
    let target = format!("/v2/{repository}/manifests/{tag}");
    ask(connection, "PUT", &target, manifest.to_string().as_bytes(), 201)?;
    Ok(())
}

/// Waits until all is known and signed of what was pushed.
fn settle(connection: &mut Connection, repository: &str, tag: &str) -> Result<()> {
    looked_after(connection, repository, tag, true)
}

/// The same, with as many requests where nothing is logged.
fn looked_after(connection: &mut Connection, repository: &str, tag: &str, is_logged: bool) -> Result<()> {
    if is_logged {
        logged_in(connection, repository, tag)?;
    } else {
        let target = format!("/api/v1/publication?repository={repository}&reference={tag}");
        ask(connection, "GET", &target, b"", 200)?;
    }
    let target = format!("/api/v1/component?repository={repository}&reference={tag}");
    while ask(connection, "GET", &target, b"", 200)?.contains("\"state\":\"pending\"") {}
    Ok(())
}

fn logged(connection: &mut Connection, tag: &str) -> Result<()> {
    logged_in(connection, "bench/log", tag)
}

fn logged_in(connection: &mut Connection, repository: &str, tag: &str) -> Result<()> {
    let target = format!("/api/v1/publication?repository={repository}&reference={tag}&wait=30");
    while !ask(connection, "GET", &target, b"", 200)?.contains("\"done\":true") {}
    Ok(())
}

fn float(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}
