//! `wreg namespace`, `search`, `show`, `versions`, `yank`, `deprecate`, and `wreg pull` of a requirement.

use wreg_harness::{RegistryProcess, fixtures::wat};
use wreg_oci::Digest;

use crate::wreg::User;

/// A user who has pushed these versions of `acme/hello`, each with other bytes.
fn pushed(registry: &RegistryProcess, versions: &[&str]) -> User {
    let user = User::of(registry);
    for version in versions {
        let file = user.file("source.wasm", wat::component_with(version));
        let reference = format!("{}/acme/hello:{}", registry.address(), version.replace('+', "_"));
        user.run(&["push", &file, &reference]).yes();
    }
    user
}

#[test]
fn versions_are_listed_and_the_highest_that_is_allowed_is_pulled() {
    let registry = RegistryProcess::start();
    let host = registry.address();
    let user = pushed(&registry, &["1.2.0", "1.10.0+build.7", "2.0.0-rc.1", "0.3.0"]);
    let text = user.run(&["versions", &format!("{host}/acme/hello")]).yes().text();
    let listed: Vec<_> = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(listed, ["2.0.0-rc.1", "1.10.0+build.7", "1.2.0", "0.3.0"]);
    for (wanted, version) in [
        ("@^1.2", "1.10.0+build.7"),
        ("@~1.2", "1.2.0"),
        ("@0.3", "0.3.0"),
        ("@*", "1.10.0+build.7"),
        ("", "1.10.0+build.7"),
        (":latest", "1.10.0+build.7"),
    ] {
        let wanted = format!("{host}/acme/hello{wanted}");
        user.run(&["pull", &wanted, "-o", "pulled.wasm"]).yes();
        assert_eq!(user.read("pulled.wasm"), wat::component_with(version), "{wanted}");
    }
    user.run(&["pull", &format!("{host}/acme/hello@^3")])
        .no()
        .saying("no version of")
        .saying("wreg versions");
    user.run(&["pull", &format!("{host}/acme/hello@newest")])
        .unknown()
        .saying("neither a digest nor a requirement");
}

#[test]
fn a_requirement_names_a_version_wherever_an_artifact_is_named() {
    let registry = RegistryProcess::start();
    let host = registry.address();
    let user = pushed(&registry, &["1.2.0", "1.10.0", "2.0.0"]);
    let wanted = format!("{host}/acme/hello@^1.2");
    let versions = user
        .run(&["versions", &format!("{host}/acme/hello"), "--format", "json"])
        .yes()
        .json();
    assert_eq!(versions["versions"][1]["tag"], "1.10.0");
    let manifest = versions["versions"][1]["digest"].as_str().expect("a digest");
    let layer = Digest::sha256(wat::component_with("1.10.0")).to_string();
    let file = user.file("same.wasm", wat::component_with("1.10.0"));
    for (arguments, found) in [
        (&["show", &wanted][..], manifest),
        (&["inspect", &wanted, "--deep"], &layer),
        (&["wit", &wanted], "world"),
        (&["size", &wanted], manifest),
        (&["diff", &wanted, &file], "the same"),
        (&["check", &file, &wanted, "--version", "1.10.1"], "1.10.1"),
    ] {
        let text = user.run(arguments).yes().text();
        assert!(text.contains(found), "{arguments:?}: {text}");
    }
    let none = format!("{host}/acme/hello@^3");
    for arguments in [&["show", &none][..], &["inspect", &none], &["size", &none]] {
        user.run(arguments).no().saying("no version of").saying("wreg versions");
    }
}

#[test]
fn what_is_yanked_is_passed_over_and_pulled_with_a_warning() {
    let registry = RegistryProcess::start();
    let host = registry.address();
    let user = pushed(&registry, &["1.0.0", "1.1.0"]);
    let (name, yanked) = (format!("{host}/acme/hello@^1"), format!("{host}/acme/hello:1.1.0"));
    let text = user.run(&["yank", &yanked, "--reason", "it loses data"]).yes().text();
    assert!(text.contains("yanked: it loses data"), "{text}");
    user.run(&["pull", &name, "-o", "pulled.wasm"]).yes();
    assert_eq!(user.read("pulled.wasm"), wat::component_with("1.0.0"));
    user.run(&["pull", &yanked, "-o", "pulled.wasm"])
        .yes()
        .saying("it loses data");
    let json = user
        .run(&["versions", &format!("{host}/acme/hello"), "--format", "json"])
        .yes()
        .json();
    assert_eq!(json["versions"][0]["yanked"]["reason"], "it loses data");
    user.run(&["yank", &yanked, "--undo"]).yes();
    user.run(&["deprecate", &yanked, "--replacement", "acme/better"]).yes();
    user.run(&["pull", &name, "-o", "pulled.wasm"])
        .yes()
        .saying("use acme/better instead");
    assert_eq!(user.read("pulled.wasm"), wat::component_with("1.1.0"));
    user.run(&["yank", &yanked, "--reason", ""]).unknown();
    user.run(&["yank", &format!("{host}/acme/hello:9.9.9")]).no();
}

