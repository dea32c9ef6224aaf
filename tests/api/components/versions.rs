//! Versions: written once, listed, resolved, yanked and deprecated.

use reqwest::Response;
use serde_json::{Value, json};
use wreg_harness::fixtures::wat;

use super::{artifact, config_of, digest_of, push, set, warnings};
use crate::registry::{TestRegistry, header, refused};

async fn resolve(registry: &TestRegistry, requirement: &str) -> Response {
    registry
        .send(
            "GET",
            &format!("/api/v1/resolve?repository=acme/hello&req={requirement}"),
        )
        .await
}

/// The version that a requirement resolves to.
async fn resolved(registry: &TestRegistry, requirement: &str) -> String {
    let answer = resolve(registry, requirement).await;
    assert_eq!(answer.status(), 200, "{requirement}");
    let body: Value = answer.json().await.expect("JSON");
    body["version"].as_str().expect("a version").to_owned()
}

async fn mark(registry: &TestRegistry, reference: &str, change: &Value) -> Response {
    let target = format!("/api/v1/marks?repository=acme/hello&reference={reference}");
    registry.send_body("POST", &target, change.to_string()).await
}

#[tokio::test]
async fn a_version_of_a_component_is_written_once() {
    let registry = TestRegistry::start().await;
    let (first, second) = (wat::component_with("1"), wat::component_with("2"));
    for tag in ["1.0.0", "v1.1.0", "1.2.0_build.5"] {
        assert_eq!(push(&registry, "acme/hello", tag, &first).await.status(), 201);
        let before = digest_of(&registry, "acme/hello", tag).await;
        // The same again.
        assert_eq!(push(&registry, "acme/hello", tag, &first).await.status(), 201);
        // The same WebAssembly with another word around it.
        let mut manifest = artifact(&registry, "acme/hello", &first, &config_of(&first)).await;
        manifest["annotations"] = json!({ "org.opencontainers.image.created": tag });
        let answer = registry.put_manifest("acme/hello", tag, &manifest).await;
        assert_eq!(answer.status(), 201);
        let own = header(&answer, "docker-content-digest");
        assert_ne!(own, before);
        assert!(
            warnings(&answer)[0].contains(&format!("{tag} stays with {before}")),
            "{:?}",
            warnings(&answer)
        );
        let stored = registry.send("GET", &header(&answer, "location")).await;
        assert_eq!(stored.text().await.expect("a body"), manifest.to_string());
        assert_eq!(digest_of(&registry, "acme/hello", tag).await, before);
        // Other WebAssembly.
        let body = refused(push(&registry, "acme/hello", tag, &second).await, 409, "DENIED").await;
        let detail = &body["errors"][0]["detail"];
        assert_eq!((&detail["digest"], &detail["tag"]), (&json!(before), &json!(tag)));
        assert_eq!(digest_of(&registry, "acme/hello", tag).await, before);
    }
    for tag in ["latest", "1", "1.0", "edge"] {
        for layer in [&first, &second] {
            assert_eq!(push(&registry, "acme/hello", tag, layer).await.status(), 201, "{tag}");
        }
    }
}

#[tokio::test]
async fn a_version_that_was_deleted_stays_burnt() {
    let registry = TestRegistry::start().await;
    push(&registry, "acme/hello", "1.0.0", &wat::component_with("1")).await;
    let answer = registry.send("DELETE", "/v2/acme/hello/manifests/1.0.0").await;
    assert_eq!(answer.status(), 202);
    let answer = push(&registry, "acme/hello", "1.0.0", &wat::component_with("2")).await;
    let body = refused(answer, 409, "DENIED").await;
    assert_eq!(body["errors"][0]["detail"]["deleted"], true);
}

