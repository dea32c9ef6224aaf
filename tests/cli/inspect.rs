//! `wreg inspect` of artifacts, and what is said of artifacts that are not as they should be.

use wreg_harness::{RegistryProcess, fixtures::wat};
use wreg_oci::{Descriptor, Digest, MediaType};

use crate::{registry::Raw, wreg::User};

#[test]
fn an_artifact_is_described_by_its_config_alone() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    let reference = format!("{}/acme/hello:1.0.0", registry.address());
    let file = user.file("hello.wasm", wat::described_component());
    let pushed = user.run(&["push", &file, &reference]).yes().line();
    // Somebody whose store is empty.
    let other = User::of(&registry);
    let run = other.run(&["inspect", &reference]).yes();
    let text = run.text();
    assert!(text.starts_with(&format!("{pushed}: component\n")), "{text}");
    assert!(text.contains("  exports     wreg:demo/adder@0.1.0\n"), "{text}");
    assert!(text.contains("org.opencontainers.image.version = 1.2.3\n"), "{text}");
    let layer = Digest::sha256(wat::described_component());
    assert!(
        text.contains(&format!("  layers      {layer} application/wasm ")),
        "{text}"
    );
    assert!(
        !other.store().join("sha256").join(layer.encoded()).exists(),
        "the binary was fetched"
    );

    let json = other
        .run(&["inspect", &reference, "--deep", "--format", "json"])
        .yes()
        .json();
    assert_eq!(
        (&json["wasm_from"], &json["mismatches"]),
        (&"bytes".into(), &serde_json::json!([]))
    );
    assert_eq!(json["wasm"]["metadata"]["authors"], "Ada Lovelace");
    assert!(other.store().join("sha256").join(layer.encoded()).exists());
    let wit = other.run(&["inspect", &reference, "--wit"]).yes().text();
    assert!(wit.contains("export wreg:demo/adder@0.1.0;"), "{wit}");
}

/// **W02** A core module whose config calls it a component, and the reverse → a warning names the contradiction; the bytes are pulled as they are.
#[test]
fn a_config_that_lies_about_the_kind_is_named() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    let raw = Raw::new(&registry);
    for (repository, bytes, os, component, words) in [
        (
            "lie/module",
            wat::module(),
            "wasip2",
            r#"{"exports":[],"imports":[]}"#,
            "the bytes are a core module",
        ),
        (
            "lie/component",
            wat::component(),
            "wasip1",
            "null",
            "the bytes are a component",
        ),
    ] {
        let layer = Descriptor::of(MediaType::WASM, &bytes);
        let config = format!(
            r#"{{"architecture":"wasm","os":"{os}","layerDigests":["{}"],"component":{component}}}"#,
            layer.digest
        );
        let reference = raw.push(repository, &config, &layer, &bytes);
        user.run(&["pull", &reference, "-o", "x.wasm"])
            .yes()
            .saying(&format!("warning: {}", "the config says"))
            .saying(words);
        assert_eq!(user.read("x.wasm"), bytes);
        user.run(&["inspect", &reference, "--deep"]).yes().saying(words);
    }
}

#[test]
fn a_config_that_lies_about_names_and_layers_is_named() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    let bytes = wat::component();
    let layer = Descriptor::of(MediaType::WASM, &bytes);
    let config = format!(
        r#"{{"architecture":"wasm","os":"wasip2","layerDigests":["{}"],
            "component":{{"exports":["wreg:demo/adder@0.2.0"],"imports":["wreg:demo/clock@0.1.0"],"target":null}}}}"#,
        Digest::sha256("something else")
    );
    let reference = Raw::new(&registry).push("lie/names", &config, &layer, &bytes);
    let run = user.run(&["pull", &reference, "--format", "json"]).yes();
    let mismatches = run.json()["mismatches"].to_string();
    for words in [
        "layerDigests",
        "exports what it does not: wreg:demo/adder@0.2.0",
        "does not say: wreg:demo/adder@0.1.0",
    ] {
        assert!(mismatches.contains(words), "{words}: {mismatches}");
        assert!(run.stderr.contains(words), "{words}: {}", run.stderr);
    }
    let shallow = user
        .run(&["inspect", &reference])
        .yes()
        .saying("warning: the config's layerDigests");
    assert!(
        shallow.text().contains("  mismatch    the config's layerDigests"),
        "{shallow:?}"
    );
}

/// **W01** Bytes in the registry that are no WebAssembly though their manifest says so → they are pulled as they are, and a warning says what they are not.
#[test]
fn bytes_that_are_no_wasm_are_pulled_with_a_warning() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    let layer = Descriptor::of(MediaType::WASM, b"#!/bin/sh\n");
    let reference = Raw::new(&registry).push("odd/script", "{}", &layer, b"#!/bin/sh\n");
    user.run(&["pull", &reference])
        .yes()
        .saying("warning: the bytes are not valid WebAssembly: not WebAssembly");
    assert_eq!(user.read("script.wasm"), b"#!/bin/sh\n");
    user.run(&["inspect", &reference, "--wit"])
        .no()
        .saying("is not valid WebAssembly");
}

#[test]
fn another_kind_of_artifact_is_called_what_it_is() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    let tar: MediaType = "application/vnd.oci.image.layer.v1.tar+gzip".parse().expect("a type");
    let layer = Descriptor::of(tar, b"tar");
    let reference = Raw::new(&registry).push("odd/image", "{}", &layer, b"tar");
    user.run(&["pull", &reference])
        .no()
        .saying("these layers: application/vnd.oci.image.layer.v1.tar+gzip")
        .saying("hint: ");
    user.run(&["inspect", &reference, "--wit"]).no();
    let json = user.run(&["inspect", &reference, "--format", "json"]).yes().json();
    assert!(json.get("wasm").is_none(), "{json}");
    assert_eq!(
        json["layers"][0]["media_type"],
        "application/vnd.oci.image.layer.v1.tar+gzip"
    );
}

#[test]
fn a_title_cannot_choose_another_folder() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    let bytes = wat::module();
    let mut layer = Descriptor::of(MediaType::WASM, &bytes);
    let title = "../../.bashrc".to_owned();
    layer
        .annotations
        .insert("org.opencontainers.image.title".to_owned(), title);
    let reference = Raw::new(&registry).push("odd/title", "{}", &layer, &bytes);
    user.run(&["pull", &reference]).yes();
    assert_eq!(user.names(), ["bashrc.wasm"]);
}

#[test]
fn an_index_is_listed_and_not_pulled() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    let raw = Raw::new(&registry);
    let (reference, child) = raw.push_index("odd/index", &wat::module());
    user.run(&["pull", &reference])
        .no()
        .saying("is an index of 1 manifests")
        .saying(child.as_str());
    assert!(
        user.run(&["inspect", &reference])
            .yes()
            .text()
            .contains(&format!("  manifests   {child} "))
    );
    let by_digest = format!("{}@{child}", reference.trim_end_matches(":1.0.0"));
    user.run(&["pull", &by_digest]).yes();
}
