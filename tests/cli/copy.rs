//! `wreg copy`.

use wreg_harness::{RegistryProcess, fixtures::wat};
use wreg_oci::Digest;

use crate::{registry::Raw, wreg::User};

/// A user who is logged in to both.
fn user_of(registries: [&RegistryProcess; 2]) -> User {
    let user = User::new();
    for registry in registries {
        let login = ["login", &registry.address().to_string(), "--token-stdin"];
        user.run_with_input(&login, registry.admin_token().as_bytes()).yes();
    }
    user
}

#[test]
fn a_copy_within_a_registry_sends_nothing() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    let host = registry.address();
    let file = user.file("hello.wasm", wat::component());
    let source = user
        .run(&["push", &file, &format!("{host}/acme/hello:1.0.0")])
        .yes()
        .line();
    let json = user
        .run(&[
            "copy",
            &format!("{host}/acme/hello:1.0.0"),
            &format!("{host}/other/name:2.0.0"),
            "--format",
            "json",
        ])
        .yes()
        .json();
    assert_eq!(
        (&json["blobs_sent"], &json["blobs_there"]),
        (&0.into(), &2.into()),
        "{json}"
    );
    assert_eq!(json["reference"], source.replace("acme/hello", "other/name"));
    user.run(&["pull", &format!("{host}/other/name:2.0.0"), "-o", "back.wasm"])
        .yes();
    assert_eq!(user.read("back.wasm"), wat::component());
}

#[test]
fn a_copy_to_another_registry_keeps_the_digest() {
    let (from, to) = (RegistryProcess::start(), RegistryProcess::start());
    let user = user_of([&from, &to]);
    let file = user.file("hello.wasm", wat::component());
    let source = format!("{}/acme/hello:1.0.0", from.address());
    let pushed = user.run(&["push", &file, &source]).yes().line();
    let copied = user
        .run(&["copy", &source, &format!("{}/acme/hello", to.address())])
        .yes()
        .line();
    assert_eq!(
        copied,
        pushed.replace(&from.address().to_string(), &to.address().to_string())
    );
    assert_eq!(
        user.run(&["tags", &format!("{}/acme/hello", to.address())])
            .yes()
            .line(),
        "1.0.0"
    );
    user.run(&["pull", &copied, "-o", "back.wasm"]).yes();
    assert_eq!(user.read("back.wasm"), wat::component());
}

#[test]
fn an_index_comes_with_what_it_lists_and_referrers_when_asked_for() {
    let (from, to) = (RegistryProcess::start(), RegistryProcess::start());
    let user = user_of([&from, &to]);
    let raw = Raw::new(&from);
    let (index, child) = raw.push_index("acme/index", &wat::module());
    let signature = raw.push_referrer("acme/index", &child, 1);
    let target = format!("{}/acme/index", to.address());

    let json = user.run(&["copy", &index, &target, "--format", "json"]).yes().json();
    assert_eq!(json["manifests"], 2, "{json}");
    user.run(&["pull", &format!("{target}@{child}")]).yes();
    user.run(&["inspect", &format!("{target}@{signature}")]).no();

    let json = user
        .run(&["copy", &index, &target, "--referrers", "--format", "json"])
        .yes()
        .json();
    assert_eq!(json["manifests"], 3, "{json}");
    user.run(&["inspect", &format!("{target}@{signature}")]).yes();
}

#[test]
fn a_copy_of_what_is_not_there_is_a_no() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    let host = registry.address();
    user.run(&["copy", &format!("{host}/acme/none:1"), &format!("{host}/acme/copy:1")])
        .no();
    let file = user.file("hello.wasm", wat::component());
    let pushed = user.run(&["push", &file, &format!("{host}/acme/hello:1")]).yes().line();
    let other = format!("{host}/acme/copy@{}", Digest::sha256("other"));
    user.run(&["copy", &pushed, &other])
        .no()
        .saying("the destination names");
}

#[test]
fn a_token_that_could_be_for_either_registry_is_for_neither() {
    let (from, to) = (RegistryProcess::start(), RegistryProcess::start());
    let user = User::of(&from);
    let (source, target) = (format!("{}/a/b:1", from.address()), format!("{}/a/b:1", to.address()));
    let run = user.run(&["copy", &source, &target]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.starts_with("warning: WREG_TOKEN is not used"), "{run:?}");
}
