//! Every layout is looked into, whoever pushes it.

use serde_json::{Value, json};
use wreg_harness::fixtures::wat;
use wreg_oci::{Digest, MediaType};

use super::{artifact, config_of, digest_of, push, settled, shown};
use crate::registry::{Options, TestRegistry, refused};

#[tokio::test]
async fn a_component_is_known_by_tag_and_by_digest() {
    let registry = TestRegistry::start().await;
    let component = wat::described_component();
    assert_eq!(push(&registry, "acme/hello", "1.2.3", &component).await.status(), 201);
    let shown_by_tag = shown(&registry, "acme/hello", "1.2.3").await;
    let digest = digest_of(&registry, "acme/hello", "1.2.3").await;
    assert_eq!(shown(&registry, "acme/hello", &digest).await, shown_by_tag);
    let mut shown = shown_by_tag;
    let analysis = shown.as_object_mut().expect("an object").remove("analysis");
    assert_eq!(
        shown,
        json!({
            "repository": "acme/hello", "digest": digest, "layout": "cncf", "layer": Digest::sha256(&component),
            "size": component.len(), "state": "analysed", "findings": [],
        })
    );
    let analysis = analysis.expect("an analysis");
    assert_eq!(analysis["kind"], "component");
    assert_eq!(
        analysis["imports"],
        json!([{ "name": "wreg:demo/clock@0.1.0", "kind": "interface" }])
    );
    assert_eq!(
        analysis["exports"],
        json!([{ "name": "wreg:demo/adder@0.1.0", "kind": "interface" }])
    );
    assert_eq!(analysis["metadata"]["licenses"], "Apache-2.0 OR MIT");
    let wit = registry
        .send("GET", "/api/v1/wit?repository=acme/hello&reference=1.2.3")
        .await;
    assert_eq!(wit.status(), 200);
    let wit = wit.text().await.expect("text");
    assert!(wit.contains("import wreg:demo/clock@0.1.0;"), "{wit}");
}

#[tokio::test]
async fn the_older_layouts_are_looked_into_alike() {
    let registry = TestRegistry::start().await;
    let component = wat::component();
    let layer = registry.push_blob("acme/hello", &component).await;
    let config = registry.push_blob("acme/hello", b"{}").await;
    for (config_type, layer_type, layout) in [
        (
            "application/vnd.fermyon.spin.application.v1+config",
            "application/vnd.wasm.content.layer.v1+wasm",
            "spin",
        ),
        (
            "application/vnd.wasm.config.v1+json",
            "application/vnd.module.wasm.content.layer.v1+wasm",
            "wasm-cloud",
        ),
        (
            "application/vnd.wasm.config.v1+json",
            "application/vnd.wasm.content.layer.v1+wasm",
            "wasm-to-oci",
        ),
        (
            "application/vnd.oci.image.config.v1+json",
            "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm",
            "runwasi",
        ),
        ("application/vnd.oci.empty.v1+json", "application/wasm", "bare"),
    ] {
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MediaType::IMAGE_MANIFEST,
            "artifactType": "application/vnd.example",
            "config": { "mediaType": config_type, "digest": config, "size": 2 },
            "layers": [{ "mediaType": layer_type, "digest": layer, "size": component.len() }],
        });
        assert_eq!(
            registry.put_manifest("acme/hello", layout, &manifest).await.status(),
            201
        );
        let shown = shown(&registry, "acme/hello", layout).await;
        assert_eq!(
            (&shown["layout"], &shown["state"]),
            (&json!(layout), &json!("analysed"))
        );
        assert_eq!(shown["analysis"]["kind"], "component");
    }
}

#[tokio::test]
async fn what_holds_no_wasm_is_no_component() {
    let registry = TestRegistry::start().await;
    registry.push_image("acme/image", "1.0.0", b"layer").await;
    for path in ["component", "wit"] {
        let target = |reference: &str| format!("/api/v1/{path}?repository=acme/image&reference={reference}");
        let answer = registry.send("GET", &target("1.0.0")).await;
        let body = refused(answer, 404, "UNSUPPORTED").await;
        assert_eq!(body["errors"][0]["detail"]["wreg_code"], "not-wasm");
        let unknown = if path == "component" {
            "MANIFEST_UNKNOWN"
        } else {
            "UNSUPPORTED"
        };
        refused(registry.send("GET", &target("2.0.0")).await, 404, unknown).await;
    }
}

/// **W01** Prefixes of a component, and what is no WebAssembly, as a layer → 201, and the registry says what is wrong and where.
#[tokio::test]
async fn what_is_not_valid_is_said_with_its_place() {
    let registry = TestRegistry::start().await;
    let component = wat::component();
    for (tag, layer, message) in [
        ("empty", &b""[..], "the file is empty"),
        ("cut", &component[..component.len() / 2], "cut off"),
        ("script", b"#!/bin/sh\n", "not WebAssembly"),
        ("gzip", &[0x1f, 0x8b, 8, 0], "gzip"),
    ] {
        assert_eq!(push(&registry, "acme/hello", tag, layer).await.status(), 201);
        let shown = shown(&registry, "acme/hello", tag).await;
        assert_eq!((&shown["state"], &shown["analysis"]), (&json!("invalid"), &Value::Null));
        let finding = &shown["findings"][0];
        assert_eq!(finding["code"], "invalid-wasm");
        assert!(
            finding["message"].as_str().expect("text").contains(message),
            "{finding}"
        );
        assert!(finding["offset"].is_u64(), "{finding}");
    }
}