#[tokio::test]
async fn a_namespace_lifts_and_widens_the_rule() {
    let registry = TestRegistry::start().await;
    let image = async |content: &[u8]| {
        let manifest = registry.image("acme/image", content).await;
        registry.put_manifest("acme/image", "1.0.0", &manifest).await.status()
    };
    // Other artifacts are free unless somebody asks.
    assert_eq!(
        (image(b"1").await, image(b"2").await),
        (201.try_into().expect("a status"), 201.try_into().expect("a status"))
    );
    set(&registry, "acme", &json!({ "versions": "all" })).await;
    assert_eq!(image(b"3").await, 409);
    assert_eq!(image(b"2").await, 201);
    set(&registry, "acme", &json!({ "versions": "free" })).await;
    assert_eq!(image(b"3").await, 201);
    for number in ["1", "2"] {
        let answer = push(&registry, "acme/hello", "1.0.0", &wat::component_with(number)).await;
        assert_eq!(answer.status(), 201);
    }
}

#[tokio::test]
async fn signatures_move_where_nothing_else_does() {
    let registry = TestRegistry::start().await;
    registry.set("acme/hello", &json!({ "immutable_tags": "all" })).await;
    let hex = "a1".repeat(32);
    for tag in [
        format!("sha256-{hex}"),
        format!("sha256-{hex}.sig"),
        format!("sha256-{hex}.att"),
    ] {
        for content in [b"1", b"2"] {
            let manifest = registry.image("acme/hello", content).await;
            assert_eq!(
                registry.put_manifest("acme/hello", &tag, &manifest).await.status(),
                201,
                "{tag}"
            );
        }
    }
    for tag in ["sha256-abc.sig".to_owned(), format!("sha256-{hex}.exe")] {
        let manifest = registry.image("acme/hello", b"1").await;
        assert_eq!(registry.put_manifest("acme/hello", &tag, &manifest).await.status(), 201);
        let manifest = registry.image("acme/hello", b"2").await;
        refused(
            registry.put_manifest("acme/hello", &tag, &manifest).await,
            409,
            "DENIED",
        )
        .await;
    }
}

#[tokio::test]
async fn versions_are_listed_the_highest_first_and_resolved() {
    let registry = TestRegistry::start().await;
    for tag in ["1.2.0", "1.10.0", "2.0.0-rc.1", "0.9.0_build.7", "latest"] {
        push(&registry, "acme/hello", tag, &wat::component_with(tag)).await;
    }
    let answer = registry.send("GET", "/api/v1/versions?repository=acme/hello").await;
    let list: Value = answer.json().await.expect("JSON");
    let versions = list["versions"].as_array().expect("versions");
    let told: Vec<_> = versions
        .iter()
        .map(|version| (&version["version"], &version["tag"]))
        .collect();
    assert_eq!(
        json!(told),
        json!([
            ["2.0.0-rc.1", "2.0.0-rc.1"],
            ["1.10.0", "1.10.0"],
            ["1.2.0", "1.2.0"],
            ["0.9.0+build.7", "0.9.0_build.7"]
        ])
    );
    assert_eq!(versions[1]["size"], wat::component_with("1.10.0").len());
    assert_eq!(
        versions[1]["digest"],
        digest_of(&registry, "acme/hello", "1.10.0").await
    );
    for (requirement, version) in [
        ("", "1.10.0"),
        ("^1.2", "1.10.0"),
        ("~1.2", "1.2.0"),
        ("%3C1", "0.9.0+build.7"),
        ("%3E=2.0.0-rc.0", "2.0.0-rc.1"),
    ] {
        assert_eq!(resolved(&registry, requirement).await, version, "{requirement}");
    }
    let answer = registry.send("GET", "/api/v1/resolve?repository=acme/hello").await;
    let body: Value = answer.json().await.expect("JSON");
    let manifest = registry.send("GET", "/v2/acme/hello/manifests/1.10.0").await;
    assert_eq!(body["media_type"], header(&manifest, "content-type"));
    assert_eq!(body["manifest"], manifest.json::<Value>().await.expect("JSON"));
    let body = refused(resolve(&registry, "^3").await, 404, "MANIFEST_UNKNOWN").await;
    assert_eq!(
        body["errors"][0]["detail"],
        json!({ "wreg_code": "no-version", "highest": "2.0.0-rc.1", "yanked": false })
    );
    refused(resolve(&registry, "newest").await, 400, "UNSUPPORTED").await;
    let answer = registry.send("GET", "/api/v1/versions?repository=acme/none").await;
    refused(answer, 404, "NAME_UNKNOWN").await;
}

