//! What it costs that a registry signs and logs: pushes to one that does and to one that does not, in turn. And a log of very many entries.

use std::{
    fs,
    path::PathBuf,
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
    let servers = [start("off"), start("wasm")];
    let mut lines = Vec::new();
    if let Some(file) = &arguments.file {
        let component = fs::read(file).with_context(|| file.display().to_string())?;
        lines.push(large(&servers, &component, arguments.rounds)?);
    }
    lines.push(small(&servers, arguments.small)?);
    lines.push(long(&servers[1], arguments.entries)?);
    Ok((lines.join("\n"), true))
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

/// Into how many rounds the small ones are divided, in which the two servers take turns: what a machine gives changes with the minutes.
const ROUNDS: usize = 10;

/// Many small ones: the processor time of the server for each, until all is signed.
fn small(servers: &[RegistryProcess; 2], count: usize) -> Result<String> {
    let component = wat::component_with(&"x".repeat(100 * 1024));
    let mut used = [(Duration::ZERO, Duration::ZERO); 2];
    let mut connections = servers.each_ref().map(|server| Connection::open(server.address()));
    for connection in &mut connections {
        push(connection, "bench/small", "warm", &variant(&component, 0))?;
        settle(connection, "bench/small", "warm")?;
    }
    let of_round = count / ROUNDS;
    for round in 0..ROUNDS {
        let numbers = round * of_round + 1..=(round + 1) * of_round;
        for ((server, connection), (cpu, wall)) in servers.iter().zip(&mut connections).zip(&mut used) {
            let before = cpu_time(&[server.pid()])?;
            let began = Instant::now();
            for number in numbers.clone() {
                let content = variant(&component, number);
                push(connection, "bench/small", &format!("n{number}"), &content)?;
            }
            *wall += began.elapsed();
            for number in numbers.clone() {
                settle(connection, "bench/small", &format!("n{number}"))?;
            }
            *cpu += cpu_time(&[server.pid()])?.saturating_sub(before);
        }
    }
    let each = |time: Duration| time.as_secs_f64() * 1e6 / float(of_round * ROUNDS);
    let [(off, off_wall), (on, on_wall)] = used.map(|(cpu, wall)| (each(cpu), each(wall) / 1e3));
    Ok(format!(
        "{{\"name\":\"signed-small-push\",\"count\":{},\"off_cpu_us\":{off:.0},\"on_cpu_us\":{on:.0},\"more_cpu_us\":{:.0},\"off_ms\":{off_wall:.2},\"on_ms\":{on_wall:.2}}}",
        of_round * ROUNDS,
        on - off
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
    logged_in(connection, repository, tag)?;
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
