//! wreg's own API: which repositories there are, and their settings.

use serde_json::{Value, json};

use crate::registry::{TestRegistry, header, next_page, refused};

const LIST: &str = "/api/v1/repositories";

fn one(name: &str) -> String {
    format!("/api/v1/repository?repository={name}")
}

async fn shown(registry: &TestRegistry, name: &str) -> Value {
    let answer = registry.send("GET", &one(name)).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(header(&answer, "content-type"), "application/json");
    answer.json().await.expect("JSON")
}

async fn patch(registry: &TestRegistry, name: &str, body: impl Into<String>) -> reqwest::Response {
    registry.send_body("PATCH", &one(name), body.into()).await
}

/// The names of one page, and the path of the next one.
async fn page(registry: &TestRegistry, path: &str) -> (Vec<String>, Option<String>) {
    let answer = registry.send("GET", path).await;
    assert_eq!(answer.status(), 200, "{path}");
    let next = next_page(&answer);
    let body: Value = answer.json().await.expect("JSON");
    let repositories = body["repositories"].as_array().expect("an array").iter();
    (
        repositories
            .map(|entry| entry["name"].as_str().expect("a name").to_owned())
            .collect(),
        next,
    )
}

#[tokio::test]
async fn a_repository_is_shown_with_what_it_holds() {
    let registry = TestRegistry::start().await;
    refused(registry.send("GET", &one("acme/hello")).await, 404, "NAME_UNKNOWN").await;
    registry.push_image("acme/hello", "1.0.0", b"layer").await;
    registry.push_image("acme/hello", "latest", b"layer").await;
    registry.push_image("acme/hello", "2.0.0", b"another layer").await;
    registry.push_image("acme/other", "1.0.0", b"layer").await;
    let mut repository = shown(&registry, "acme/hello").await;
    let created_at = repository.as_object_mut().expect("an object").remove("created_at");
    assert!(created_at.and_then(|at| at.as_i64()).is_some_and(|at| at > 0));
    assert_eq!(
        repository,
        json!({
            "name": "acme/hello",
            "visibility": "private",
            "immutable_tags": "none",
            "missing_references": "reject",
            "deletable": true,
            "components": "inherit",
            "tags": 3,
            "manifests": 2,
            "size": "{}".len() + "layer".len() + "another layer".len(),
        })
    );
    assert_eq!(shown(&registry, "acme%2Fhello").await["tags"], 3);
}

#[tokio::test]
async fn settings_change_one_by_one_and_make_a_repository() {
    let registry = TestRegistry::start().await;
    let mut expected = json!({
        "name": "acme/new", "visibility": "private", "immutable_tags": "none", "missing_references": "reject", "deletable": true,
        "components": "inherit", "tags": 0, "manifests": 0, "size": 0,
    });
    for (setting, value) in [
        ("visibility", json!("public")),
        ("immutable_tags", json!("semver")),
        ("missing_references", json!("accept")),
        ("deletable", json!(false)),
        ("components", json!("enforce")),
        ("immutable_tags", json!("all")),
        ("visibility", json!("private")),
    ] {
        let answer = patch(&registry, "acme/new", json!({ setting: value }).to_string()).await;
        assert_eq!(answer.status(), 200);
        expected[setting] = value;
        let mut answered: Value = answer.json().await.expect("JSON");
        assert_eq!(shown(&registry, "acme/new").await, answered);
        answered.as_object_mut().expect("an object").remove("created_at");
        assert_eq!(answered, expected);
    }
    assert_eq!(patch(&registry, "acme/new", "{}").await.status(), 200);
    let events = registry
        .count("SELECT COUNT(*) FROM events WHERE kind = 'settings-changed'")
        .await;
    assert_eq!(events, 7);
}

#[tokio::test]
async fn settings_that_do_not_exist_are_refused_and_change_nothing() {
    let registry = TestRegistry::start().await;
    for body in [
        "",
        "null",
        "[]",
        "{",
        "{\"is_admin\":true}",
        "{\"visibility\":\"public\",\"is_admin\":true}",
        "{\"visibility\":\"Public\"}",
        "{\"visibility\":1}",
        "{\"visibility\":\"public\",\"visibility\":\"private\"}",
        "{\"deletable\":\"no\"}",
        "{\"immutable_tags\":\"some\"}",
        "{\"components\":\"on\"}",
        "{\"name\":\"acme/renamed\"}",
        "{\"created_at\":0}",
        "\u{feff}{}",
    ] {
        refused(patch(&registry, "acme/hello", body).await, 400, "UNSUPPORTED").await;
    }
    let long = format!("{{\"visibility\":\"public\"{}}}", " ".repeat(16 * 1024));
    refused(patch(&registry, "acme/hello", long).await, 413, "SIZE_INVALID").await;
    refused(registry.send("GET", &one("acme/hello")).await, 404, "NAME_UNKNOWN").await;
    assert_eq!(page(&registry, LIST).await, (vec![], None));
}

