//! What files say of themselves.

use wreg_component::{Inspection, ItemKind, Kind, inspect, outline};

use crate::samples;

fn look(bytes: &[u8]) -> Inspection {
    inspect(bytes).expect("the sample is valid")
}

#[test]
fn a_component_names_its_imports_and_exports_with_versions() {
    let seen = look(&samples::component());
    assert_eq!(seen.kind, Kind::Component);
    assert_eq!(
        seen.import_names(),
        ["acme:log/sink@1.2.0", "wasi:clocks/wall-clock@0.2.6"]
    );
    assert_eq!(seen.export_names(), ["acme:hello/greeting@0.3.1", "greet"]);
    assert_eq!(
        seen.exports.iter().map(|item| item.kind).collect::<Vec<_>>(),
        [ItemKind::Interface, ItemKind::Func]
    );
    assert_eq!(seen.metadata.name.as_deref(), Some("greeter"));
    assert_eq!((seen.world, seen.package), (None, None));
}

#[test]
fn an_outline_is_the_inspection_without_a_look_at_bodies() {
    for valid in [
        samples::component(),
        samples::module(),
        samples::wit_package(samples::WIT),
    ] {
        assert_eq!(outline(&valid).expect("the sample is valid"), look(&valid));
    }
    // A body that leaves nothing where a number is promised.
    let wrong = samples::wat(r#"(module (func (export "run") (result i32)))"#);
    assert!(inspect(&wrong).is_err());
    assert_eq!(outline(&wrong).expect("the rest is right").export_names(), ["run"]);
    let cut = samples::component();
    outline(&cut[..cut.len() - 1]).expect_err("it is cut off");
    outline(b"a film").expect_err("it is no WebAssembly");
}

#[test]
fn what_a_component_hides_inside_is_not_listed() {
    let text = r#"(component
        (component (import "inner" (func)) (export "other" (func 0)))
        (core module (import "env" "log" (func)) (export "run" (func 0))))"#;
    let seen = look(&samples::wat(text));
    assert!(seen.imports.is_empty() && seen.exports.is_empty());
}

#[test]
fn a_module_names_what_it_imports_from_and_what_each_thing_is() {
    let seen = look(&samples::module());
    assert_eq!(seen.kind, Kind::Module);
    let import = &seen.imports[0];
    assert_eq!(
        (import.module.as_deref(), import.name.as_str(), import.kind),
        (Some("env"), "log", ItemKind::Func)
    );
    assert_eq!(seen.import_names(), ["env"]);
    assert_eq!(seen.export_names(), ["add", "memory"]);
    assert_eq!(seen.metadata.name.as_deref(), Some("adder"));
}

#[test]
fn an_interface_behind_a_plain_name_is_told() {
    let seen = look(&samples::wat(
        r#"(component (import "primary" (implements "acme:log/sink@1.0.0") (instance)))"#,
    ));
    assert_eq!(seen.imports[0].name, "primary");
    assert_eq!(seen.imports[0].implements.as_deref(), Some("acme:log/sink@1.0.0"));
}

#[test]
fn a_component_whose_interface_wit_cannot_express_is_inspected_all_the_same() {
    let seen = look(&samples::wat(
        r#"(component (import "code" (core module)) (import "part" (component)))"#,
    ));
    assert_eq!(
        seen.imports.iter().map(|item| item.kind).collect::<Vec<_>>(),
        [ItemKind::Module, ItemKind::Component]
    );
}

#[test]
fn a_wit_package_names_itself_its_worlds_and_its_interfaces() {
    let seen = look(&samples::wit_package(samples::WIT));
    let package = seen.package.expect("it is a package");
    assert_eq!(package.name, "acme:hello@0.3.1");
    assert_eq!(package.worlds, ["greeter", "listener"]);
    assert_eq!(package.interfaces, ["greeting"]);
    assert_eq!(seen.world, None);
}

#[test]
fn the_world_of_a_package_with_one_world_is_named() {
    let seen = look(&samples::wit_package("package acme:app; world main {}"));
    assert_eq!(seen.world.as_deref(), Some("acme:app/main"));
}

#[test]
fn a_module_that_waits_to_become_a_component_names_its_world() {
    let mut resolve = wit_parser::Resolve::default();
    let package = resolve.push_str("sample.wit", samples::WIT).expect("well-formed");
    let world = resolve.packages[package].worlds["greeter"];
    let mut module = samples::module();
    wit_component::embed_component_metadata(&mut module, &resolve, world, wit_component::StringEncoding::UTF8)
        .expect("the module takes it");
    assert_eq!(look(&module).world.as_deref(), Some("acme:hello/greeter@0.3.1"));
}

