//! Fills a registry with components: many repositories, each with a version of one of some hundred made-up components, whose worlds are
//! such as real ones have. For measuring search.
//!
//! The registry must let anybody push (`--dev`) and take manifests whose layers it does not hold (`default_missing_references = accept`): a
//! component is pushed once, to a repository of its own, and what the registry knows of it counts for all that name it.

use std::{
    fmt::Write as _,
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use wreg_harness::{fixtures::wat, raw::Connection};
use wreg_oci::Digest;

/// How many components differ in more than their words.
const KINDS: usize = 400;

/// What components import, with the versions that are about, the most common first.
const IMPORTS: [&str; 12] = [
    "wasi:io/streams",
    "wasi:cli/environment",
    "wasi:clocks/monotonic-clock",
    "wasi:http/types",
    "wasi:filesystem/types",
    "wasi:random/random",
    "wasi:http/outgoing-handler",
    "wasi:sockets/tcp",
    "wasi:logging/logging",
    "wasi:keyvalue/store",
    "acme:metrics/counters",
    "acme:auth/tokens",
];
const EXPORTS: [&str; 6] = [
    "wasi:http/incoming-handler",
    "wasi:cli/run",
    "acme:image/resize",
    "acme:text/markdown",
    "acme:codec/zstd",
    "acme:rules/evaluate",
];
const VERSIONS: [&str; 5] = ["0.2.0", "0.2.3", "0.2.6", "0.2.1", "0.3.0"];
const NOUNS: [&str; 24] = [
    "proxy", "router", "image", "cache", "queue", "mail", "chart", "markdown", "token", "session", "feed", "search",
    "store", "codec", "parser", "render", "theme", "widget", "agent", "filter", "report", "invoice", "photo", "sensor",
];
const VERBS: [&str; 16] = [
    "resizes",
    "parses",
    "forwards",
    "stores",
    "renders",
    "compresses",
    "signs",
    "validates",
    "indexes",
    "streams",
    "caches",
    "merges",
    "translates",
    "counts",
    "schedules",
    "encrypts",
];

/// What to fill.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where the server listens
    #[arg(long, default_value = "127.0.0.1:5000")]
    address: SocketAddr,
    /// How many repositories
    #[arg(long, default_value_t = 100_000)]
    count: usize,
    /// Connections
    #[arg(long, default_value_t = 32)]
    connections: usize,
}

/// Fills, and waits until search knows of everything: the line to print, and that all went well.
pub(crate) fn run(arguments: &Arguments) -> Result<(String, bool)> {
    let began = Instant::now();
    let mut connection = Connection::open(arguments.address);
    let layers: Vec<_> = (0..KINDS).map(component).collect();
    for layer in &layers {
        let target = format!("/v2/bench/layers/blobs/uploads/?digest={}", Digest::sha256(layer));
        ask(&mut connection, "POST", &target, "application/octet-stream", layer)?;
    }
    for (kind, layer) in layers.iter().enumerate() {
        put(
            &mut connection,
            "bench/layers",
            &format!("kind-{kind}"),
            layer,
            "a kind of component",
        )?;
    }
    // Versions to choose from.
    for (number, layer) in layers.iter().enumerate().take(10) {
        put(
            &mut connection,
            "bench/versions",
            &format!("1.{number}.0"),
            layer,
            "a version",
        )?;
    }
    let next = AtomicUsize::new(0);
    let filled: Result<Vec<()>> = thread::scope(|scope| {
        let fill = || -> Result<()> {
            let mut connection = Connection::open(arguments.address);
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= arguments.count {
                    return Ok(());
                }
                let (name, description) = words(number);
                put(&mut connection, &name, "1.0.0", &layers[number % KINDS], &description)?;
            }
        };
        let threads: Vec<_> = (0..arguments.connections).map(|_| scope.spawn(fill)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("it does not panic"))
            .collect()
    });
    filled?;
    let pushed = began.elapsed();
    let (last, _) = words(arguments.count - 1);
    // The first connection has been silent for longer than a server need wait.
    wait_for(&mut Connection::open(arguments.address), arguments.count, &last)?;
    let indexed = began.elapsed();
    Ok((
        format!(
            "{{\"name\":\"fill\",\"components\":{},\"pushed_seconds\":{:.1},\"indexed_seconds\":{:.1}}}",
            arguments.count,
            pushed.as_secs_f64(),
            indexed.as_secs_f64()
        ),
        true,
    ))
}

/// Waits until as many are found as there are: the last ones that were pushed are asked for by name.
fn wait_for(connection: &mut Connection, count: usize, last: &str) -> Result<()> {
    let patience = Instant::now() + Duration::from_mins(30);
    for number in [count - 1, count / 2, count / 3] {
        let (name, _) = words(number);
        let word = name.rsplit('-').next().unwrap_or(last).to_owned();
        loop {
            ensure!(Instant::now() < patience, "search does not come to know of everything");
            let body = ask(
                connection,
                "GET",
                &format!("/api/v1/search?q={word}&n=100"),
                "text/plain",
                b"",
            )?;
            if body.contains(&format!("\"{name}\"")) {
                break;
            }
            #[expect(
                clippy::disallowed_methods,
                reason = "it waits for another process, and takes none of its time"
            )]
            thread::sleep(Duration::from_millis(200));
        }
    }
    Ok(())
}

/// One of the made-up components.
fn component(kind: usize) -> Vec<u8> {
    let imports = IMPORTS
        .iter()
        .enumerate()
        .filter(|(place, _)| (kind >> (place % 8)).is_multiple_of(place / 4 + 2));
    let version = VERSIONS[kind % VERSIONS.len()];
    let mut text = String::from("(component");
    for (_, name) in imports {
        let _ = write!(text, " (import \"{name}@{version}\" (instance))");
    }
    let export = EXPORTS[kind % EXPORTS.len()];
    let _ = write!(
        text,
        " (instance $i) (export \"{export}@{version}\" (instance $i)) (@custom \"bench\" \"{kind}\"))"
    );
    wat::encode(&text)
}

/// The name and the description of a repository.
fn words(number: usize) -> (String, String) {
    let noun = |shift: usize| NOUNS[(number / shift + number) % NOUNS.len()];
    let verb = VERBS[(number / 7) % VERBS.len()];
    let name = format!("ns{}/{}-{}-{number}", number % 1000, noun(1), noun(24));
    let description = format!("{verb} each {} of a {} for every {}", noun(3), noun(5), noun(11));
    (name, description)
}

fn put(connection: &mut Connection, repository: &str, tag: &str, layer: &[u8], description: &str) -> Result<()> {
    let digest = Digest::sha256(layer);
    let empty = Digest::sha256("{}");
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/wasm","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{empty}","size":2}},"layers":[{{"mediaType":"application/wasm","digest":"{digest}","size":{}}}],"annotations":{{"org.opencontainers.image.description":"{description}"}}}}"#,
        layer.len()
    );
    let target = format!("/v2/{repository}/manifests/{tag}");
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    ask(connection, "PUT", &target, media_type, manifest.as_bytes()).map(drop)
}

/// Sends a request, which must succeed, and gives the text of the answer.
fn ask(connection: &mut Connection, method: &str, target: &str, media_type: &str, body: &[u8]) -> Result<String> {
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: bench\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    connection.send([head.as_bytes(), body].concat())?;
    let answer = connection.read_response().context("no answer")?;
    ensure!(
        (200..300).contains(&answer.status),
        "{method} {target}: {} {}",
        answer.status,
        answer.text()
    );
    Ok(answer.text())
}
