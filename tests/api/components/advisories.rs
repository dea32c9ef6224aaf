//! What is told of components that were made from what an advisory is about.

use std::{fs, path::Path};

use serde_json::{Value, json};
use tempfile::TempDir;
use wreg_harness::fixtures::wat;
use wreg_registry::StartError;

use super::{push, shown, warnings};
use crate::registry::{Options, TestRegistry};

const PACKAGES: &str = r#"[{"name":"mdbook","version":"0.4.4","source":"crates.io"},
    {"name":"builder","version":"0.1.0","source":"crates.io","kind":"build"},
    {"name":"serde","version":"1.0.228","source":"crates.io"}]"#;

const ADVISORY: &str = "RUSTSEC-2021-0001: mdbook 0.4.4: XSS in \"search\" (fixed in >= 0.4.5)";

/// A database with an advisory about `mdbook` and one about `builder`.
fn database() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (id, package) in [("RUSTSEC-2021-0001", "mdbook"), ("RUSTSEC-2021-0002", "builder")] {
        let text = format!(
            "```toml\n[advisory]\nid = \"{id}\"\npackage = \"{package}\"\n[versions]\npatched = [\">= 0.4.5\"]\n```\n# XSS in \"search\"\n"
        );
        write(&folder.path().join(format!("crates/{package}/{id}.md")), &text);
    }
    write(&folder.path().join("README.md"), "# Advisories");
    write(&folder.path().join("half.json"), "{");
    folder
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder can be made");
    fs::write(path, text).expect("a file can be written");
}

async fn registry(database: &Path) -> TestRegistry {
    TestRegistry::with(options(database)).await
}

fn options(database: &Path) -> Options {
    Options {
        config: format!("advisories = {:?}\n", database.display().to_string()).leak(),
        ..Options::default()
    }
}

async fn pulled(registry: &TestRegistry, method: &str, reference: &str) -> Vec<String> {
    let answer = registry
        .send(method, &format!("/v2/acme/hello/manifests/{reference}"))
        .await;
    assert_eq!(answer.status(), 200);
    warnings(&answer)
}

fn findings(shown: &Value) -> Vec<Value> {
    let all = shown["findings"].as_array().expect("a list").iter();
    all.filter(|finding| finding["code"] == "advisory").cloned().collect()
}

#[tokio::test]
async fn a_pull_is_warned_of_advisories_about_what_the_component_is_made_from() {
    let database = database();
    let registry = registry(database.path()).await;
    push(&registry, "acme/hello", "1.0.0", &wat::component_made_of(PACKAGES)).await;
    push(&registry, "acme/hello", "2.0.0", &wat::component()).await;
    let one = shown(&registry, "acme/hello", "1.0.0").await;
    assert_eq!(findings(&one), [json!({ "code": "advisory", "message": ADVISORY })]);
    assert_eq!(
        findings(&shown(&registry, "acme/hello", "2.0.0").await),
        [] as [Value; 0]
    );
    let expected = [format!("299 - \"{}\"", ADVISORY.replace('"', "\\\""))];
    let digest = one["digest"].as_str().expect("a digest");
    for (method, reference) in [("GET", "1.0.0"), ("GET", "1.0.0"), ("HEAD", "1.0.0"), ("GET", digest)] {
        assert_eq!(
            pulled(&registry, method, reference).await,
            expected,
            "{method} {reference}"
        );
    }
    assert_eq!(pulled(&registry, "GET", "2.0.0").await, [""; 0]);
}

#[tokio::test]
async fn what_changes_in_the_folder_counts_without_a_new_start() {
    let database = database();
    let registry = registry(database.path()).await;
    push(&registry, "acme/hello", "1.0.0", &wat::component_made_of(PACKAGES)).await;
    shown(&registry, "acme/hello", "1.0.0").await;
    assert_eq!(pulled(&registry, "GET", "1.0.0").await.len(), 1);
    assert!(!registry.app.reload_advisories().expect("nothing is wrong"));
    let osv = r#"{"id":"GHSA-1","summary":"Reads\u001b too far","affected":[
        {"package":{"ecosystem":"crates.io","name":"serde"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}"#;
    write(&database.path().join("osv/GHSA-1.json"), osv);
    assert!(registry.app.reload_advisories().expect("nothing is wrong"));
    let told = pulled(&registry, "GET", "1.0.0").await;
    assert_eq!(
        (told.len(), &*told[0]),
        (2, "299 - \"GHSA-1: serde 1.0.228: Reads? too far\"")
    );
    // Where the folder cannot be read, what was read before stays.
    let gone = tempfile::tempdir().expect("a folder");
    fs::rename(database.path(), gone.path().join("moved")).expect("a folder can be moved");
    assert!(registry.app.reload_advisories().is_err());
    assert_eq!(pulled(&registry, "GET", "1.0.0").await.len(), 2);
    fs::create_dir(database.path()).expect("a folder can be made");
    assert!(registry.app.reload_advisories().expect("nothing is wrong"));
    assert_eq!(pulled(&registry, "GET", "1.0.0").await, [""; 0]);
}

#[tokio::test]
async fn without_a_folder_nothing_is_told_and_one_that_is_not_there_is_refused() {
    let registry = TestRegistry::start().await;
    push(&registry, "acme/hello", "1.0.0", &wat::component_made_of(PACKAGES)).await;
    assert_eq!(
        findings(&shown(&registry, "acme/hello", "1.0.0").await),
        [] as [Value; 0]
    );
    assert_eq!(pulled(&registry, "GET", "1.0.0").await, [""; 0]);
    assert!(!registry.app.reload_advisories().expect("there is nothing to read"));
    let absent = options(Path::new("/absent/advisories"));
    assert!(matches!(
        TestRegistry::try_with(absent).await,
        Err(StartError::Advisories(_))
    ));
}
