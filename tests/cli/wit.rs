//! `wreg wit`.

use wit_parser::Resolve;
use wreg_harness::{RegistryProcess, fixtures::wat};

use crate::{
    interfaces::{component, package},
    wreg::{User, names},
};

const WIT: &str = "package acme:hello@1.0.0;
    interface greet { use acme:types/tones@0.2.0.{tone}; hello: func(name: string, how: tone) -> string; }
    world hello { import acme:log/sink; export greet; }
    package acme:log { interface sink { write: func(line: string); } }
    package acme:types@0.2.0 { interface tones { enum tone { formal, warm } } }";

#[test]
fn the_text_is_what_inspect_shows() {
    let user = User::new();
    let file = user.file("hello.wasm", component(WIT));
    let run = user.run(&["wit", &file]).yes();
    assert!(run.text().starts_with("package root:component;"), "{run:?}");
    assert_eq!(run, user.run(&["inspect", &file, "--wit"]).yes());
    let json = user.run(&["wit", &file, "--format", "json"]).yes().json();
    assert_eq!(json["wit"], run.text());
}

#[test]
fn a_folder_is_what_tools_read() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    let reference = format!("{}/acme/hello:1.0.0", registry.address());
    let file = user.file("hello.wasm", component(WIT));
    user.run(&["push", &file, &reference]).yes();
    let run = user.run(&["wit", &reference, "-o", "wit"]).yes();
    let files = [
        "wit/world.wit",
        "wit/deps/acme-types-0.2.0/package.wit",
        "wit/deps/acme-log/package.wit",
        "wit/deps/acme-hello-1.0.0/package.wit",
    ];
    let mut written: Vec<_> = run.text().lines().map(str::to_owned).collect();
    assert_eq!(written[0], "wit/world.wit");
    written.sort();
    let mut sorted = files.map(str::to_owned);
    sorted.sort();
    assert_eq!(written, sorted);
    let mut resolve = Resolve::default();
    let (main, sources) = resolve.push_dir(user.work().join("wit")).expect("it is a wit folder");
    assert_eq!(sources.paths().count(), files.len());
    let world = resolve.select_world(&[main], Some("root")).expect("its world");
    let exports = resolve.worlds[world].exports.keys();
    assert_eq!(
        exports.map(|key| resolve.name_world_key(key)).collect::<Vec<_>>(),
        ["acme:hello/greet@1.0.0"]
    );
    assert_eq!(user.names(), ["hello.wasm", "wit"]);
}

#[test]
fn the_folder_of_a_package_makes_the_package_again() {
    let user = User::new();
    let bytes = package(WIT);
    let file = user.file("hello.wasm", &bytes);
    let folder = user.work().join("made/wit");
    std::fs::create_dir_all(&folder).expect("an empty folder");
    let json = user
        .run(&["wit", &file, "-o", "made/wit", "--format", "json"])
        .yes()
        .json();
    assert_eq!(
        (&json["folder"], &json["files"][0]),
        (&"made/wit".into(), &"made/wit/world.wit".into())
    );
    let mut resolve = Resolve::default();
    let (main, _) = resolve.push_dir(folder).expect("it is a wit folder");
    assert_eq!(wit_component::encode(&resolve, main).expect("it can be encoded"), bytes);
}

#[test]
fn what_is_in_a_folder_stays_there() {
    let user = User::new();
    let file = user.file("hello.wasm", component(WIT));
    user.file("wit/mine.wit", "package my:own;");
    user.run(&["wit", &file, "-o", "wit"])
        .unknown()
        .saying("there is something in wit already")
        .saying("hint: name another folder");
    assert_eq!(names(&user.work().join("wit")), ["mine.wit"]);
    user.run(&["wit", &file, "-o", "hello.wasm"])
        .unknown()
        .saying("cannot write hello.wasm");
    user.run(&["wit", &file, "-o", "none/wit"])
        .unknown()
        .saying("cannot write none/wit");
}

#[test]
fn what_has_no_wit_leaves_no_folder() {
    let user = User::new();
    let module = user.file("module.wasm", wat::module());
    user.run(&["wit", &module]).no().saying("a core module has no WIT");
    user.run(&["wit", &module, "-o", "wit"])
        .no()
        .saying("a core module has no WIT");
    assert_eq!(user.names(), ["module.wasm"]);
}