/// **W05** A layer of more than 64 MiB → 201, stored whole, and not analysed.
#[tokio::test]
async fn a_layer_that_is_too_large_is_not_analysed() {
    let registry = TestRegistry::start().await;
    let mut large = b"\0asm\x01\0\0\0".to_vec();
    // A custom section without end.
    large.extend_from_slice(&[0, 0x80, 0x80, 0x80, 0x40, 1, b'x']);
    large.resize((64 << 20) + 1, 0);
    assert_eq!(push(&registry, "acme/hello", "large", &large).await.status(), 201);
    let shown = shown(&registry, "acme/hello", "large").await;
    assert_eq!(shown["state"], "failed");
    assert_eq!(shown["findings"][0]["code"], "not-analysed");
}

#[tokio::test]
async fn an_analysis_outlives_the_server_that_was_to_make_it() {
    let registry = TestRegistry::start().await;
    push(&registry, "acme/hello", "latest", &wat::component()).await;
    settled(&registry).await;
    // As it is when a server ends before it has begun.
    registry
        .execute("UPDATE analyses SET state = 'pending', document = '', wit = NULL, analyser = 0")
        .await;
    registry
        .execute("INSERT INTO jobs (name, run_at, attempts, fence, leased_until) SELECT 'analyse:' || layer, 0, 0, 0, 0 FROM analyses")
        .await;
    let (data, database) = registry.stop().await;
    let registry = TestRegistry::with(Options {
        data: Some(data),
        database: Some(database),
        ..Options::default()
    })
    .await;
    assert_eq!(shown(&registry, "acme/hello", "latest").await["state"], "analysed");
}

#[tokio::test]
async fn a_deleted_component_is_gone_and_comes_back_with_what_is_known_of_it() {
    let registry = TestRegistry::start().await;
    push(&registry, "acme/hello", "latest", &wat::component()).await;
    let before = shown(&registry, "acme/hello", "latest").await;
    let digest = digest_of(&registry, "acme/hello", "latest").await;
    let answer = registry
        .send("DELETE", &format!("/v2/acme/hello/manifests/{digest}"))
        .await;
    assert_eq!(answer.status(), 202);
    let target = format!("/api/v1/component?repository=acme/hello&reference={digest}");
    refused(registry.send("GET", &target).await, 404, "MANIFEST_UNKNOWN").await;
    let answer = registry
        .send(
            "POST",
            &format!("/api/v1/deleted?repository=acme/hello&reference={digest}"),
        )
        .await;
    assert_eq!(answer.status(), 200);
    assert_eq!(shown(&registry, "acme/hello", "latest").await, before);
}

#[tokio::test]
async fn who_may_not_pull_is_told_nothing() {
    let registry = TestRegistry::start().await;
    push(&registry, "acme/hello", "latest", &wat::component()).await;
    for path in ["component", "wit", "versions", "resolve"] {
        let target = format!("/api/v1/{path}?repository=acme/hello&reference=latest");
        let answer = registry.anonymous("GET", &target).send().await.expect("an answer");
        assert_eq!(answer.status(), 401, "{path}");
    }
}

/// Two manifests around one layer: it is looked into once.
#[tokio::test]
async fn a_layer_is_looked_into_once() {
    let registry = TestRegistry::start().await;
    let component = wat::component();
    let mut manifest = artifact(&registry, "acme/hello", &component, &config_of(&component)).await;
    registry.put_manifest("acme/hello", "first", &manifest).await;
    manifest["annotations"] = json!({ "a": "b" });
    registry.put_manifest("acme/hello", "second", &manifest).await;
    settled(&registry).await;
    assert_eq!(registry.count("SELECT COUNT(*) FROM analyses").await, 1);
    assert_eq!(registry.count("SELECT COUNT(*) FROM components").await, 2);
}

#[tokio::test]
async fn a_layer_that_comes_after_its_manifest_is_looked_into_when_it_is_pushed_again() {
    let registry = TestRegistry::start().await;
    registry
        .set("acme/hello", &json!({ "missing_references": "accept" }))
        .await;
    let component = wat::component();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MediaType::IMAGE_MANIFEST,
        "artifactType": "application/wasm",
        "config": { "mediaType": MediaType::EMPTY, "digest": Digest::sha256("{}"), "size": 2 },
        "layers": [{ "mediaType": MediaType::WASM, "digest": Digest::sha256(&component), "size": component.len() }],
    });
    assert_eq!(
        registry.put_manifest("acme/hello", "latest", &manifest).await.status(),
        201
    );
    settled(&registry).await;
    let target = "/api/v1/component?repository=acme/hello&reference=latest";
    let answer = registry.send("GET", target).await;
    assert_eq!(answer.json::<Value>().await.expect("JSON")["state"], "pending");
    registry.push_blob("acme/hello", &component).await;
    assert_eq!(
        registry.put_manifest("acme/hello", "latest", &manifest).await.status(),
        201
    );
    assert_eq!(shown(&registry, "acme/hello", "latest").await["state"], "analysed");
}
