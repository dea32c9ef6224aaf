//! `wreg repository`.

use wreg_harness::{RegistryProcess, fixtures::wat};

use crate::wreg::User;

#[test]
fn a_repository_is_private_until_it_is_made_public() {
    let registry = RegistryProcess::start();
    let host = registry.address();
    let (user, anonymous) = (User::of(&registry), User::new());
    let file = user.file("hello.wasm", wat::component());
    let reference = format!("{host}/acme/hello:1.0.0");
    user.run(&["push", &file, &reference]).yes();
    anonymous.run(&["pull", &reference]).unknown();

    let name = format!("{host}/acme/hello");
    let text = user.run(&["repository", "show", &name]).yes().text();
    assert!(text.contains("  visibility          private\n"), "{text}");
    let text = user
        .run(&["repository", "set", &name, "--visibility", "public"])
        .yes()
        .text();
    assert!(text.contains("  visibility          public\n"), "{text}");
    anonymous.run(&["pull", &reference]).yes();
    assert_eq!(anonymous.read("hello.wasm"), wat::component());
    anonymous
        .run(&["repository", "set", &name, "--visibility", "private"])
        .unknown();
}

#[test]
fn settings_change_one_by_one() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    let name = format!("{}/acme/new", registry.address());
    let set = [
        "repository",
        "set",
        &name,
        "--immutable-tags",
        "semver",
        "--deletable",
        "false",
        "--format",
        "json",
    ];
    let json = user.run(&set).yes().json();
    assert_eq!(
        (&json["immutable_tags"], &json["deletable"], &json["visibility"]),
        (&"semver".into(), &false.into(), &"private".into())
    );
    let set = [
        "repository",
        "set",
        &name,
        "--missing-references",
        "accept",
        "--format",
        "json",
    ];
    let json = user.run(&set).yes().json();
    assert_eq!(
        (&json["missing_references"], &json["immutable_tags"]),
        (&"accept".into(), &"semver".into())
    );
    let listed = user
        .run(&["repository", "list", &registry.address().to_string()])
        .yes()
        .line();
    assert!(
        listed.starts_with(&name) && listed.contains("private") && listed.contains("0 tags"),
        "{listed}"
    );
}

#[test]
fn a_version_that_may_not_move_does_not_move() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    let name = format!("{}/acme/hello", registry.address());
    user.run(&["repository", "set", &name, "--immutable-tags", "semver"])
        .yes();
    let (one, two) = (
        user.file("1.wasm", wat::component()),
        user.file("2.wasm", wat::component_with("2")),
    );
    let version = format!("{name}:1.0.0");
    user.run(&["push", &one, &version]).yes();
    user.run(&["push", &one, &version]).yes();
    user.run(&["push", &two, &version]).no();
    user.run(&["push", &two, &name]).yes();
    user.run(&["push", &one, &name]).yes();
}

#[test]
fn a_setting_that_is_none_is_refused() {
    let user = User::new();
    user.run(&["repository", "set", "localhost:1/a", "--visibility", "secret"])
        .ended_in_usage("private, public");
    user.run(&["repository", "set", "localhost:1/a"])
        .ended_in_usage("--visibility");
}
