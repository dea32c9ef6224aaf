//! `wreg check`.

use wreg_harness::{RegistryProcess, fixtures::wat};

use crate::{
    interfaces::{greeter, package, with_section},
    wreg::User,
};

const HELLO: &str = "hello: func(name: string) -> string;";

/// A repository with these tags, all of the same greeter, and its name.
fn repository(registry: &RegistryProcess, user: &User, tags: &[&str]) -> String {
    let repository = format!("{}/acme/hello", registry.address());
    let file = user.file("there.wasm", greeter("1.0.0", HELLO));
    for tag in tags {
        user.run(&["push", &file, &format!("{repository}:{tag}")]).yes();
    }
    repository
}

#[test]
fn a_version_that_says_too_little_is_refused_with_the_one_that_would_do() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    let repository = repository(&registry, &user, &["1.2.0"]);
    let more = user.file("more.wasm", greeter("1.0.0", &format!("{HELLO} bye: func();")));
    let less = user.file("less.wasm", greeter("1.0.0", "bye: func();"));
    let same = user.file("same.wasm", with_section(&greeter("1.0.0", HELLO), "other", b"bytes"));
    for (file, version, code, first_line) in [
        (&more, "1.3.0", 0, "more.wasm may be 1.3.0: minor after 1.2.0"),
        (
            &more,
            "1.2.1",
            1,
            "more.wasm cannot be 1.2.1: minor after 1.2.0, so 1.3.0 or later",
        ),
        (
            &less,
            "1.3.0",
            1,
            "less.wasm cannot be 1.3.0: major after 1.2.0, so 2.0.0 or later",
        ),
        (&less, "2.0.0-rc.1", 0, "less.wasm may be 2.0.0-rc.1: major after 1.2.0"),
        (&same, "1.2.1", 0, "same.wasm may be 1.2.1: same after 1.2.0"),
        (
            &same,
            "1.2.0",
            1,
            "same.wasm cannot be 1.2.0: same after 1.2.0, so 1.2.1 or later",
        ),
    ] {
        let run = user.run(&["check", file, &repository, "--version", version]);
        assert_eq!((run.code, run.stderr.as_str()), (code, ""), "{run:?}");
        assert_eq!(run.text().lines().next(), Some(first_line));
    }
    let run = user.run(&["check", &less, &repository, "--version", "1.3.0"]);
    let told = "breaking changes:\n  export acme:hello/greet@1.0.0: the function `hello` is gone\n";
    assert!(run.text().contains(told), "{run:?}");
    let json = user
        .run(&["check", &less, &repository, "--version", "1.3.0", "--format", "json"])
        .json();
    assert_eq!(
        (
            &json["enough"],
            &json["next_version"],
            &json["level"],
            &json["old_version"]
        ),
        (&false.into(), &"2.0.0".into(), &"major".into(), &"1.2.0".into())
    );
    assert_eq!(json["changes"][0]["kind"], "function-removed");
    // What is there already may be there.
    let there = user
        .run(&["check", "there.wasm", &repository, "--version", "1.2.0"])
        .yes();
    assert!(
        there.text().starts_with("there.wasm may be 1.2.0: same after 1.2.0\n"),
        "{there:?}"
    );
}

#[test]
fn a_repository_stands_for_its_highest_release() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    let tags = ["1.9.0", "1.10.0", "2.0.0-rc.1", "latest", "v9.0.0"];
    let repository = repository(&registry, &user, &tags);
    let more = user.file("more.wasm", greeter("1.0.0", &format!("{HELLO} bye: func();")));
    let check = |reference: &str, version: &str| user.run(&["check", &more, reference, "--version", version]);
    let text = check(&repository, "1.11.0").yes().text();
    assert!(
        text.starts_with("more.wasm may be 1.11.0: minor after 1.10.0\n"),
        "{text}"
    );
    assert_eq!(check(&repository, "1.10.1").code, 1);
    // An older line is mended by naming it.
    check(&format!("{repository}:1.9.0"), "1.10.0").yes();
    let rc = check(&format!("{repository}:2.0.0-rc.1"), "2.0.0-rc.2").yes();
    assert!(rc.text().contains("after 2.0.0-rc.1\n"), "{rc:?}");
}

#[test]
fn the_file_can_say_its_version_itself() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    let reference = format!("{}/acme/wit:0.2.0", registry.address());
    let wit = |version: &str, functions: &str| {
        package(&format!(
            "package acme:hello@{version}; interface greet {{ {functions} }}"
        ))
    };
    let old = user.file("old.wasm", wit("0.2.0", "hello: func();"));
    user.run(&["push", &old, &reference]).yes();
    let new = user.file("new.wasm", wit("0.2.1", "hello: func(); bye: func();"));
    let text = user.run(&["check", &new, &reference]).yes().text();
    assert!(text.starts_with("new.wasm may be 0.2.1: minor after 0.2.0\n"), "{text}");
    let broken = user.file("broken.wasm", wit("0.2.1", "bye: func();"));
    assert_eq!(user.run(&["check", &broken, &reference]).code, 1);

    let repository = repository(&registry, &user, &["1.2.0"]);
    let known = with_section(&greeter("1.0.0", &format!("{HELLO} bye: func();")), "version", b"1.3.0");
    let known = user.file("known.wasm", known);
    user.run(&["check", &known, &repository]).yes();
}

#[test]
fn without_a_version_there_is_advice_and_no_answer() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    let repository = repository(&registry, &user, &["1.2.0", "latest"]);
    let file = user.file("more.wasm", greeter("1.0.0", &format!("{HELLO} bye: func();")));
    let run = user
        .run(&["check", &file, &repository])
        .saying("hint: say with --version");
    assert_eq!(run.code, 2);
    assert!(
        run.text()
            .starts_with("more.wasm should be 1.3.0 or later: minor after 1.2.0\n"),
        "{run:?}"
    );
    user.run(&["check", &file, &format!("{repository}:latest"), "--version", "1.3.0"])
        .unknown()
        .saying("has no version");
    user.run(&["check", &file, &repository, "--version", "1.3"])
        .ended_in_usage("unexpected end of input");
}

#[test]
fn what_cannot_be_compared_is_no_answer() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    let repository = repository(&registry, &user, &["1.2.0"]);
    let module = user.file("module.wasm", wat::module());
    user.run(&["check", &module, &repository, "--version", "1.3.0"])
        .unknown()
        .saying("the two cannot be compared")
        .saying("a core module has no WIT");
    let file = user.file("hello.wasm", greeter("1.0.0", HELLO));
    let none = format!("{}/acme/none", registry.address());
    user.run(&["check", &file, &none, "--version", "1.0.0"]).unknown();
    let tag = format!("{repository}:7.0.0");
    user.run(&["check", &file, &tag, "--version", "8.0.0"]).unknown();
    let untagged = format!("{}/acme/untagged", registry.address());
    user.run(&["push", &file, &format!("{untagged}:edge")]).yes();
    user.run(&["check", &file, &untagged, "--version", "1.0.0"])
        .unknown()
        .saying("no tag of")
        .saying("hint: any version will do for the first one");
    let cut = user.file("cut.wasm", &greeter("1.0.0", HELLO)[..50]);
    user.run(&["check", &cut, &repository, "--version", "1.3.0"])
        .no()
        .saying("cut.wasm is not valid WebAssembly");
}
