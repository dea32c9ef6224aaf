//! CycloneDX documents.

use miniz_oxide::deflate::compress_to_vec_zlib;
use serde_json::{Value, json};
use wreg_component::{DependencyList, dependency_list, inspect, sbom};
use wreg_oci::Digest;

use crate::samples;

const LIST: &str = r#"{"packages":[
    {"name":"serde","version":"1.0.228","source":"crates.io"},
    {"name":"cc","version":"1.2.0","source":"crates.io","kind":"build"},
    {"name":"serde","version":"1.0.228","source":"crates.io","kind":"build"},
    {"name":"fork","version":"0.3.0+x","source":"git"},
    {"name":"hello","version":"0.1.0","source":"local","root":true}]}"#;

/// A section with a list of packages.
fn listed(json: &str) -> Vec<u8> {
    samples::custom_section(".dep-v0", &compress_to_vec_zlib(json.as_bytes(), 6))
}

fn list(bytes: &[u8]) -> DependencyList {
    dependency_list(bytes).expect("the sample is valid")
}

fn text(bytes: &[u8], created: Option<&str>) -> Vec<u8> {
    let inspection = inspect(bytes).expect("the sample is valid");
    sbom(&inspection, &list(bytes), &Digest::sha256(bytes), created)
}

fn document(bytes: &[u8]) -> Value {
    serde_json::from_slice(&text(bytes, None)).expect("it is JSON")
}

#[test]
fn the_document_names_the_file_and_what_it_is_made_from() {
    let bytes = [samples::component(), listed(LIST)].concat();
    let digest = Digest::sha256(&bytes);
    let bom = document(&bytes);
    assert_eq!(
        (&bom["bomFormat"], &bom["specVersion"]),
        (&json!("CycloneDX"), &json!("1.6"))
    );
    let whole = &bom["metadata"]["component"];
    assert_eq!(
        (&whole["type"], &whole["name"], &whole["version"]),
        (&json!("application"), &json!("greeter"), &json!("0.1.0"))
    );
    assert_eq!(
        whole["hashes"],
        json!([{ "alg": "SHA-256", "content": digest.encoded() }])
    );
    assert_eq!(
        bom["components"],
        json!([
            {
                "type": "library", "bom-ref": "pkg:cargo/cc@1.2.0", "name": "cc", "version": "1.2.0", "scope": "excluded",
                "purl": "pkg:cargo/cc@1.2.0"
            },
            {
                "type": "library", "bom-ref": "git:fork@0.3.0%2Bx", "name": "fork", "version": "0.3.0+x", "scope": "required",
                "properties": [{ "name": "wreg:source", "value": "git" }]
            },
            {
                "type": "application", "bom-ref": "local:hello@0.1.0", "name": "hello", "version": "0.1.0", "scope": "required",
                "properties": [{ "name": "wreg:source", "value": "local" }]
            },
            {
                "type": "library", "bom-ref": "pkg:cargo/serde@1.0.228", "name": "serde", "version": "1.0.228", "scope": "required",
                "purl": "pkg:cargo/serde@1.0.228"
            },
        ])
    );
    assert_eq!(
        bom["compositions"][0],
        json!({ "aggregate": "unknown", "assemblies": [digest.to_string()] })
    );
}

#[test]
fn what_the_file_says_of_itself_is_told_where_the_schema_takes_it() {
    let section = |name: &str, text: &str| samples::custom_section(name, text.as_bytes());
    let bytes = [
        samples::module(),
        section("version", &"1".repeat(4096)),
        section("licenses", "Apache-2.0 OR none"),
        section("source", "https://acme.example/hello"),
        section("homepage", "javascript:alert(1)"),
        section("authors", "Acme"),
    ]
    .concat();
    let whole = document(&bytes)["metadata"]["component"].clone();
    assert_eq!(whole["version"].as_str().map(str::len), Some(1024));
    assert_eq!(
        whole["licenses"],
        json!([{ "license": { "name": "Apache-2.0 OR none" } }])
    );
    assert_eq!(
        whole["externalReferences"],
        json!([{ "url": "https://acme.example/hello", "type": "vcs" }])
    );
    assert_eq!(whole["authors"], json!([{ "name": "Acme" }]));
}

#[test]
fn the_same_bytes_give_the_same_document_and_others_another_number() {
    let bytes = [samples::component(), listed(LIST)].concat();
    assert_eq!(text(&bytes, None), text(&bytes, None));
    let serial = |bytes: &[u8]| document(bytes)["serialNumber"].as_str().expect("a number").to_owned();
    let number = serial(&bytes);
    assert_ne!(number, serial(&samples::component()));
    let uuid = number.strip_prefix("urn:uuid:").expect("a UUID");
    let parts: Vec<_> = uuid.split('-').map(str::len).collect();
    assert_eq!(parts, [8, 4, 4, 4, 12]);
    let mut other: Value = serde_json::from_slice(&text(&bytes, Some("2026-01-02T03:04:05Z"))).expect("it is JSON");
    assert_eq!(other["metadata"]["timestamp"], "2026-01-02T03:04:05Z");
    assert_ne!(other["serialNumber"], json!(number));
    other["metadata"]
        .as_object_mut()
        .expect("an object")
        .remove("timestamp");
    other["serialNumber"] = json!(number);
    assert_eq!(other, document(&bytes));
}

#[test]
fn a_list_that_cannot_be_relied_on_is_told_from_one_that_can() {
    let found = list(&[samples::component(), listed(LIST)].concat());
    assert_eq!((found.lists, found.incomplete, found.programs.len()), (1, false, 1));
    let none = list(&samples::component());
    assert_eq!(none, DependencyList::default());
    for broken in [b"".as_slice(), b"no zlib", &compress_to_vec_zlib(b"{}", 6)] {
        let broken = [samples::component(), samples::custom_section(".dep-v0", broken)].concat();
        assert_eq!((list(&broken).lists, list(&broken).incomplete), (0, true));
        assert_eq!(document(&broken)["compositions"][0]["aggregate"], "incomplete");
        assert_eq!(list(&[broken, listed(LIST)].concat()).lists, 1);
    }
    let many: Vec<_> = (0..6_000)
        .map(|index| format!(r#"{{"name":"p{index}","version":"1.0.0","source":"local"}}"#))
        .collect();
    let many = list(
        &[
            samples::component(),
            listed(&format!(r#"{{"packages":[{}]}}"#, many.join(","))),
        ]
        .concat(),
    );
    assert_eq!((many.dependencies.len(), many.incomplete), (5_000, true));
}

#[test]
fn names_without_end_and_without_sense_make_a_document_all_the_same() {
    let packages = json!({ "packages": [
        { "name": "a".repeat(100_000), "version": "1".repeat(100_000), "source": "crates.io" },
        { "name": "", "version": "", "source": "" },
        { "name": "\u{202e}\u{1b}[2J\n", "version": "\"\\", "source": "pkg:cargo/serde@1.0.0" },
    ] });
    let bom = document(&[samples::module(), listed(&packages.to_string())].concat());
    let components = bom["components"].as_array().expect("a list");
    assert_eq!(components.len(), 3);
    let refs: std::collections::BTreeSet<_> = components.iter().map(|part| part["bom-ref"].to_string()).collect();
    assert_eq!(refs.len(), 3);
    for part in components {
        assert!(
            part["version"]
                .as_str()
                .is_some_and(|version| version.chars().count() <= 1024)
        );
    }
}
