//! What the registry vouches for: signatures, statements, and the log of its changes.

mod gate;
mod log;
mod signing;

use std::time::Duration;

use serde_json::{Value, json};
use wreg_oci::{Descriptor, Digest, MediaType, RepositoryName};
use wreg_trust::{
    anchors::{self, Anchors, KeyState},
    log::Verifier,
    signature::PublicKey,
};

use crate::registry::{Options, TestRegistry, header};

/// A guard against hanging, not a measure.
const PATIENCE: Duration = Duration::from_mins(1);

/// A registry that signs.
async fn signing_registry() -> TestRegistry {
    TestRegistry::with(signing()).await
}

fn signing() -> Options {
    Options {
        config: "signing = \"wasm\"\n",
        ..Options::default()
    }
}

/// Pushes a component under a tag, and waits until it is signed.
async fn publish(registry: &TestRegistry, repository: &str, tag: &str, layer: &[u8]) -> Digest {
    let digest = put(registry, repository, tag, layer).await;
    let state = publication(registry, repository, tag).await;
    assert_eq!(
        (&state["signed"], &state["done"]),
        (&json!(true), &json!(true)),
        "{state}"
    );
    digest
}

/// Pushes a component under a tag.
async fn put(registry: &TestRegistry, repository: &str, tag: &str, layer: &[u8]) -> Digest {
    let config = registry.push_blob(repository, b"{}").await;
    let pushed = registry.push_blob(repository, layer).await;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MediaType::IMAGE_MANIFEST,
        "config": { "mediaType": MediaType::WASM_CONFIG, "digest": config, "size": 2 },
        "layers": [{ "mediaType": MediaType::WASM, "digest": pushed, "size": layer.len() }],
    });
    let answer = registry.put_manifest(repository, tag, &manifest).await;
    assert_eq!(answer.status(), 201);
    header(&answer, "docker-content-digest").parse().expect("a digest")
}

/// How far the registry is with a tag, once it is done.
async fn publication(registry: &TestRegistry, repository: &str, tag: &str) -> Value {
    let target = format!("/api/v1/publication?repository={repository}&reference={tag}&wait=30");
    let asking = async {
        loop {
            let answer = registry.send("GET", &target).await;
            assert_eq!(answer.status(), 200);
            let state: Value = answer.json().await.expect("JSON");
            if state["done"] == true {
                return state;
            }
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.expect("it is signed")
}

/// What the registry says of itself.
async fn anchors_of(registry: &TestRegistry) -> Anchors {
    let answer = registry
        .anonymous("GET", anchors::PATH)
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 200);
    answer.json().await.expect("anchors")
}

/// Its keys that sign, and the key of its log.
async fn keys_of(registry: &TestRegistry) -> (Vec<PublicKey>, Verifier) {
    let anchors = anchors_of(registry).await;
    let keys = anchors.keys.into_iter().filter(|key| key.state != KeyState::Next);
    let log = anchors.log.expect("a log");
    (keys.map(|key| key.key).collect(), log.key.parse().expect("a key"))
}

/// The referrers of a manifest.
async fn referrers(registry: &TestRegistry, repository: &str, digest: &Digest) -> Vec<Descriptor> {
    let answer = registry
        .send("GET", &format!("/v2/{repository}/referrers/{digest}"))
        .await;
    let index: Value = answer.json().await.expect("an index");
    serde_json::from_value(index["manifests"].clone()).expect("descriptors")
}

/// The bytes of a manifest.
async fn manifest(registry: &TestRegistry, repository: &str, reference: &str) -> Vec<u8> {
    let answer = registry
        .send("GET", &format!("/v2/{repository}/manifests/{reference}"))
        .await;
    assert_eq!(answer.status(), 200, "{reference}");
    answer.bytes().await.expect("bytes").to_vec()
}

/// The layers of a manifest, as descriptors and bytes.
async fn layers(registry: &TestRegistry, repository: &str, reference: &str) -> Vec<(Descriptor, Vec<u8>)> {
    let manifest: Value = serde_json::from_slice(&manifest(registry, repository, reference).await).expect("JSON");
    let descriptors: Vec<Descriptor> = serde_json::from_value(manifest["layers"].clone()).expect("descriptors");
    let mut layers = Vec::new();
    for descriptor in descriptors {
        let answer = registry
            .send("GET", &format!("/v2/{repository}/blobs/{}", descriptor.digest))
            .await;
        assert_eq!(answer.status(), 200);
        layers.push((descriptor, answer.bytes().await.expect("bytes").to_vec()));
    }
    layers
}

fn name(text: &str) -> RepositoryName {
    text.parse().expect("a name")
}
