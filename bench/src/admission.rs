//! What it costs that a registry looks into what is pushed: a component under each policy, beside as many bytes of noise.
//!
//! The registry must let anybody push (`--dev`); the administrator's token sets the policies.

use std::{
    fs,
    net::SocketAddr,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use wreg_harness::raw::Connection;
use wreg_oci::Digest;

use crate::client::{ask, median};

/// What to push.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where the server listens
    #[arg(long, default_value = "127.0.0.1:5000")]
    address: SocketAddr,
    /// A component
    #[arg(long)]
    file: PathBuf,
    /// How often each
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// A file with the administrator's token
    #[arg(long)]
    token: PathBuf,
}

/// Pushes in turn, and gives the medians.
pub(crate) fn run(arguments: &Arguments) -> Result<(String, bool)> {
    let component = fs::read(&arguments.file).with_context(|| arguments.file.display().to_string())?;
    let token = fs::read_to_string(&arguments.token)?;
    let mut connection = Connection::open(arguments.address);
    for policy in ["off", "warn", "enforce"] {
        let settings = format!("{{\"components\":\"{policy}\",\"compatibility\":\"off\"}}");
        let head = format!(
            "PATCH /api/v1/namespace?namespace={policy} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\r\n{settings}",
            token.trim(),
            settings.len()
        );
        connection.send(head)?;
        let answer = connection.read_response()?;
        ensure!(answer.status == 200, "{}", answer.text());
    }
    let mut times = [const { Vec::new() }; 4];
    for round in 0..arguments.rounds {
        for (kind, times) in ["noise", "off", "warn", "enforce"].into_iter().zip(&mut times) {
            let content = if kind == "noise" {
                noise(component.len(), round)
            } else {
                variant(&component, round, kind)
            };
            times.push(push(&mut connection, kind, round, &content)?);
            // Nothing of one is under way while the next is timed.
            settle(&mut connection, kind, round)?;
        }
    }
    let [noise, off, warn, enforce] = times.map(median);
    let (megabytes, millis) = (
        f64::from(u32::try_from(component.len()).unwrap_or(u32::MAX)) / 1e6,
        |time: Duration| time.as_secs_f64() * 1e3,
    );
    Ok((
        format!(
            "{{\"name\":\"admission\",\"megabytes\":{megabytes:.1},\"noise_ms\":{:.1},\"off_ms\":{:.1},\"warn_ms\":{:.1},\"enforce_ms\":{:.1},\"enforce_ms_per_mb\":{:.1}}}",
            millis(noise),
            millis(off),
            millis(warn),
            millis(enforce),
            (millis(enforce) - millis(noise)) / megabytes
        ),
        true,
    ))
}

/// The component with a custom section more: other bytes, which have not been analysed.
fn variant(component: &[u8], round: usize, kind: &str) -> Vec<u8> {
    let text = format!("{kind}-{round:08}");
    let mut bytes = component.to_vec();
    let content = [&[5][..], b"bench", text.as_bytes()].concat();
    bytes.push(0);
    bytes.push(u8::try_from(content.len()).unwrap_or(u8::MAX));
    bytes.extend_from_slice(&content);
    bytes
}

/// Bytes that nobody can look into. Source: Marsaglia, "Xorshift RNGs".
fn noise(length: usize, round: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ (round as u64 + 1);
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

fn push(connection: &mut Connection, kind: &str, round: usize, content: &[u8]) -> Result<Duration> {
    let media_type = if kind == "noise" {
        "application/octet-stream"
    } else {
        "application/wasm"
    };
    let digest = Digest::sha256(content);
    let empty = Digest::sha256("{}");
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/wasm","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{empty}","size":2}},"layers":[{{"mediaType":"{media_type}","digest":"{digest}","size":{}}}]}}"#,
        content.len()
    );
    let uploads = format!("/v2/{kind}/bench/blobs/uploads/?digest=");
    ask(connection, "POST", &format!("{uploads}{empty}"), b"{}", 201)?;
    let began = Instant::now();
    ask(connection, "POST", &format!("{uploads}{digest}"), content, 201)?;
    ask(
        connection,
        "PUT",
        &format!("/v2/{kind}/bench/manifests/r{round}"),
        manifest.as_bytes(),
        201,
    )?;
    Ok(began.elapsed())
}

/// Waits until the analysis of what was pushed has ended.
fn settle(connection: &mut Connection, kind: &str, round: usize) -> Result<()> {
    if kind == "noise" {
        return Ok(());
    }
    let target = format!("/api/v1/component?repository={kind}/bench&reference=r{round}");
    while ask(connection, "GET", &target, b"", 200)?.contains("\"state\":\"pending\"") {}
    Ok(())
}
