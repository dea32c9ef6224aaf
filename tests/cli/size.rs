//! `wreg size`.

use wreg_harness::{RegistryProcess, fixtures, fixtures::wat};

use crate::{interfaces::with_section, wreg::User};

/// A component of two modules, one of them mostly data.
fn two_modules() -> Vec<u8> {
    let data = "x".repeat(8_000);
    let functions = r#"(func (export "f#") (result i32) i32.const 1)"#;
    let functions: String = (0..50)
        .map(|number| functions.replace('#', &number.to_string()))
        .collect();
    wat::encode(&format!(
        r#"(component (core module $texts (memory 1) (data (i32.const 0) "{data}")) (core module {functions}))"#
    ))
}

#[test]
fn the_parts_are_told_and_come_to_the_whole() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    let bytes = with_section(
        &with_section(&two_modules(), ".debug_info", &[0; 50]),
        ".debug_info",
        &[0; 30],
    );
    let file = user.file("two.wasm", &bytes);
    let json = user.run(&["size", &file, "--format", "json"]).yes().json();
    assert_eq!(json["size"], bytes.len());
    let space = &json["space"];
    let parts = ["code", "data", "custom", "rest"].map(|part| space[part].as_u64().expect("a number"));
    assert_eq!(parts.iter().sum::<u64>(), bytes.len() as u64);
    assert!(parts[1] > 8_000 && parts[0] > 50 * 4, "{space}");
    assert_eq!(json["modules"].as_array().map(Vec::len), Some(2));
    let debugging = json["sections"].as_array().expect("a list").iter();
    let debugging: Vec<_> = debugging.filter(|section| section["name"] == ".debug_info").collect();
    assert_eq!((debugging.len(), &debugging[0]["count"]), (1, &2.into()));

    let run = user
        .run(&["size", &file])
        .yes()
        .saying("hint: ")
        .saying("are for debuggers");
    let text = run.text();
    assert!(text.starts_with("two.wasm: "), "{text}");
    for line in [
        "      8.0 kB   ",
        " %  data\n",
        " %  texts, 0 functions\n",
        " %  without a name, 50 functions\n",
        " %  .debug_info (2 of them)\n",
    ] {
        assert!(text.contains(line), "{line:?}: {text}");
    }
    let reference = format!("{}/acme/two:1.0.0", registry.address());
    let pushed = user.run(&["push", &file, &reference]).yes().line();
    let fetched = user.run(&["size", &reference]).yes().text();
    assert_eq!(fetched.replace(&pushed, "two.wasm"), text);
}

#[test]
fn a_module_is_not_told_twice() {
    let user = User::new();
    let file = user.file("module.wasm", wat::module());
    let run = user.run(&["size", &file]).yes();
    assert!(!run.text().contains("modules:") && run.stderr.is_empty(), "{run:?}");
    let cut = user.file("cut.wasm", &wat::module()[..20]);
    user.run(&["size", &cut])
        .no()
        .saying("cut.wasm is not valid WebAssembly");
}

#[test]
fn many_sections_are_summed_up() {
    let user = User::new();
    let bytes = (0..30).fold(wat::module(), |bytes, number| {
        with_section(&bytes, &format!("section-{number}"), &[0; 9])
    });
    let text = user.run(&["size", &user.file("many.wasm", bytes)]).yes().text();
    assert_eq!(text.matches("  section-").count(), 20, "{text}");
    assert!(text.ends_with(" %  10 more\n"), "{text}");
}

#[test]
fn a_real_component_is_measured() {
    let Some(path) = fixtures::path("python.wasm") else {
        return;
    };
    let json = User::new()
        .run(&["size", &path.display().to_string(), "--format", "json"])
        .yes()
        .json();
    assert!(json["space"]["data"].as_u64() > Some(1_000_000), "{json}");
}
