//! Versions by meaning: what a new version breaks is told, or refused.

use serde_json::{Value, json};
use wreg_harness::fixtures::wat;

use super::{artifact, set, shown, warnings};
use crate::registry::{TestRegistry, refused};

/// A component that exports one interface with functions of these names.
fn greeter(functions: &[&str]) -> Vec<u8> {
    let functions: Vec<_> = functions
        .iter()
        .map(|name| format!("(export {name:?} (func $f))"))
        .collect();
    let functions = functions.join(" ");
    wat::encode(&format!(
        "(component (core module $m (func (export \"f\"))) (core instance $c (instantiate $m)) (func $f (canon lift (core func $c \"f\")))
         (instance $i {functions}) (export \"acme:hello/greet@1.0.0\" (instance $i)))"
    ))
}

/// A component that imports that interface.
fn user_of_greeter() -> Vec<u8> {
    wat::encode("(component (import \"acme:hello/greet@1.0.0\" (instance (export \"hello\" (func)))))")
}

async fn manifest(registry: &TestRegistry, repository: &str, layer: &[u8]) -> Value {
    let mut manifest = artifact(registry, repository, layer, &json!({})).await;
    manifest["config"]["mediaType"] = json!("application/vnd.example+json");
    manifest
}

#[tokio::test]
async fn a_version_that_breaks_more_than_it_says_is_refused_or_told_with_whom_it_breaks() {
    let registry = TestRegistry::start().await;
    let first = manifest(&registry, "acme/hello", &greeter(&["hello", "bye"])).await;
    let more = manifest(&registry, "acme/hello", &greeter(&["hello", "bye", "again"])).await;
    let less = manifest(&registry, "acme/hello", &greeter(&["bye"])).await;
    for repository in ["acme/client", "other/client"] {
        let client = manifest(&registry, repository, &user_of_greeter()).await;
        assert_eq!(registry.put_manifest(repository, "1.0.0", &client).await.status(), 201);
    }
    super::settled(&registry).await;
    set(&registry, "acme", &json!({ "compatibility": "enforce" })).await;
    assert_eq!(registry.put_manifest("acme/hello", "1.2.0", &first).await.status(), 201);
    // A function more is no patch, a function less no minor version.
    for (tag, manifest, allowed, said) in [
        ("1.2.1", &more, false, "should be 1.3.0 at least"),
        ("1.3.0", &less, false, "should be 2.0.0 at least"),
        ("1.3.0", &more, true, ""),
        ("2.0.0", &less, true, ""),
        ("1.2.2", &first, true, ""),
    ] {
        let answer = registry.put_manifest("acme/hello", tag, manifest).await;
        if allowed {
            assert_eq!(answer.status(), 201, "{tag}");
            continue;
        }
        let body = refused(answer, 400, "MANIFEST_INVALID").await;
        let error = &body["errors"][0];
        assert_eq!(error["detail"]["finding"], "breaks-compatibility");
        let message = error["message"].as_str().expect("text");
        assert!(message.contains(said), "{message}");
        if manifest == &less {
            assert!(
                message.contains("hello") && message.contains("acme/client, other/client"),
                "{message}"
            );
        }
    }
}

#[tokio::test]
async fn who_may_not_see_a_dependent_is_not_told_of_it() {
    let registry = TestRegistry::start().await;
    let first = manifest(&registry, "acme/hello", &greeter(&["hello", "bye"])).await;
    let less = manifest(&registry, "acme/hello", &greeter(&["bye"])).await;
    let client = manifest(&registry, "secret/client", &user_of_greeter()).await;
    registry.put_manifest("secret/client", "1.0.0", &client).await;
    registry.put_manifest("acme/hello", "1.0.0", &first).await;
    super::settled(&registry).await;
    set(&registry, "acme", &json!({ "compatibility": "enforce" })).await;
    let token = registry.personal_token("pusher", &["acme/*:pull,push"]).await;
    let request = registry
        .anonymous("PUT", "/v2/acme/hello/manifests/1.0.1")
        .bearer_auth(token);
    let request = request.header("content-type", "application/vnd.oci.image.manifest.v1+json");
    let answer = request.body(less.to_string()).send().await.expect("an answer");
    let body = refused(answer, 400, "MANIFEST_INVALID").await;
    let message = body["errors"][0]["message"].as_str().expect("text");
    assert!(
        message.contains("should be 2.0.0") && !message.contains("secret"),
        "{message}"
    );
}

#[tokio::test]
async fn a_break_is_told_where_it_is_only_to_be_told_and_shown_later() {
    let registry = TestRegistry::start().await;
    let first = manifest(&registry, "acme/hello", &greeter(&["hello", "bye"])).await;
    let less = manifest(&registry, "acme/hello", &greeter(&["bye"])).await;
    registry.put_manifest("acme/hello", "1.0.0", &first).await;
    // Both are known before the version is.
    registry.put_manifest("acme/hello", "edge", &less).await;
    super::settled(&registry).await;
    let answer = registry.put_manifest("acme/hello", "1.0.1", &less).await;
    assert_eq!(answer.status(), 201);
    assert!(
        warnings(&answer)[0].contains("should be 2.0.0"),
        "{:?}",
        warnings(&answer)
    );
    let shown = shown(&registry, "acme/hello", "1.0.1").await;
    assert_eq!(shown["findings"][0]["code"], "breaks-compatibility");
    set(&registry, "acme", &json!({ "compatibility": "off" })).await;
    let answer = registry.put_manifest("acme/hello", "1.0.2", &less).await;
    assert_eq!((answer.status().as_u16(), warnings(&answer)), (201, vec![]));
}
