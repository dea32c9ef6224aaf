//! WIT text.

use std::{fs, path::Path};

use wit_parser::Resolve;
use wreg_component::{FolderFile, Reason, wit, wit_folder};

use crate::samples;

#[test]
fn the_text_of_a_package_comes_back_with_its_documentation() {
    let printed = wit(&samples::wit_package(samples::WIT)).expect("a package has text");
    assert_eq!(printed.text, samples::WIT);
    assert!(!printed.truncated);
}

#[test]
fn the_text_makes_the_same_package_again() {
    let bytes = samples::wit_package(samples::WIT);
    let printed = wit(&bytes).expect("a package has text");
    assert_eq!(samples::wit_package(&printed.text), bytes);
}

#[test]
fn the_text_of_a_component_has_its_world_and_the_packages_that_it_mentions() {
    let printed = wit(&samples::component()).expect("a component has text");
    for part in [
        "package root:component;",
        "import acme:log/sink@1.2.0;",
        "export acme:hello/greeting@0.3.1;",
        "export greet: func(name: string) -> string;",
        "package wasi:clocks@0.2.6 {",
        "resource line;",
    ] {
        assert!(printed.text.contains(part), "{part} is missing in:\n{}", printed.text);
    }
}

#[test]
fn a_core_module_has_no_wit() {
    assert_eq!(wit(&samples::module()).expect_err("a module").reason, Reason::NoWit);
}

#[test]
fn a_component_whose_interface_wit_cannot_express_has_no_wit() {
    let bytes = samples::wat(r#"(component (core module $code) (export "code" (core module $code)))"#);
    assert_eq!(wit(&bytes).expect_err("no WIT for a module").reason, Reason::NoWit);
}

#[test]
fn what_is_invalid_has_no_wit_for_that_reason() {
    assert_eq!(
        wit(b"\0asm\x0d\0\x01\0\x07").expect_err("cut off").reason,
        Reason::Truncated
    );
}

/// Writes a folder as a user would have it, and reads it as tools do.
fn read_as_folder(files: &[FolderFile]) -> (Resolve, wit_parser::PackageId) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for file in files {
        let path = folder.path().join(&file.path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("a folder can be made");
        fs::write(path, &file.text).expect("a file can be written");
    }
    let mut resolve = Resolve::default();
    let read = resolve.push_dir(folder.path());
    let (main, _) = read.unwrap_or_else(|error| panic!("{error:#}: {files:?}"));
    (resolve, main)
}

#[test]
fn the_files_of_a_component_are_read_as_the_same_interface() {
    let bytes = samples::component();
    let files = wit_folder(&bytes).expect("a component has text");
    let paths: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "world.wit",
            "deps/wasi-clocks-0.2.6/package.wit",
            "deps/acme-log-1.2.0/package.wit",
            "deps/acme-hello-0.3.1/package.wit"
        ]
    );
    let (mut resolve, main) = read_as_folder(&files);
    let world = resolve.select_world(&[main], Some("root")).expect("its world");
    let exports = resolve.worlds[world].exports.keys();
    let exports: Vec<_> = exports.map(|key| resolve.name_world_key(key)).collect();
    assert_eq!(exports, ["greet", "acme:hello/greeting@0.3.1"]);
    resolve.importize(world, None).expect("a world that can be worked with");
}

#[test]
fn the_files_of_a_package_make_the_same_package_again() {
    let bytes = samples::wit_package(
        "package acme:hello@0.3.1; interface greet { use acme:types/tones@1.0.0.{tone}; hello: func(how: tone); }
         package acme:types@1.0.0 { interface tones { enum tone { warm } } }",
    );
    let (resolve, main) = read_as_folder(&wit_folder(&bytes).expect("a package has text"));
    assert_eq!(wit_component::encode(&resolve, main).expect("it can be encoded"), bytes);
}

#[test]
fn packages_that_want_the_same_folder_get_one_each() {
    let bytes = samples::wit_package(
        "package acme:hello; world all { import a-b:c/d; import a:b-c/d; }
         package a-b:c { interface d { } } package a:b-c { interface d { } }",
    );
    let files = wit_folder(&bytes).expect("a package has text");
    let mut paths: Vec<_> = files.iter().map(|file| file.path.to_lowercase()).collect();
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), 3, "{paths:?}");
    read_as_folder(&files);
}

#[test]
fn what_has_no_wit_has_no_files() {
    assert_eq!(
        wit_folder(&samples::module()).expect_err("a module").reason,
        Reason::NoWit
    );
    assert_eq!(
        wit_folder(b"\0asm\x0d\0\x01\0\x07").expect_err("cut off").reason,
        Reason::Truncated
    );
}