#[tokio::test]
async fn names_outside_the_grammar_are_refused() {
    let registry = TestRegistry::start().await;
    for path in [
        "/api/v1/repository",
        "/api/v1/repository?repo=a",
        &one(""),
        &one("Acme"),
        &one("a/../b"),
        &one("%00"),
        &one("a//b"),
    ] {
        refused(registry.send("GET", path).await, 400, "NAME_INVALID").await;
        refused(registry.send_body("PATCH", path, "{}").await, 400, "NAME_INVALID").await;
    }
    for (method, path, allowed) in [
        ("POST", LIST.to_owned(), "GET, HEAD"),
        ("DELETE", LIST.to_owned(), "GET, HEAD"),
        ("PUT", one("acme/hello"), "GET, HEAD, PATCH"),
        ("DELETE", one("acme/hello"), "GET, HEAD, PATCH"),
    ] {
        let answer = registry.send(method, &path).await;
        assert_eq!(header(&answer, "allow"), allowed);
        refused(answer, 405, "UNSUPPORTED").await;
    }
    refused(registry.send("GET", "/api/v1/").await, 404, "UNSUPPORTED").await;
}

#[tokio::test]
async fn repositories_are_listed_in_order_and_pages_lead_through_all() {
    let registry = TestRegistry::start().await;
    let mut names = ["b", "a/b", "a-b", "a", "a/a", "a.b", "a_b", "0", "z/z/z"].map(str::to_owned);
    for name in &names {
        registry.set(name, &json!({})).await;
    }
    names.sort_unstable();
    assert_eq!(page(&registry, LIST).await, (names.to_vec(), None));
    for n in [1, 2, 8, 9, 10, 5000] {
        let (mut found, mut next) = (Vec::new(), Some(format!("{LIST}?n={n}")));
        while let Some(path) = next {
            assert!(path.starts_with(LIST));
            let (names, after) = page(&registry, &path).await;
            found.extend(names);
            next = after;
        }
        assert_eq!(found, names, "n={n}");
    }
    assert_eq!(page(&registry, &format!("{LIST}?n=0")).await, (vec![], None));
    assert_eq!(page(&registry, &format!("{LIST}?last=a/a")).await.0, names[5..]);
    assert_eq!(page(&registry, &format!("{LIST}?last=%00&n=1")).await.0, names[..1]);
    for n in ["-1", "abc", "9223372036854775808"] {
        refused(registry.send("GET", &format!("{LIST}?n={n}")).await, 400, "UNSUPPORTED").await;
    }
}

#[tokio::test]
async fn a_page_has_a_hundred_repositories_unless_more_are_asked_for() {
    let registry = TestRegistry::start().await;
    let names: Vec<String> = (0..105).map(|i| format!("acme/r{i:03}")).collect();
    for name in &names {
        registry.set(name, &json!({})).await;
    }
    let (first, next) = page(&registry, LIST).await;
    assert_eq!(first, names[..100]);
    assert_eq!(
        page(&registry, &next.expect("there is more")).await,
        (names[100..].to_vec(), None)
    );
    assert_eq!(page(&registry, &format!("{LIST}?n=1000")).await, (names, None));
}

#[tokio::test]
async fn only_the_administrator_lists_and_changes_repositories() {
    let registry = TestRegistry::start().await;
    registry.set("acme/public", &json!({ "visibility": "public" })).await;
    registry.set("acme/private", &json!({})).await;
    for (method, path, status) in [
        ("GET", LIST.to_owned(), 401),
        ("GET", one("acme/private"), 401),
        ("GET", one("acme/absent"), 401),
        ("PATCH", one("acme/public"), 401),
    ] {
        let request = registry.anonymous(method, &path).body("{\"visibility\":\"private\"}");
        let answer = request.send().await.expect("an answer");
        assert!(header(&answer, "www-authenticate").starts_with("Bearer "));
        refused(answer, status, "UNAUTHORIZED").await;
    }
    let answer = registry
        .anonymous("GET", &one("acme/public"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 200);
    assert_eq!(shown(&registry, "acme/public").await["visibility"], "public");
}
