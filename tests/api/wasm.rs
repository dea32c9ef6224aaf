//! What people push as WebAssembly, and as archives: bytes, whatever they claim to be.

use std::fs::File;

use serde_json::{Value, json};
use wreg_harness::{RegistryProcess, fixtures::wat};
use wreg_oci::{Digest, MediaType};

use crate::registry::{TestRegistry, header};

const TAR_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// Pushes an artifact with one layer, and reads manifest and layer back.
async fn comes_back(registry: &TestRegistry, media_type: &str, layer: &[u8], config: &Value) {
    let config_bytes = config.to_string();
    let config = registry.push_blob("acme/hello", config_bytes.as_bytes()).await;
    let digest = registry.push_blob("acme/hello", layer).await;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MediaType::IMAGE_MANIFEST,
        "config": { "mediaType": MediaType::WASM_CONFIG, "digest": config, "size": config_bytes.len() },
        "layers": [{ "mediaType": media_type, "digest": digest, "size": layer.len() }],
    });
    assert_eq!(
        registry.put_manifest("acme/hello", "latest", &manifest).await.status(),
        201
    );
    let answer = registry.send("GET", "/v2/acme/hello/manifests/latest").await;
    assert_eq!(answer.text().await.expect("a body"), manifest.to_string());
    let request = registry.request("GET", &format!("/v2/acme/hello/blobs/{digest}"));
    let request = request.header("accept-encoding", "gzip, deflate, br, zstd");
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert_eq!(header(&answer, "content-length"), layer.len().to_string());
    assert!(answer.headers().get("content-encoding").is_none());
    assert_eq!(answer.bytes().await.expect("a body"), layer);
}

/// The config that says what a component's would.
fn config_of(layer: &[u8]) -> Value {
    json!({
        "created": "2026-01-01T00:00:00Z",
        "architecture": "wasm",
        "os": "wasip2",
        "layerDigests": [Digest::sha256(layer)],
        "component": { "exports": ["wreg:demo/adder@0.1.0"], "imports": ["wreg:demo/clock@0.1.0"], "target": null },
    })
}

/// **W01** Prefixes of a valid component, from nothing to all of it, and what is no WebAssembly, as a layer → 201, served byte for byte.
#[tokio::test]
async fn a_layer_that_is_cut_off_or_no_wasm_is_data_like_any_other() {
    let registry = TestRegistry::start().await;
    let component = wat::component();
    let step = component.len().div_ceil(20);
    let lengths = (0..10)
        .chain((10..component.len()).step_by(step))
        .chain([component.len() - 1, component.len()]);
    for length in lengths {
        let prefix = &component[..length];
        comes_back(&registry, MediaType::WASM.as_str(), prefix, &config_of(&component)).await;
    }
    for other in [&b"#!/bin/sh\n"[..], b"<html>", &[0xff; 100], b"\0asm\xff\xff\xff\xff"] {
        comes_back(&registry, MediaType::WASM.as_str(), other, &config_of(other)).await;
    }
}

/// **W02** A core module whose config calls it a component, and the reverse → 201, stored as they are.
#[tokio::test]
async fn a_config_that_calls_a_module_a_component_is_stored() {
    let registry = TestRegistry::start().await;
    let (module, component) = (wat::module(), wat::component());
    comes_back(&registry, MediaType::WASM.as_str(), &module, &config_of(&module)).await;
    let module_config = json!({ "architecture": "wasm", "os": "wasip1", "layerDigests": [Digest::sha256(&component)] });
    comes_back(&registry, MediaType::WASM.as_str(), &component, &module_config).await;
    let lying = json!({ "architecture": 7, "layerDigests": ["sha256:00"], "component": null });
    comes_back(&registry, MediaType::WASM.as_str(), &component, &lying).await;
}

/// A gzip file that unpacks to zeros, 2064 bytes of them for 13 of its own (RFC 1951, section 3.2.6).
fn gzip_bomb(periods: usize) -> Vec<u8> {
    // One block with fixed codes, a zero, and then again and again: the last byte, 258 times.
    const START: &str = "1 10 00110000";
    const REPEAT: &str = "11000101 00000";
    let bits: Vec<bool> = format!("{START}{}", REPEAT.repeat(16))
        .bytes()
        .filter(|bit| *bit != b' ')
        .map(|bit| bit == b'1')
        .collect();
    let byte = |bits: &[bool]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
    let bytes: Vec<u8> = bits.chunks_exact(8).map(byte).collect();
    let header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    [&header, &bytes[..2], &bytes[2..15].repeat(periods)].concat()
}

/// A header of a tar archive whose only file, sparse, is said to have 8 GiB.
fn tar_bomb() -> Vec<u8> {
    let mut header = [0; 512];
    for (at, field) in [
        (0, "../../etc/passwd"),
        (100, "0000644\0"),
        (124, "77777777777\0"),
        (156, "S"),
        (257, "ustar\0"),
    ] {
        header[at..at + field.len()].copy_from_slice(field.as_bytes());
    }
    header[483..494].copy_from_slice(b"77777777777");
    header.to_vec()
}

/// The head of a zip archive whose first entry is said to have 4 GiB.
fn zip_bomb() -> Vec<u8> {
    [
        &b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\x10\0\0\0\xff\xff\xff\xff\x01\0\0\0a"[..],
        &[0; 16],
    ]
    .concat()
}

/// **W08** A gzip, tar or zip bomb as a layer → 201, served byte for byte, and never unpacked.
#[tokio::test]
async fn an_archive_as_a_layer_is_never_unpacked() {
    let registry = TestRegistry::start().await;
    for (media_type, bomb) in [
        (TAR_GZIP, gzip_bomb(1000)),
        (MediaType::WASM.as_str(), gzip_bomb(1)),
        ("application/vnd.oci.image.layer.v1.tar", tar_bomb()),
        ("application/zip", zip_bomb()),
    ] {
        comes_back(&registry, media_type, &bomb, &json!({})).await;
    }
}

/// **W08** A layer that would unpack to 600 MB → the server's memory does not grow by a tenth of that.
#[tokio::test]
async fn an_archive_as_a_layer_takes_no_memory() {
    let server = RegistryProcess::start();
    let (client, token) = (reqwest::Client::new(), server.admin_token());
    let bomb = gzip_bomb(300_000);
    let digest = Digest::sha256(&bomb);
    let before = peak_memory(&server);
    let blobs = format!("{}/v2/acme/hello/blobs", server.url());
    let push = client
        .post(format!("{blobs}/uploads/?digest={digest}"))
        .basic_auth("admin", Some(&token));
    assert_eq!(push.body(bomb.clone()).send().await.expect("an answer").status(), 201);
    let pull = client
        .get(format!("{blobs}/{digest}"))
        .basic_auth("admin", Some(&token));
    let answer = pull.send().await.expect("an answer");
    assert!(answer.bytes().await.expect("a body") == bomb);
    let grown = peak_memory(&server) - before;
    assert!(grown < 60 * 1024, "{grown} KiB");
}

/// The most memory that a process had at once, in KiB.
fn peak_memory(server: &RegistryProcess) -> u64 {
    let status = File::open(format!("/proc/{}/status", server.pid())).and_then(std::io::read_to_string);
    let status = status.expect("the kernel tells");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
    peak.and_then(|peak| peak.parse().ok()).expect("a number")
}
