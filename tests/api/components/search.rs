//! Search: by words, and by what is imported and exported.

use serde_json::{Value, json};
use wreg_harness::fixtures::wat;

use super::{artifact, push, set, settled};
use crate::registry::{TestRegistry, next_page, refused};

/// A component with these imports and exports, of no content.
fn component(imports: &[&str], exports: &[&str], description: &str) -> Vec<u8> {
    let imports = imports.iter().map(|name| format!("(import {name:?} (instance))"));
    let exports = exports
        .iter()
        .map(|name| format!("(instance $i{0} ) (export {1:?} (instance $i{0}))", name.len(), name));
    let text: String = imports.chain(exports).collect();
    wat::encode(&format!(
        "(component {text} (@custom \"description\" \"{description}\"))"
    ))
}

async fn push_component(registry: &TestRegistry, repository: &str, tag: &str, layer: &[u8]) {
    let manifest = artifact(registry, repository, layer, &json!({})).await;
    assert_eq!(registry.put_manifest(repository, tag, &manifest).await.status(), 201);
}

/// `repository:tag` of all that is found, in the order of the pages.
async fn found(registry: &TestRegistry, query: &str) -> Vec<String> {
    let mut target = format!("/api/v1/search?{query}");
    let mut found = Vec::new();
    loop {
        let answer = registry.send("GET", &target).await;
        assert_eq!(answer.status(), 200, "{target}");
        let next = next_page(&answer);
        let page: Value = answer.json().await.expect("JSON");
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let page = page["components"].as_array().expect("a list").iter();
        found.extend(page.map(|one| format!("{}:{}", text(&one["repository"]), text(&one["tag"]))));
        match next {
            Some(next) => target = next,
            None => return found,
        }
    }
}

async fn filled() -> TestRegistry {
    let registry = TestRegistry::start().await;
    set(&registry, "acme", &json!({ "components": "off" })).await;
    for (repository, tag, layer) in [
        (
            "acme/proxy",
            "1.0.0",
            component(
                &["wasi:http/types@0.2.3", "wasi:sockets/tcp@0.2.3"],
                &["wasi:http/incoming-handler@0.2.3"],
                "Forwards requests",
            ),
        ),
        (
            "acme/echo",
            "0.3.0",
            component(
                &["wasi:http/types@0.2.6"],
                &["wasi:http/incoming-handler@0.2.6"],
                "Answers requests with what they say",
            ),
        ),
        (
            "acme/future",
            "1.0.0",
            component(
                &["wasi:http/types@0.3.0"],
                &["wasi:http/handler@0.3.0"],
                "Answers later",
            ),
        ),
        (
            "acme/tool",
            "1.0.0",
            component(
                &["wasi:cli/environment@0.2.3", "wasi:filesystem/types@0.2.3"],
                &["wasi:cli/run@0.2.3"],
                "Counts words",
            ),
        ),
        (
            "acme/pure",
            "2.0.0",
            component(&[], &["acme:maths/adder@1.0.0"], "Adds; nothing more"),
        ),
    ] {
        push_component(&registry, repository, tag, &layer).await;
    }
    settled(&registry).await;
    registry
}