#[test]
fn a_version_that_is_taken_is_refused_and_the_same_again_is_told() {
    let registry = RegistryProcess::start();
    let user = pushed(&registry, &["1.0.0"]);
    let reference = format!("{}/acme/hello:1.0.0", registry.address());
    let other = user.file("other.wasm", wat::component_with("other"));
    user.run(&["push", &other, &reference]).no().saying("1.0.0 is taken");
    let same = user.file("same.wasm", wat::component_with("1.0.0"));
    user.run(&["push", &same, &reference, "--annotation", "example.again=yes"])
        .yes()
        .saying("a version is written once");
}

#[test]
fn a_namespace_is_listed_shown_and_set() {
    let registry = RegistryProcess::start();
    let host = registry.address();
    let user = pushed(&registry, &["1.0.0"]);
    let name = format!("{host}/acme");
    let text = user.run(&["namespace", "show", &name]).yes().text();
    assert!(text.contains("  components     warn\n"), "{text}");
    let set = ["namespace", "set", &name, "--components", "enforce", "--format", "json"];
    let json = user.run(&set).yes().json();
    assert_eq!(
        (&json["components"], &json["versions"]),
        (&"enforce".into(), &"wasm".into())
    );
    let line = user.run(&["namespace", "list", &host.to_string()]).yes().line();
    assert!(
        line.starts_with(&name) && line.contains("enforce") && line.ends_with("1 repository"),
        "{line}"
    );
    let broken = user.file("broken.wasm", b"no WebAssembly");
    user.run(&["push", &broken, &format!("{host}/acme/broken:1.0.0")]).no();
    user.run(&["namespace", "show", &format!("{host}/acme/hello")])
        .unknown()
        .saying("its namespace is");
    user.run(&["namespace", "show", &format!("{host}/none")]).no();
}

#[test]
fn a_namespace_asks_for_signatures_of_what_is_pulled() {
    let registry = RegistryProcess::start();
    let host = registry.address();
    let user = pushed(&registry, &["1.0.0"]);
    let (name, reference) = (format!("{host}/acme"), format!("{host}/acme/hello:1.0.0"));
    user.run(&[
        "repository",
        "set",
        &format!("{host}/acme/hello"),
        "--visibility",
        "public",
    ])
    .yes();
    user.run(&["key", "generate", "acme"]).yes();
    let set = |more: &[&str]| user.run(&[&["namespace", "set", &name][..], more].concat());
    set(&["--pull", "enforce"]).no().saying("nobody is named");
    set(&["--signer", "acme.key"])
        .unknown()
        .saying("the public key is wanted");
    set(&["--signer", "acme.pub", "--no-signers"]).unknown();
    let text = set(&["--pull", "enforce", "--signer", "acme.pub", "--signer", "registry"])
        .yes()
        .text();
    assert!(text.contains("  pull           enforce\n"), "{text}");
    assert!(text.contains("  signers ") && text.contains(" registry\n"), "{text}");
    let json = user.run(&["namespace", "show", &name, "--format", "json"]).yes().json();
    assert_eq!(
        json["signers"][0].as_str(),
        std::str::from_utf8(&user.read("acme.pub")).ok()
    );
    set(&["--signer", "acme.pub"]).yes();
    // Whoever may push signs what nobody else gets.
    let stranger = User::new();
    stranger.run(&["pull", &reference, "-o", "pulled.wasm"]).no();
    user.run(&["sign", &reference, "--key", "acme.key"]).yes();
    stranger.run(&["pull", &reference, "-o", "pulled.wasm"]).yes();
    set(&["--pull", "off", "--no-signers"]).yes();
}

#[test]
fn a_component_is_shown_and_found() {
    let registry = RegistryProcess::start();
    let host = registry.address();
    let user = User::of(&registry);
    let reference = format!("{host}/acme/demo:1.2.3");
    let file = user.file("demo.wasm", wat::described_component());
    let by_digest = user.run(&["push", &file, &reference]).yes().line();
    let show = || {
        user.run(&["show", &reference, "--history", "--format", "json"])
            .yes()
            .json()
    };
    let mut shown = show();
    while shown["state"] == "pending" {
        shown = show();
    }
    assert_eq!(
        (&shown["reference"], &shown["layout"]),
        (&by_digest.into(), &"cncf".into())
    );
    assert_eq!(shown["wasm"]["exports"][0]["name"], "wreg:demo/adder@0.1.0");
    assert_eq!(shown["history"]["changes"].as_array().map(Vec::len), Some(1));
    let text = user.run(&["show", &reference]).yes().text();
    assert!(text.contains("wreg:demo/clock@0.1.0"), "{text}");

    let host = host.to_string();
    let search = |asked: &[&str]| user.run(&[&["search", "--registry", &host][..], asked].concat());
    // It is found as soon as it has been looked into.
    while search(&["demo", "--format", "json"]).json()["components"]
        .as_array()
        .is_none_or(Vec::is_empty)
    {}
    for asked in [
        &["adds", "numbers"][..],
        &["--exports", "wreg:demo/adder@^0.1"],
        &["--imports-only", "wreg:demo", "--license", "mit"],
    ] {
        let line = search(asked).yes().line();
        assert!(
            line.starts_with(&reference) && line.ends_with("Adds two numbers."),
            "{line}"
        );
    }
    let nothing = search(&["--imports-only", ""]);
    assert_eq!((nothing.code, nothing.text().as_str()), (1, ""));
    search(&["--exports", "a b"]).no();
}
