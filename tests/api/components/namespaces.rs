//! Namespaces and their settings.

use serde_json::{Value, json};

use crate::registry::{TestRegistry, next_page, refused};

#[tokio::test]
async fn a_namespace_comes_to_be_with_a_repository_or_a_setting() {
    let registry = TestRegistry::start().await;
    let show = async |name: &str| {
        registry
            .send("GET", &format!("/api/v1/namespace?namespace={name}"))
            .await
    };
    refused(show("acme").await, 404, "NAME_UNKNOWN").await;
    for repository in ["acme/one", "acme/two/deep", "acme", "acme-x/one"] {
        registry.push_image(repository, "latest", b"layer").await;
    }
    let shown: Value = show("acme").await.json().await.expect("JSON");
    let expected = json!({
        "name": "acme", "components": "warn", "versions": "wasm", "compatibility": "warn", "signing": "inherit", "pull": "off", "signers": [],
        "repositories": 3,
    });
    assert_eq!(shown, expected);
    let change = json!({ "components": "enforce", "versions": "all" }).to_string();
    let answer = registry
        .send_body("PATCH", "/api/v1/namespace?namespace=new", change)
        .await;
    assert_eq!(answer.status(), 200);
    let changed: Value = answer.json().await.expect("JSON");
    let expected = json!({
        "name": "new", "components": "enforce", "versions": "all", "compatibility": "warn", "signing": "inherit", "pull": "off", "signers": [],
        "repositories": 0,
    });
    assert_eq!(changed, expected);
    assert_eq!(show("new").await.json::<Value>().await.expect("JSON"), expected);
    let events = registry
        .count("SELECT COUNT(*) FROM events WHERE kind = 'namespace-changed'")
        .await;
    assert_eq!(events, 1);
    let (mut names, mut target) = (Vec::new(), "/api/v1/namespaces?n=2".to_owned());
    loop {
        let answer = registry.send("GET", &target).await;
        let next = next_page(&answer);
        let page: Value = answer.json().await.expect("JSON");
        let page = page["namespaces"].as_array().expect("a list").iter();
        names.extend(page.map(|namespace| namespace["name"].as_str().expect("a name").to_owned()));
        match next {
            Some(next) => target = next,
            None => break,
        }
    }
    assert_eq!(names, ["acme", "acme-x", "new"]);
}

#[tokio::test]
async fn only_who_administers_the_server_sees_and_changes_namespaces() {
    let registry = TestRegistry::start().await;
    let token = registry.personal_token("ci", &["*:pull,push,delete,repo:admin"]).await;
    for (method, target) in [
        ("GET", "/api/v1/namespaces"),
        ("GET", "/api/v1/namespace?namespace=acme"),
        ("PATCH", "/api/v1/namespace?namespace=acme"),
    ] {
        let request = registry.anonymous(method, target);
        let answer = request.bearer_auth(&token).body("{}").send().await.expect("an answer");
        refused(answer, 403, "DENIED").await;
    }
    for bad in ["", "a/b", "Acme", "..%2f"] {
        let target = format!("/api/v1/namespace?namespace={bad}");
        refused(registry.send("GET", &target).await, 400, "UNSUPPORTED").await;
    }
    for bad in [r#"{"components":"maybe"}"#, r#"{"owner":"me"}"#, "[]"] {
        let answer = registry
            .send_body("PATCH", "/api/v1/namespace?namespace=acme", bad)
            .await;
        refused(answer, 400, "UNSUPPORTED").await;
    }
}
