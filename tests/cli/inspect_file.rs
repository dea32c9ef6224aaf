//! `wreg inspect` of files.

use wreg_harness::fixtures::{self, wat};
use wreg_oci::Digest;

use crate::wreg::User;

#[test]
fn a_file_is_described_with_its_digest() {
    let user = User::new();
    let bytes = wat::described_component();
    let file = user.file("demo.wasm", &bytes);
    let json = user.run(&["inspect", &file, "--format", "json"]).yes().json();
    assert_eq!((&json["source"], &json["wasm_from"]), (&"file".into(), &"bytes".into()));
    assert_eq!(json["digest"], Digest::sha256(&bytes).as_str());
    assert_eq!(json["wasm"]["metadata"]["version"], "1.2.3");
    let text = user.run(&["inspect", &file]).yes().text();
    assert!(text.starts_with("demo.wasm: component\n"), "{text}");
    assert!(text.contains("  homepage    https://example.com/demo\n"), "{text}");
}

#[test]
fn the_wit_text_stands_alone() {
    let user = User::new();
    let file = user.file("demo.wasm", wat::component());
    let run = user.run(&["inspect", &file, "--wit"]).yes();
    let text = run.text();
    assert!(text.starts_with("package root:component;"), "{text}");
    assert!(text.contains("import wreg:demo/clock@0.1.0;"), "{text}");
    assert_eq!(run.stderr, "");
    assert_eq!(
        user.run(&["inspect", &file, "--wit", "--format", "json"]).yes().json()["wit"],
        text
    );
}

#[test]
fn a_core_module_has_no_wit() {
    let user = User::new();
    let file = user.file("module.wasm", wat::module());
    user.run(&["inspect", &file, "--wit"])
        .no()
        .saying("a core module has no WIT");
}

#[test]
fn what_exists_is_a_file_and_everything_else_a_reference() {
    let user = User::new();
    // A name that would be a reference, too.
    let file = user.file("localhost/hello", wat::module());
    user.run(&["inspect", &file]).yes();
    user.run(&["inspect", "hello.wasm"])
        .unknown()
        .saying("there is no file hello.wasm, and it is not a reference either");
    user.run(&["inspect", "./localhost/none"])
        .unknown()
        .saying("No such file");
}

#[test]
fn text_in_a_component_cannot_steer_the_terminal() {
    let user = User::new();
    let text = "(component (@custom \"description\" \"x\\1b[2J\\0a  digest      sha256:0\"))";
    let file = user.file("evil.wasm", wat::encode(text));
    let text = user.run(&["inspect", &file]).yes().text();
    assert!(!text.contains('\u{1b}'), "{text}");
    assert_eq!(text.matches("\n  digest ").count(), 1, "{text}");
}

#[test]
fn an_invalid_file_is_refused() {
    let user = User::new();
    let file = user.file("cut.wasm", &wat::component()[..50]);
    user.run(&["inspect", &file])
        .no()
        .saying("cut.wasm is not valid WebAssembly: the file is cut off");
}

#[test]
fn the_wit_of_a_real_component_is_shown() {
    let Some(path) = fixtures::path("python.wasm") else {
        return;
    };
    let run = User::new()
        .run(&["inspect", &path.display().to_string(), "--wit"])
        .yes();
    assert!(run.text().contains("export wreg:hello/greet@0.1.0;"), "{}", run.text());
}
