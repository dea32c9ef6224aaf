//! What a namespace asks of components, and what happens to those that are otherwise.

use serde_json::{Value, json};
use wreg_harness::fixtures::wat;
use wreg_oci::{Digest, MediaType};

use super::{artifact, config_of, push, set, shown, warnings};
use crate::registry::{TestRegistry, refused};

/// Pushes, and gives the codes of what is refused about it.
async fn refusals(registry: &TestRegistry, tag: &str, manifest: &Value) -> Vec<Value> {
    let answer = registry.put_manifest("acme/hello", tag, manifest).await;
    let body = refused(answer, 400, "MANIFEST_INVALID").await;
    let errors = body["errors"].as_array().expect("errors");
    for error in errors {
        assert_eq!(error["detail"]["wreg_code"], "component-refused");
    }
    errors.iter().map(|error| error["detail"]["finding"].clone()).collect()
}

/// **W01** What is no valid WebAssembly, where the policy demands it → 400 with the message and the offset.
#[tokio::test]
async fn what_is_not_valid_is_refused_where_that_is_asked() {
    let registry = TestRegistry::start().await;
    set(&registry, "acme", &json!({ "components": "enforce" })).await;
    let mut broken = wat::component();
    broken.truncate(broken.len() - 3);
    let manifest = artifact(&registry, "acme/hello", &broken, &config_of(&broken)).await;
    let answer = registry.put_manifest("acme/hello", "1.0.0", &manifest).await;
    let body = refused(answer, 400, "MANIFEST_INVALID").await;
    let error = &body["errors"][0];
    assert!(error["message"].as_str().expect("text").contains("cut off"), "{error}");
    assert_eq!(error["detail"]["offset"], broken.len());
    let answer = registry.send("GET", "/v2/acme/hello/manifests/1.0.0").await;
    refused(answer, 404, "MANIFEST_UNKNOWN").await;
    assert_eq!(
        push(&registry, "acme/hello", "1.0.0", &wat::component()).await.status(),
        201
    );
    // Other artifacts are none of its business.
    registry.push_image("acme/hello", "image", b"layer").await;
}

/// **W02** A core module declared as a component, and the reverse → flagged, and 400 where the policy demands the truth.
/// **W06** A config whose `layerDigests`, imports or exports contradict the component → shown as the bytes have it, and marked.
#[tokio::test]
async fn a_config_that_does_not_tell_the_truth_is_refused_or_told() {
    let registry = TestRegistry::start().await;
    let (module, component) = (wat::module(), wat::component());
    let lies = [
        (&module, config_of(&module)),
        (
            &component,
            json!({ "architecture": "wasm", "os": "wasip1", "layerDigests": [Digest::sha256(&component)] }),
        ),
        (&component, config_of(&module)),
        (&component, {
            let mut config = config_of(&component);
            config["component"]["exports"] = json!(["wasi:cli/run@0.2.0"]);
            config
        }),
        (&component, json!({ "architecture": 7 })),
    ];
    for (number, (layer, config)) in lies.iter().enumerate() {
        let manifest = artifact(&registry, "acme/hello", layer, config).await;
        set(&registry, "acme", &json!({ "components": "enforce" })).await;
        let codes = refusals(&registry, "latest", &manifest).await;
        assert!(codes.iter().all(|code| code == "config-differs"), "{number}: {codes:?}");
        set(&registry, "acme", &json!({ "components": "warn" })).await;
        let answer = registry.put_manifest("acme/hello", "latest", &manifest).await;
        assert_eq!(answer.status(), 201);
        assert!(!warnings(&answer).is_empty(), "{number}");
        let body: Value = answer.json().await.expect("JSON");
        assert_eq!(body["findings"][0]["code"], "config-differs");
        let shown = shown(&registry, "acme/hello", "latest").await;
        assert_eq!(shown["findings"].as_array().expect("findings").len(), codes.len());
        set(&registry, "acme", &json!({ "components": "off" })).await;
        let answer = registry.put_manifest("acme/hello", "latest", &manifest).await;
        assert_eq!((answer.status().as_u16(), warnings(&answer)), (201, vec![]));
    }
}

#[tokio::test]
async fn a_tag_that_is_another_version_than_the_artifact_says_is_refused_or_told() {
    let registry = TestRegistry::start().await;
    // It says 1.2.3 of itself.
    let component = wat::described_component();
    let mut manifest = artifact(&registry, "acme/hello", &component, &config_of(&component)).await;
    set(&registry, "acme", &json!({ "components": "enforce" })).await;
    assert_eq!(refusals(&registry, "1.2.4", &manifest).await, ["version-differs"]);
    for tag in ["1.2.3", "latest", "v1.2.3"] {
        assert_eq!(
            registry.put_manifest("acme/hello", tag, &manifest).await.status(),
            201,
            "{tag}"
        );
    }
    manifest["annotations"] = json!({ "org.opencontainers.image.version": "v1.2.4" });
    assert_eq!(refusals(&registry, "1.2.3", &manifest).await, ["version-differs"]);
}

#[tokio::test]
async fn a_repository_may_say_otherwise_than_its_namespace() {
    let registry = TestRegistry::start().await;
    registry.set("acme/strict", &json!({ "components": "enforce" })).await;
    let answer = push(&registry, "acme/strict", "latest", b"no wasm").await;
    refused(answer, 400, "MANIFEST_INVALID").await;
    assert_eq!(push(&registry, "acme/hello", "latest", b"no wasm").await.status(), 201);
    set(&registry, "acme", &json!({ "components": "enforce" })).await;
    registry.set("acme/loose", &json!({ "components": "off" })).await;
    assert_eq!(push(&registry, "acme/loose", "latest", b"no wasm").await.status(), 201);
}

#[tokio::test]
async fn content_that_is_missing_is_told_as_missing() {
    let registry = TestRegistry::start().await;
    set(&registry, "acme", &json!({ "components": "enforce" })).await;
    let config = registry.push_blob("acme/hello", b"{}").await;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MediaType::IMAGE_MANIFEST,
        "config": { "mediaType": MediaType::EMPTY, "digest": config, "size": 2 },
        "layers": [{ "mediaType": MediaType::WASM, "digest": Digest::sha256("nowhere"), "size": 7 }],
        "artifactType": "application/wasm",
    });
    let answer = registry.put_manifest("acme/hello", "latest", &manifest).await;
    refused(answer, 400, "MANIFEST_BLOB_UNKNOWN").await;
    registry
        .set("acme/hello", &json!({ "missing_references": "accept" }))
        .await;
    assert_eq!(refusals(&registry, "latest", &manifest).await, ["not-analysed"]);
}
