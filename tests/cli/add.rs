//! `wreg add`.

use std::fs;

use wreg_harness::{RegistryProcess, fixtures::wit};

use crate::{
    project::{GREET, TYPES, WORLD, deps, push, push_types, text, with_packages},
    wreg::{User, names},
};

const EMPTY: &str = "package acme:app;\n\nworld app {\n}\n";

/// A user whose project refers to nothing yet.
fn beginner(registry: &RegistryProcess) -> User {
    let user = with_packages(registry);
    user.file("wit/world.wit", EMPTY);
    user
}

#[test]
fn a_package_is_added_at_the_newest_version() {
    let registry = RegistryProcess::start();
    let user = beginner(&registry);
    for version in ["1.2.0", "1.10.0", "2.0.0-rc.1"] {
        push_types(&registry, version);
    }
    let run = user.run(&["add", "acme:types"]).yes();
    let run = run.saying("hint: in a world of yours: import acme:types/names@1.10.0;");
    assert!(run.line().starts_with("acme:types@1.10.0 sha256:"), "{run:?}");
    assert_eq!(
        text(&user, "wkg.toml"),
        "[overrides]\n\"acme:types\" = { version = \"=1.10.0\" }\n"
    );
    assert_eq!(names(&deps(&user)), ["acme-types-1.10.0"]);
    user.run(&["lock", "--check"]).yes();
    // What the hint says is all that is missing.
    user.file(
        "wit/world.wit",
        EMPTY.replace("{\n", "{\n  import acme:types/names@1.10.0;\n"),
    );
    wit::packages(&user.work().join("wit")).expect("it resolves");
    user.run(&["fetch", "--locked"]).yes();
}

#[test]
fn a_requirement_is_kept_as_it_was_typed() {
    let registry = RegistryProcess::start();
    let user = beginner(&registry);
    for version in ["1.2.0", "1.3.0", "2.0.0"] {
        push_types(&registry, version);
    }
    for (typed, version, kept) in [
        ("acme:types@^1", "1.3.0", "^1"),
        ("acme:types@~1.2", "1.2.0", "~1.2"),
        ("acme:types@>=1, <1.3", "1.2.0", ">=1, <1.3"),
        ("acme:types@1.0.0", "1.0.0", "=1.0.0"),
        ("acme:types", "2.0.0", "=2.0.0"),
    ] {
        let json = user.run(&["add", typed, "--format", "json"]).yes().json();
        let added = &json["packages"][0];
        assert_eq!(
            (&added["version"], &added["requirement"]),
            (&version.into(), &kept.into())
        );
        assert_eq!(
            added["interfaces"],
            serde_json::json!([format!("acme:types/names@{version}")])
        );
        assert_eq!(
            text(&user, "wkg.toml"),
            format!("[overrides]\n\"acme:types\" = {{ version = \"{kept}\" }}\n")
        );
        assert_eq!(names(&deps(&user)), [format!("acme-types-{version}")]);
    }
}

#[test]
fn several_are_added_at_once_and_what_stood_in_the_manifest_stays() {
    let registry = RegistryProcess::start();
    let user = beginner(&registry);
    user.file("wkg.toml", "# Ours.\n[metadata]\nauthors = \"Ada\" # Lovelace\n");
    let run = user.run(&["add", "acme:greet", "acme:types@1.0.0"]).yes();
    assert_eq!(run.text().lines().count(), 2);
    assert_eq!(
        text(&user, "wkg.toml"),
        "# Ours.\n[metadata]\nauthors = \"Ada\" # Lovelace\n\n[overrides]\n\"acme:greet\" = { version = \"=1.0.0\" }\n\
         \"acme:types\" = { version = \"=1.0.0\" }\n"
    );
    assert_eq!(text(&user, "wkg.lock").matches("[[packages]]").count(), 2);
}

#[test]
fn what_the_text_names_already_needs_no_entry() {
    let registry = RegistryProcess::start();
    let user = with_packages(&registry);
    user.run(&["add", "acme:greet"]).yes();
    assert_eq!(user.names(), ["wit", "wkg.lock"]);
    // A newer version counts in place of the one in the text, which has to follow.
    push(
        &registry,
        "acme/greet:1.1.0",
        &wit::package(&[TYPES], &GREET.replace("greet@1.0.0", "greet@1.1.0")),
    );
    user.run(&["add", "acme:greet"])
        .yes()
        .saying("warning: the WIT text refers to acme:greet@1.0.0, and wit/deps has acme:greet@1.1.0");
    user.file("wit/world.wit", WORLD.replace("greeting@1.0.0", "greeting@1.1.0"));
    let run = user.run(&["fetch", "--locked"]).yes();
    assert_eq!(run.stderr, "");
}

#[test]
fn what_cannot_be_added_changes_nothing() {
    let registry = RegistryProcess::start();
    let user = beginner(&registry);
    user.file("wkg.toml", "[overrides]\n\"acme:mine\" = { path = \"mine\" }\n");
    user.file("mine/mine.wit", "package acme:mine;");
    user.run(&["fetch"]).yes();
    let manifest = text(&user, "wkg.toml");
    let lock = text(&user, "wkg.lock");
    user.run(&["add", "acme:nothing"])
        .no()
        .saying("has no package acme:nothing");
    user.run(&["add", "acme:types", "acme:greet@^2"])
        .no()
        .saying("no version of acme:greet that ^2 allows");
    user.run(&["add", "acme:mine"])
        .no()
        .saying("wkg.toml says that acme:mine is in mine");
    user.run(&["add", "acme:types", "acme:types@1.0.0"])
        .ended_in_usage("named twice");
    user.file("wit/deps/own/a.wit", "package acme:a;");
    user.run(&["add", "acme:types"]).no().saying("was not put there");
    assert_eq!((text(&user, "wkg.toml"), text(&user, "wkg.lock")), (manifest, lock));
    assert_eq!(names(&deps(&user)), ["acme-mine", "own"]);
}

#[test]
fn an_interface_is_no_dependency() {
    let registry = RegistryProcess::start();
    let user = beginner(&registry);
    user.run(&["add", "acme:greet/greeting@1.0.0"])
        .ended_in_usage("leave out what follows the /");
    user.run(&["add", "acme"]).ended_in_usage("namespace:name");
    fs::remove_dir_all(user.work().join("wit")).expect("it is there");
    user.run(&["add", "acme:greet"])
        .ended_in_usage("there is no folder wit here");
}
