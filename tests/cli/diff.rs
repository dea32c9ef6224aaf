//! `wreg diff`.

use wreg_harness::{RegistryProcess, fixtures::wat};

use crate::{
    interfaces::{greeter, package, with_section},
    wreg::User,
};

const HELLO: &str = "hello: func(name: string) -> string;";

#[test]
fn what_breaks_is_told_first_with_the_version_that_it_takes() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    let reference = format!("{}/acme/hello:1.2.0", registry.address());
    let old = user.file("old.wasm", greeter("1.2.0", &format!("{HELLO} bye: func();")));
    let pushed = user.run(&["push", &old, &reference]).yes().line();
    let new = user.file(
        "new.wasm",
        greeter("1.3.0", "hello: func(name: string, times: u32) -> string; hi: func();"),
    );
    let run = user.run(&["diff", &reference, &new]).yes();
    let text = run.text();
    let start = "breaking changes:
  export acme:hello/greet@1.3.0: the function `bye` is gone
  export acme:hello/greet@1.3.0: the function `hello` takes `times: u32` now
other changes:
  export acme:hello/greet: version 1.3.0 instead of 1.2.0
  export acme:hello/greet@1.3.0: the function `hi` is new: `func()`
  level       major
  version     2.0.0 or later
";
    assert!(text.starts_with(start), "{text}");
    assert!(
        text.contains(&format!("  old         {pushed}: component 1.2.0, ")),
        "{text}"
    );
    assert!(text.contains("  new         new.wasm: component, "), "{text}");

    let json = user.run(&["diff", &reference, &new, "--format", "json"]).yes().json();
    assert_eq!(
        (&json["level"], &json["next_version"], &json["identical"]),
        (&"major".into(), &"2.0.0".into(), &false.into())
    );
    let change = &json["changes"][1];
    assert_eq!(
        (&change["kind"], &change["item"], &change["after"]),
        (
            &"parameter-added".into(),
            &"function hello".into(),
            &"times: u32".into()
        )
    );
    assert_eq!(
        change["sentence"],
        "export acme:hello/greet@1.3.0: the function `hello` takes `times: u32` now"
    );
}

#[test]
fn what_is_the_same_is_told_as_such() {
    let user = User::new();
    let old = user.file("old.wasm", greeter("1.2.0", HELLO));
    let text = user.run(&["diff", &old, &old]).yes().text();
    assert!(
        text.starts_with("  level       same: nothing changed in the interface\n"),
        "{text}"
    );
    assert!(text.contains("  bytes       the same\n"), "{text}");
    user.run(&["diff", &old, &old, "--exit-code"]).yes();
}

#[test]
fn who_asks_for_it_gets_an_exit_code() {
    let user = User::new();
    let old = user.file("old.wasm", greeter("1.2.0", HELLO));
    let new = user.file("new.wasm", with_section(&greeter("1.2.0", HELLO), "other", b"bytes"));
    assert!(
        user.run(&["diff", &old, &new])
            .yes()
            .text()
            .contains("  level       same")
    );
    let run = user.run(&["diff", &old, &new, "--exit-code"]);
    assert_eq!((run.code, run.stderr.as_str()), (1, ""), "{run:?}");
    assert!(run.text().contains("  level       same"), "{run:?}");
    // What cannot be compared does not differ.
    let cut = user.file("cut.wasm", &greeter("1.2.0", HELLO)[..50]);
    user.run(&["diff", &old, &cut, "--exit-code"])
        .unknown()
        .saying("cut.wasm is not valid WebAssembly");
    user.run(&["diff", &old, "./none.wasm", "--exit-code"]).unknown();
}

#[test]
fn the_version_is_that_of_the_tag_else_that_of_the_package_else_what_it_says_of_itself() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    let old = "package acme:hello@0.2.0; interface greet { hello: func(); }";
    let new = "package acme:hello@0.3.0; interface greet { hello: func(); bye: func(); }";
    let old = user.file("old.wasm", package(old));
    let new = user.file("new.wasm", package(new));
    let next = |old: &str, new: &str| {
        let json = user.run(&["diff", old, new, "--format", "json"]).yes().json();
        json["next_version"].as_str().map(str::to_owned)
    };
    assert_eq!(next(&old, &new).as_deref(), Some("0.2.1"));
    assert_eq!(next(&new, &old).as_deref(), Some("0.4.0"));
    let reference = format!("{}/acme/hello:3.0.0_build5", registry.address());
    user.run(&["push", &old, &reference]).yes();
    assert_eq!(next(&reference, &new).as_deref(), Some("3.1.0"));
    let component = greeter("1.2.0", HELLO);
    let unknown = user.file("unknown.wasm", &component);
    let known = user.file("known.wasm", with_section(&component, "version", b"7.0.0"));
    assert_eq!(next(&unknown, &known), None);
    assert_eq!(next(&known, &unknown).as_deref(), Some("7.0.1"));
}

#[test]
fn what_it_was_made_with_and_says_of_itself_is_told_too() {
    let user = User::new();
    let component = greeter("1.2.0", HELLO);
    let old = with_section(&component, "description", b"Greets");
    let old = user.file(
        "old.wasm",
        with_section(&old, "producers", b"\x01\x08language\x01\x04Rust\x00"),
    );
    let new = with_section(&component, "description", b"Greets\x1b[2J");
    let new = user.file(
        "new.wasm",
        with_section(&new, "producers", b"\x01\x03sdk\x01\x03jco\x051.0.0"),
    );
    let text = user.run(&["diff", &old, &new]).yes().text();
    let besides = "  besides     Rust (language): none, and without a version before
              description: Greets\u{fffd}[2J instead of Greets
              jco (sdk): 1.0.0, and none before
";
    assert!(text.ends_with(besides), "{text}");
}

#[test]
fn what_has_no_wit_is_compared_as_far_as_it_goes() {
    let user = User::new();
    let module = user.file("module.wasm", wat::module());
    let component = user.file("component.wasm", greeter("1.2.0", HELLO));
    let package = user.file("package.wasm", package("package acme:hello; interface greet { }"));
    let text = |old: &str, new: &str| {
        let run = user.run(&["diff", old, new]);
        assert_eq!((run.code, run.stderr.as_str()), (2, ""), "{run:?}");
        run.text()
    };
    let no_wit =
        "  level       unknown: module.wasm: a core module has no WIT: only components and WIT packages have\n";
    assert!(text(&module, &component).starts_with(no_wit));
    assert!(text(&component, &module).starts_with(no_wit));
    assert!(text(&package, &component).contains("a component and a WIT package cannot be compared"));
    assert!(
        user.run(&["diff", &module, &module])
            .yes()
            .text()
            .contains("  bytes       the same\n")
    );
    let json = user.run(&["diff", &package, &component, "--format", "json"]).json();
    assert!(
        json.get("level").is_none() && json["incomparable"].is_string(),
        "{json}"
    );
}