/// One field with one value, as a producers section.
fn producers(field: &str, name: &str, version: &str) -> Vec<u8> {
    let text = |text: &str| [samples::leb(u32::try_from(text.len()).expect("short")), text.into()].concat();
    let content = [vec![1], text(field), vec![1], text(name), text(version)].concat();
    samples::custom_section("producers", &content)
}

#[test]
fn producers_are_gathered_from_nested_modules_too() {
    let module = [
        samples::module(),
        producers("language", "Rust", ""),
        producers("processed-by", "rustc", "1.95.0"),
    ]
    .concat();
    let component = [
        samples::wat("(component)"),
        samples::section(1, &module),
        producers("processed-by", "wit-component", "0.258.3"),
    ]
    .concat();
    let seen = look(&component);
    let producers: Vec<_> = seen
        .producers
        .iter()
        .map(|made| (made.field.as_str(), made.name.as_str(), made.version.as_str()))
        .collect();
    assert_eq!(
        producers,
        [
            ("language", "Rust", ""),
            ("processed-by", "rustc", "1.95.0"),
            ("processed-by", "wit-component", "0.258.3")
        ]
    );
}

#[test]
fn metadata_is_what_the_outermost_sections_say() {
    let inner = [samples::module(), samples::custom_section("version", b"9.9.9")].concat();
    let bytes = [
        samples::wat("(component)"),
        samples::section(1, &inner),
        samples::custom_section("description", "Greets\nyou".as_bytes()),
        samples::custom_section("authors", b"Ada"),
        samples::custom_section("licenses", b"Apache-2.0 OR MIT"),
        samples::custom_section("source", b"https://git.example/hello"),
        samples::custom_section("homepage", b"https://hello.example"),
        samples::custom_section("revision", b"abc123"),
        samples::custom_section("version", b"1.2.3"),
    ]
    .concat();
    let metadata = look(&bytes).metadata;
    let said = |text: &str| Some(text.to_owned());
    assert_eq!(metadata.description, said("Greets you"));
    assert_eq!(metadata.authors, said("Ada"));
    assert_eq!(metadata.licenses, said("Apache-2.0 OR MIT"));
    assert_eq!(metadata.source, said("https://git.example/hello"));
    assert_eq!(metadata.homepage, said("https://hello.example"));
    assert_eq!(metadata.revision, said("abc123"));
    assert_eq!(metadata.version, said("1.2.3"));
}

#[test]
fn one_malformed_section_does_not_lose_the_others() {
    let bytes = [
        samples::wat("(component)"),
        samples::custom_section("licenses", b"not an SPDX expression ("),
        samples::custom_section("source", b"\xff\xfe"),
        samples::custom_section("producers", b"\xff\xff\xff\xff\xff\xff"),
        samples::custom_section("component-name", b"\x00\x7f"),
        samples::custom_section("version", b"1.2.3"),
        producers("language", "C", ""),
    ]
    .concat();
    let seen = look(&bytes);
    assert_eq!(seen.metadata.licenses.as_deref(), Some("not an SPDX expression ("));
    assert_eq!(seen.metadata.version.as_deref(), Some("1.2.3"));
    assert_eq!((seen.metadata.source, seen.metadata.name), (None, None));
    assert_eq!(seen.producers.len(), 1);
}

#[test]
fn texts_are_short_and_printable() {
    let text = format!("\u{202e}evil\u{1b}[31m{}", "x".repeat(1_000_000));
    let bytes = [
        samples::wat("(component)"),
        samples::section(0, &[b"\x0bdescription".as_slice(), text.as_bytes()].concat()),
    ]
    .concat();
    let description = look(&bytes).metadata.description.expect("there is one");
    assert!(description.starts_with("\u{fffd}evil\u{fffd}[31mxxx") && description.ends_with('…'));
    assert!(description.len() < 4200);
}

#[test]
fn a_list_that_is_too_long_is_shortened_and_says_so() {
    let exports: Vec<_> = (0..10_001)
        .map(|index| format!(r#"(export "f{index}" (func 0))"#))
        .collect();
    let seen = look(&samples::wat(&format!("(module (func) {})", exports.concat())));
    assert_eq!(seen.exports.len(), 10_000);
    assert!(seen.shortened);
}

#[test]
fn the_result_is_json_with_names_of_its_own() {
    let json = serde_json::to_value(look(&samples::component())).expect("plain data");
    assert_eq!(json["kind"], "component");
    assert_eq!(json["imports"][0]["name"], "acme:log/sink@1.2.0");
    assert_eq!(json["imports"][0]["kind"], "interface");
    assert_eq!(json["beyond_wasmtime_48"], serde_json::json!([]));
}
