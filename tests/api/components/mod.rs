//! What the registry knows of the WebAssembly that is pushed to it.

mod advisories;
mod analysis;
mod compat;
mod crowd;
mod feed;
mod hostile;
mod namespaces;
mod policies;
mod search;
mod shipped;
mod versions;

use std::time::Duration;

use reqwest::Response;
use serde_json::{Value, json};
use wreg_oci::{Digest, MediaType};

use crate::registry::{TestRegistry, header};

/// A guard against hanging, not a measure.
const PATIENCE: Duration = Duration::from_mins(1);

/// The config that tells the truth about [`wreg_harness::fixtures::wat::component`] and what is made of it.
fn config_of(layer: &[u8]) -> Value {
    json!({
        "architecture": "wasm",
        "os": "wasip2",
        "layerDigests": [Digest::sha256(layer)],
        "component": { "exports": ["wreg:demo/adder@0.1.0"], "imports": ["wreg:demo/clock@0.1.0"], "target": null },
    })
}

/// The manifest of a Wasm artifact whose blobs are there then.
async fn artifact(registry: &TestRegistry, repository: &str, layer: &[u8], config: &Value) -> Value {
    let config_bytes = config.to_string();
    let config = registry.push_blob(repository, config_bytes.as_bytes()).await;
    let digest = registry.push_blob(repository, layer).await;
    json!({
        "schemaVersion": 2,
        "mediaType": MediaType::IMAGE_MANIFEST,
        "config": { "mediaType": MediaType::WASM_CONFIG, "digest": config, "size": config_bytes.len() },
        "layers": [{ "mediaType": MediaType::WASM, "digest": digest, "size": layer.len() }],
    })
}

/// Pushes one with a config that tells the truth about it.
async fn push(registry: &TestRegistry, repository: &str, tag: &str, layer: &[u8]) -> Response {
    let manifest = artifact(registry, repository, layer, &config_of(layer)).await;
    registry.put_manifest(repository, tag, &manifest).await
}

/// What the registry says of an artifact, once it has looked into it.
async fn shown(registry: &TestRegistry, repository: &str, reference: &str) -> Value {
    let target = format!("/api/v1/component?repository={repository}&reference={reference}");
    let asking = async {
        loop {
            let answer = registry.send("GET", &target).await;
            assert_eq!(answer.status(), 200, "{target}");
            let shown: Value = answer.json().await.expect("JSON");
            if shown["state"] != "pending" {
                return shown;
            }
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.expect("it is looked into")
}

/// Waits until nothing is left to be done.
async fn settled(registry: &TestRegistry) {
    let waiting = async {
        while registry
            .count("SELECT COUNT(*) FROM jobs WHERE name LIKE 'analyse:%' OR name LIKE 'index:%'")
            .await
            > 0
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .expect("the jobs are done");
}

/// Changes the settings of a namespace.
async fn set(registry: &TestRegistry, namespace: &str, settings: &Value) {
    let target = format!("/api/v1/namespace?namespace={namespace}");
    let answer = registry.send_body("PATCH", &target, settings.to_string()).await;
    assert_eq!(answer.status(), 200);
}

/// The warnings of an answer.
fn warnings(answer: &Response) -> Vec<String> {
    let values = answer.headers().get_all("warning").iter();
    values.map(|value| value.to_str().expect("text").to_owned()).collect()
}

/// The digest that a tag selects.
async fn digest_of(registry: &TestRegistry, repository: &str, tag: &str) -> String {
    let answer = registry
        .send("HEAD", &format!("/v2/{repository}/manifests/{tag}"))
        .await;
    assert_eq!(answer.status(), 200, "{tag}");
    header(&answer, "docker-content-digest")
}