#[tokio::test]
async fn components_are_found_by_what_they_export_and_import() {
    let registry = filled().await;
    for (query, expected) in [
        (
            "exports=wasi:http/incoming-handler",
            vec!["acme/echo:0.3.0", "acme/proxy:1.0.0"],
        ),
        (
            "exports=wasi:http/incoming-handler@%5E0.2",
            vec!["acme/echo:0.3.0", "acme/proxy:1.0.0"],
        ),
        ("exports=wasi:http/incoming-handler@%5E0.2.4", vec!["acme/echo:0.3.0"]),
        ("exports=wasi:http/incoming-handler@%5E0.3", vec![]),
        (
            "exports=wasi:http",
            vec!["acme/echo:0.3.0", "acme/future:1.0.0", "acme/proxy:1.0.0"],
        ),
        ("imports=wasi:http@%5E0.3", vec!["acme/future:1.0.0"]),
        ("exports=wasi:http&imports=wasi:sockets", vec!["acme/proxy:1.0.0"]),
        (
            "imports_only=wasi:http,wasi:io",
            vec!["acme/echo:0.3.0", "acme/future:1.0.0", "acme/pure:2.0.0"],
        ),
        ("imports_only=", vec!["acme/pure:2.0.0"]),
        (
            "imports_only=wasi:http&exports=wasi:http/incoming-handler",
            vec!["acme/echo:0.3.0"],
        ),
        (
            "kind=component&max_size=1000000&n=2",
            vec![
                "acme/echo:0.3.0",
                "acme/future:1.0.0",
                "acme/proxy:1.0.0",
                "acme/pure:2.0.0",
                "acme/tool:1.0.0",
            ],
        ),
        ("kind=module", vec![]),
        ("max_size=1", vec![]),
        ("exports=nothing:of/this", vec![]),
    ] {
        assert_eq!(found(&registry, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn components_are_found_by_words_the_best_match_first() {
    let registry = filled().await;
    for (query, expected) in [
        ("q=proxy", vec!["acme/proxy:1.0.0"]),
        ("q=PROX", vec!["acme/proxy:1.0.0"]),
        ("q=requests+say", vec!["acme/echo:0.3.0"]),
        ("q=incoming", vec!["acme/echo:0.3.0", "acme/proxy:1.0.0"]),
        ("q=adder", vec!["acme/pure:2.0.0"]),
        ("q=requests&exports=wasi:http@%5E0.2.5", vec!["acme/echo:0.3.0"]),
        ("q=no+such+word", vec![]),
        ("q=%22%27%28%29%2A%3A%26%7C%21+tool", vec!["acme/tool:1.0.0"]),
    ] {
        let mut told = found(&registry, query).await;
        if told.len() > 1 {
            told.sort();
        }
        assert_eq!(told, expected, "{query}");
    }
    // A name counts more than a description, on every page.
    push_component(&registry, "acme/requests", "1.0.0", &component(&[], &[], "")).await;
    settled(&registry).await;
    let told = found(&registry, "q=requests&n=1").await;
    assert_eq!((told.len(), told[0].as_str()), (3, "acme/requests:1.0.0"));
}

#[tokio::test]
async fn search_shows_the_highest_version_that_is_there() {
    let registry = TestRegistry::start().await;
    set(&registry, "acme", &json!({ "components": "off" })).await;
    for (tag, export) in [
        ("1.0.0", "acme:a/one@1.0.0"),
        ("1.1.0", "acme:a/two@1.0.0"),
        ("latest", "acme:a/three@1.0.0"),
    ] {
        push_component(&registry, "acme/hello", tag, &component(&[], &[export], "")).await;
    }
    let shown = async || {
        settled(&registry).await;
        let mut all = Vec::new();
        for interface in ["one", "two", "three"] {
            all.extend(found(&registry, &format!("exports=acme:a/{interface}")).await);
        }
        all
    };
    assert_eq!(shown().await, ["acme/hello:1.1.0"]);
    let yank = json!({ "action": "yank" }).to_string();
    registry
        .send_body("POST", "/api/v1/marks?repository=acme/hello&reference=1.1.0", yank)
        .await;
    assert_eq!(shown().await, ["acme/hello:1.0.0"]);
    registry.send("DELETE", "/v2/acme/hello/manifests/1.0.0").await;
    assert_eq!(shown().await, ["acme/hello:latest"]);
    // Not WebAssembly any more.
    let image = registry.image("acme/hello", b"layer").await;
    registry.put_manifest("acme/hello", "latest", &image).await;
    assert_eq!(shown().await, [""; 0]);
}

#[tokio::test]
async fn search_shows_nobody_what_they_may_not_pull() {
    let registry = TestRegistry::start().await;
    for repository in ["acme/secret", "acme/public", "other/secret"] {
        push(&registry, repository, "1.0.0", &wat::component()).await;
    }
    registry.set("acme/public", &json!({ "visibility": "public" })).await;
    settled(&registry).await;
    let token = registry.personal_token("reader", &["other/*:pull"]).await;
    for (token, expected) in [
        (None, vec!["acme/public"]),
        (Some(token), vec!["acme/public", "other/secret"]),
    ] {
        for query in ["", "q=secret+public", "q=acme", "exports=wreg:demo/adder"] {
            let mut request = registry.anonymous("GET", &format!("/api/v1/search?{query}"));
            if let Some(token) = &token {
                request = request.bearer_auth(token);
            }
            let answer = request.send().await.expect("an answer");
            assert_eq!(answer.status(), 200);
            let page: Value = answer.json().await.expect("JSON");
            let names: Vec<_> = page["components"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|one| one["repository"].clone())
                .collect();
            let allowed: Vec<_> = names
                .iter()
                .filter(|name| expected.iter().any(|allowed| name == allowed))
                .collect();
            assert_eq!(allowed.len(), names.len(), "{query}: {names:?}");
            if query.is_empty() {
                assert_eq!(names, expected);
            }
        }
    }
}

#[tokio::test]
async fn a_search_that_makes_no_sense_is_refused() {
    let registry = TestRegistry::start().await;
    let many = format!("imports_only={}", vec!["wasi:io"; 21].join(","));
    for query in [
        "license=%00",
        "language=%00",
        "kind=a%00",
        &many,
        "exports=",
        "exports=a%20b",
        "exports=wasi:http@newest",
        "colour=red",
        "n=x",
        "cursor=x",
        "max_size=-1",
        "imports=%27%3B--",
    ] {
        refused(
            registry.send("GET", &format!("/api/v1/search?{query}")).await,
            400,
            "UNSUPPORTED",
        )
        .await;
    }
}