#[tokio::test]
async fn what_is_yanked_is_pulled_with_a_warning_and_not_resolved_to() {
    let registry = TestRegistry::start().await;
    for tag in ["1.0.0", "1.1.0"] {
        push(&registry, "acme/hello", tag, &wat::component_with(tag)).await;
    }
    let digest = digest_of(&registry, "acme/hello", "1.1.0").await;
    assert_eq!(resolved(&registry, "^1").await, "1.1.0");
    let yank = json!({ "action": "yank", "reason": "it loses data" });
    assert_eq!(mark(&registry, "1.1.0", &yank).await.status(), 200);
    assert_eq!(resolved(&registry, "^1").await, "1.0.0");
    let body = refused(resolve(&registry, "=1.1.0").await, 404, "MANIFEST_UNKNOWN").await;
    assert_eq!(body["errors"][0]["detail"]["yanked"], true);
    for (method, reference) in [("GET", "1.1.0"), ("HEAD", "1.1.0"), ("GET", digest.as_str())] {
        let answer = registry
            .send(method, &format!("/v2/acme/hello/manifests/{reference}"))
            .await;
        assert_eq!(answer.status(), 200);
        assert_eq!(warnings(&answer), ["299 - \"yanked: it loses data\""]);
    }
    let answer = registry.send("GET", "/v2/acme/hello/manifests/1.0.0").await;
    assert_eq!(warnings(&answer), [""; 0]);
    // Neither deleting and bringing back nor pushing again makes it forgotten.
    registry
        .send("DELETE", &format!("/v2/acme/hello/manifests/{digest}"))
        .await;
    let target = format!("/api/v1/deleted?repository=acme/hello&reference={digest}");
    assert_eq!(registry.send("POST", &target).await.status(), 200);
    push(&registry, "acme/hello", "1.1.0", &wat::component_with("1.1.0")).await;
    assert_eq!(resolved(&registry, "^1").await, "1.0.0");
    assert_eq!(
        mark(&registry, &digest, &json!({ "action": "unyank" })).await.status(),
        200
    );
    assert_eq!(resolved(&registry, "^1").await, "1.1.0");
    let events = registry
        .count("SELECT COUNT(*) FROM events WHERE kind = 'manifest-marked'")
        .await;
    assert_eq!(events, 2);
}

#[tokio::test]
async fn deprecations_and_advisories_are_told_and_resolved_to_all_the_same() {
    let registry = TestRegistry::start().await;
    push(&registry, "acme/hello", "1.0.0", &wat::component()).await;
    for change in [
        json!({ "action": "deprecate", "replacement": "acme/better@^2" }),
        json!({ "action": "advise", "id": "CVE-2026-1", "text": "it leaks" }),
    ] {
        assert_eq!(mark(&registry, "1.0.0", &change).await.status(), 200);
    }
    let answer = resolve(&registry, "^1").await;
    let told = [
        "299 - \"deprecated; use acme/better@^2 instead\"",
        "299 - \"CVE-2026-1: it leaks\"",
    ];
    assert_eq!(warnings(&answer), told);
    for (reference, change, status, code) in [
        (
            "1.0.0",
            json!({ "action": "advise", "id": "a b", "text": "x" }),
            400,
            "UNSUPPORTED",
        ),
        (
            "1.0.0",
            json!({ "action": "yank", "reason": "a\nb" }),
            400,
            "UNSUPPORTED",
        ),
        ("1.0.0", json!({ "action": "erase" }), 400, "UNSUPPORTED"),
        ("2.0.0", json!({ "action": "yank" }), 404, "MANIFEST_UNKNOWN"),
    ] {
        refused(mark(&registry, reference, &change).await, status, code).await;
    }
    let token = registry.personal_token("reader", &["acme/hello:pull"]).await;
    let request = registry.anonymous("POST", "/api/v1/marks?repository=acme/hello&reference=1.0.0");
    let request = request.bearer_auth(token).body(r#"{"action":"yank"}"#);
    refused(request.send().await.expect("an answer"), 403, "DENIED").await;
}
