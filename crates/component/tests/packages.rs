//! WIT packages that refer to each other.

use wreg_component::{InvalidWit, MAX_WIT_TEXT, WitFile, WitPart, wit_packages, wit_source};

use crate::samples;

const TYPES: &str = "package acme:types@1.0.0;

interface names {
  type name = string;
}

interface sizes {
  type size = u64;
}
";

const GREET: &str = "package acme:greet@2.1.0;

interface greeting {
  use acme:types/names@1.0.0.{name};

  greet: func(name: name) -> string;
}
";

fn greet() -> Vec<u8> {
    samples::wit_package_after(&[TYPES], GREET)
}

fn unfolded(parts: &[WitPart<'_>]) -> Vec<(String, String)> {
    let packages = wit_packages(parts).expect("the samples go together");
    packages
        .into_iter()
        .map(|package| (package.name, package.text))
        .collect()
}

fn files(text: &str) -> Vec<WitFile> {
    vec![WitFile {
        path: "wit/world.wit".to_owned(),
        text: text.to_owned(),
    }]
}

fn refused(text: &str) -> String {
    let error: InvalidWit = wit_source(&files(text)).expect_err(text);
    error.to_string()
}

#[test]
fn a_package_carries_what_it_needs_of_others() {
    let bytes = greet();
    let packages = unfolded(&[WitPart::Binary(&bytes)]);
    let part = "package acme:types@1.0.0;\n\ninterface names {\n  type name = string;\n}\n\n";
    assert_eq!(packages.len(), 2);
    assert_eq!(packages[0].0, "acme:greet@2.1.0");
    assert_eq!(packages[0].1.trim_end(), GREET.trim_end());
    assert_eq!(packages[1], ("acme:types@1.0.0".to_owned(), part.to_owned()));
}

#[test]
fn a_package_and_a_part_of_it_are_laid_over_each_other_in_any_order() {
    let (greet, types) = (greet(), samples::wit_package(TYPES));
    let one = unfolded(&[WitPart::Binary(&greet), WitPart::Binary(&types)]);
    let other = unfolded(&[WitPart::Binary(&types), WitPart::Binary(&greet)]);
    assert_eq!(one, other);
    assert_eq!(one[1].1.trim_end(), TYPES.trim_end());
}

#[test]
fn text_and_binaries_may_refer_to_each_other() {
    let (types, greet) = (files(TYPES), greet());
    let packages = unfolded(&[WitPart::Binary(&greet), WitPart::Text(&types)]);
    assert_eq!(packages[1].1.trim_end(), TYPES.trim_end());
    let local = files("package acme:local; interface i { use acme:greet/greeting@2.1.0.{name}; }");
    let packages = unfolded(&[WitPart::Text(&local), WitPart::Binary(&greet)]);
    assert_eq!(packages[1].0, "acme:local");
    let missing = wit_packages(&[WitPart::Text(&local)]).expect_err("nothing has acme:greet");
    assert!(
        missing.to_string().starts_with("wit/world.wit:1:39: ") && missing.to_string().contains("acme:greet@2.1.0"),
        "{missing}"
    );
}

#[test]
fn packages_that_contradict_each_other_are_refused() {
    let other = samples::wit_package(&TYPES.replace("type name = string", "type other = string"));
    let error = wit_packages(&[WitPart::Binary(&greet()), WitPart::Binary(&other)]);
    let error = error.expect_err("there is a name, or there is none");
    assert_eq!(
        error.to_string(),
        "a package that refers to acme:types@1.0.0 carries of it what it has not"
    );
}

#[test]
fn only_wit_packages_are_unfolded() {
    for bytes in [samples::module(), samples::component()] {
        let error = wit_packages(&[WitPart::Binary(&bytes)]).expect_err("no package");
        assert_eq!(error.to_string(), "not a WIT package but a module or component");
    }
    let error = wit_packages(&[WitPart::Binary(b"package acme:text;")]).expect_err("no binary");
    assert!(error.to_string().contains("WIT text"), "{error}");
}

#[test]
fn a_package_whose_text_would_be_too_long_is_refused() {
    // What is documented stands in the text as often as the name is used.
    let long = "x".repeat(MAX_WIT_TEXT / 2);
    let text = format!("package a:b;\n/// {long}\ninterface i {{\n/// {long}\nf: func();\n}}\n");
    let error = wit_packages(&[WitPart::Binary(&samples::wit_package(&text))]).expect_err("too long");
    assert!(error.to_string().contains("a:b is longer than"), "{error}");
}

#[test]
fn a_text_names_the_packages_that_it_refers_to() {
    let source = wit_source(&files(
        "package acme:app@0.1.0;
         world app {
           import wasi:clocks/wall-clock@0.2.6;
           import acme:greet/greeting;
           import mine;
           import acme:nested/inner;
         }
         interface mine { use wasi:clocks/wall-clock@0.2.6.{datetime}; use acme:types/names@1.0.0.{name}; }
         package acme:nested { interface inner { use acme:deep/x@1.0.0-rc.1.{y}; } }",
    ))
    .expect("well-formed");
    assert_eq!(source.package, "acme:app@0.1.0");
    assert_eq!(
        source.references,
        [
            "acme:deep@1.0.0-rc.1",
            "acme:greet",
            "acme:types@1.0.0",
            "wasi:clocks@0.2.6"
        ]
    );
}

#[test]
fn what_is_wrong_with_a_text_is_told_with_its_place() {
    assert!(refused("package a:b;\nworld {").starts_with("wit/world.wit:2:7: expected"));
    assert!(refused("interface i {}").contains("package"));
    assert!(wit_source(&[]).is_err());
    assert!(refused("package a:b;\n\u{1b}[31m").starts_with("wit/world.wit:2:1: "));
    let deep = format!(
        "package a:b; interface i {{ type t = {}u8{}; }}",
        "list<".repeat(100_000),
        ">".repeat(100_000)
    );
    assert!(refused(&deep).contains("nesting too deep"));
}
