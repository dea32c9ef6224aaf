//! Everything about a file in one call.

use std::num::NonZeroUsize;

use miniz_oxide::deflate::compress_to_vec_zlib;
use wreg_component::{Analysis, Dependency, DependencyKind, Invalid, Kind, Reason, analyse, inspect, validate, wit};

use crate::samples;

fn look(bytes: &[u8]) -> Analysis {
    analyse(bytes, NonZeroUsize::MIN).expect("the sample is valid")
}

/// A component around `module`.
fn around(module: &[u8]) -> Vec<u8> {
    [samples::wat("(component)"), samples::section(1, module)].concat()
}

#[test]
fn an_analysis_holds_what_inspection_and_wit_say() {
    for bytes in [
        samples::component(),
        samples::wit_package(samples::WIT),
        samples::module(),
    ] {
        let seen = look(&bytes);
        assert_eq!(seen.inspection, inspect(&bytes).expect("valid"));
        assert_eq!(seen.wit, wit(&bytes).ok());
        assert_eq!(seen.wit.is_none(), seen.inspection.kind == Kind::Module);
    }
}

#[test]
fn what_is_not_valid_is_refused_as_the_gate_refuses_it() {
    let mut bytes = samples::component();
    bytes.truncate(100);
    let wrong_body = samples::wat("(module (func (result i32)))");
    for bytes in [&bytes, &wrong_body, b"a film".as_slice()] {
        let expected = validate(bytes).expect_err("it is not valid");
        assert_eq!(analyse(bytes, NonZeroUsize::MIN), Err(expected));
    }
}

#[test]
fn a_component_whose_interface_wit_cannot_express_is_analysed_without() {
    let text = r#"(component (core module $code) (export "code" (core module $code)))"#;
    let seen = look(&samples::wat(text));
    assert_eq!((seen.wit, seen.docs.as_str()), (None, ""));
}

#[test]
fn the_documentation_of_a_package_is_one_line_of_words() {
    let seen = look(&samples::wit_package(samples::WIT));
    assert_eq!(
        seen.docs,
        "What greets. How polite to be. Greets by name. Everything that a greeter needs."
    );
}

#[test]
fn documentation_without_end_is_cut() {
    let text = format!("package a:b;\n/// {}\ninterface i {{}}", "word ".repeat(20_000));
    let docs = look(&samples::wit_package(&text)).docs;
    assert!(docs.len() > 65_000 && docs.len() <= 65_536 + '…'.len_utf8() && docs.ends_with('…'));
}

#[test]
fn the_bytes_of_a_module_are_all_accounted_for() {
    let mut bytes = samples::module();
    bytes.extend(samples::custom_section(".debug_info", &[7; 1000]));
    let seen = look(&bytes);
    let space = seen.space;
    assert_eq!(space.code + space.data + space.custom + space.rest, bytes.len() as u64);
    // One body: its count and size, no locals, three instructions and an end.
    assert_eq!(space.code, 1 + 1 + 1 + 5 + 1);
    // One segment: the count, its flags, offset expression and length, "hello".
    assert_eq!(space.data, 1 + 1 + 3 + 1 + 5);
    assert!(space.custom > 1012);
    let [module] = seen.modules.as_slice() else {
        panic!("a core module is its own only one: {:?}", seen.modules);
    };
    assert_eq!(
        (module.name.as_deref(), module.size, module.functions),
        (Some("adder"), bytes.len() as u64, 1)
    );
    assert_eq!(module.space, space);
}

#[test]
fn modules_are_found_however_deep_and_each_has_its_own_size() {
    let text = r#"(component
        (core module $first (func) (func))
        (component
            (core module $second (memory 1) (data (i32.const 0) "some data"))
            (component (core module (import "a" "b" (func))))))"#;
    let bytes = samples::wat(text);
    let seen = look(&bytes);
    let modules: Vec<_> = seen
        .modules
        .iter()
        .map(|module| (module.name.as_deref(), module.functions))
        .collect();
    assert_eq!(modules, [(Some("first"), 2), (Some("second"), 0), (None, 0)]);
    for module in &seen.modules {
        let space = module.space;
        assert_eq!(space.code + space.data + space.custom + space.rest, module.size);
    }
    assert!(seen.modules[1].space.data > 9 && seen.modules[0].space.data == 0);
    assert_eq!(seen.space.data, seen.modules[1].space.data);
    let size = seen.space.code + seen.space.data + seen.space.custom + seen.space.rest;
    assert_eq!((size, seen.inspection.size), (bytes.len() as u64, bytes.len() as u64));
}

#[test]
fn custom_sections_are_counted_by_name_on_every_level_the_largest_first() {
    let inner = [
        b"\0asm\x01\0\0\0".to_vec(),
        samples::custom_section("small", &[1; 10]),
        samples::custom_section("large", &[1; 200]),
    ]
    .concat();
    let bytes = [around(&inner), samples::custom_section("small", &[1; 20])].concat();
    let sections: Vec<_> = look(&bytes)
        .sections
        .into_iter()
        .map(|section| (section.name, section.count, section.size))
        .collect();
    assert_eq!(
        sections,
        [
            ("large".to_owned(), 1, 200 + 1 + 5),
            ("small".to_owned(), 2, 10 + 20 + 2 * (1 + 5))
        ]
    );
}

#[test]
fn names_of_sections_without_end_are_cut() {
    let mut bytes = b"\0asm\x01\0\0\0".to_vec();
    for index in 0..20_000_u32 {
        bytes.extend(samples::custom_section(&format!("name {index}"), b""));
    }
    let seen = look(&bytes);
    assert_eq!(seen.sections.len(), 1_000);
    assert_eq!(seen.space.custom + seen.space.rest, bytes.len() as u64);
}

fn dependencies(json: &str) -> Vec<u8> {
    samples::section(
        0,
        &[b"\x07.dep-v0".as_slice(), &compress_to_vec_zlib(json.as_bytes(), 6)].concat(),
    )
}

#[test]
fn the_packages_that_modules_were_made_from_are_put_together() {
    let first = r#"{"packages":[
        {"name":"serde","version":"1.0.228","source":"crates.io","dependencies":[1]},
        {"name":"cc","version":"1.2.0","source":"registry","kind":"build"},
        {"name":"hello","version":"0.1.0","source":"local","dependencies":[0],"root":true}],"format":1}"#;
    let second = r#"{"packages":[
        {"name":"serde","version":"1.0.228","source":"crates.io","kind":"runtime"},
        {"name":"itoa","version":"1.0.0","source":"git+\u0068ttps"}]}"#;
    let module = [samples::module(), dependencies(first)].concat();
    let other = [samples::module(), dependencies(second)].concat();
    let bytes = [around(&module), samples::section(1, &other)].concat();
    let dependency = |name: &str, version: &str, source: &str, kind| Dependency {
        name: name.to_owned(),
        version: version.to_owned(),
        source: source.to_owned(),
        kind,
    };
    assert_eq!(
        look(&bytes).dependencies,
        [
            dependency("cc", "1.2.0", "registry", DependencyKind::Build),
            dependency("itoa", "1.0.0", "git+https", DependencyKind::Runtime),
            dependency("serde", "1.0.228", "crates.io", DependencyKind::Runtime),
        ]
    );
}

#[test]
fn a_list_of_packages_that_is_malformed_is_as_good_as_absent() {
    let good = dependencies(r#"{"packages":[{"name":"good","version":"1","source":"local"}]}"#);
    let mut broken = good.clone();
    let last = broken.len() - 1;
    broken[last] ^= 0xff;
    for bad in [
        samples::custom_section(".dep-v0", b""),
        samples::custom_section(".dep-v0", b"\x78\x9c"),
        samples::custom_section(".dep-v0", b"no zlib at all"),
        broken,
        dependencies("not JSON"),
        dependencies(r#"{"packages":[{"name":"half"#),
        dependencies(r#"{"packages":[{"name":"no version"}]}"#),
        dependencies(&"[".repeat(100_000)),
    ] {
        let bytes = [samples::module(), bad, good.clone()].concat();
        let dependencies = look(&bytes).dependencies;
        assert_eq!(dependencies.len(), 1, "{dependencies:?}");
    }
}

#[test]
fn lists_of_packages_are_inflated_up_to_a_limit_and_no_further() {
    let good = dependencies(r#"{"packages":[{"name":"good","version":"1","source":"local"}]}"#);
    let spaces = |count: usize| dependencies(&" ".repeat(count));
    let with = |sections: &[Vec<u8>]| {
        look(&[samples::module(), sections.concat()].concat())
            .dependencies
            .len()
    };
    assert_eq!(with(&[spaces(1 << 20), good.clone()]), 1);
    assert_eq!(with(&[spaces(3 << 20), good.clone()]), 0);
    assert_eq!(with(&[spaces(1 << 20), spaces(1 << 20), good]), 0);
}

#[test]
fn packages_without_end_are_cut() {
    let packages: Vec<_> = (0..6_000)
        .map(|index| format!(r#"{{"name":"package-{index}","version":"1","source":"local"}}"#))
        .collect();
    let list = dependencies(&format!(r#"{{"packages":[{}]}}"#, packages.join(",")));
    assert_eq!(look(&[samples::module(), list].concat()).dependencies.len(), 5_000);
}

#[test]
fn producers_are_told_apart_by_what_they_did() {
    let text = |text: &str| [&[u8::try_from(text.len()).expect("short")], text.as_bytes()].concat();
    let field = |name, value, version| [text(name), vec![1], text(value), text(version)].concat();
    let content = [
        vec![3],
        field("language", "Rust", "2024"),
        field("processed-by", "rustc", "1.95.0"),
        field("sdk", "wasi-sdk", "25"),
    ]
    .concat();
    let seen = look(&[samples::module(), samples::custom_section("producers", &content)].concat()).inspection;
    let name = |producer: &wreg_component::Producer| producer.name.clone();
    assert_eq!(seen.languages().map(name).collect::<Vec<_>>(), ["Rust"]);
    assert_eq!(seen.tools().map(name).collect::<Vec<_>>(), ["rustc"]);
    assert_eq!(seen.sdks().map(name).collect::<Vec<_>>(), ["wasi-sdk"]);
}

#[test]
fn an_analysis_comes_back_from_json_as_it_was() {
    let list = r#"{"packages":[{"name":"good","version":"1","source":"local","kind":"build"}]}"#;
    for bytes in [
        [samples::component(), dependencies(list)].concat(),
        samples::module(),
        samples::wit_package(samples::WIT),
        samples::wat(r#"(component (import "primary" (implements "acme:log/sink@1.0.0") (instance)))"#),
    ] {
        let seen = look(&bytes);
        let json = serde_json::to_string(&seen).expect("plain data");
        assert_eq!(serde_json::from_str::<Analysis>(&json).expect("the same shape"), seen);
    }
}

#[test]
fn a_refusal_comes_back_from_json_as_it_was() {
    let needs = samples::wat("(module (func try catch_all end))");
    for bytes in [
        needs.as_slice(),
        b"\x1f\x8b\x08",
        b"",
        b"\0asm\x01\0\0\0\x01",
        b"\0asm\x07\0\0\0",
    ] {
        let refusal = validate(bytes).expect_err("none is valid");
        let json = serde_json::to_string(&refusal).expect("plain data");
        assert_eq!(serde_json::from_str::<Invalid>(&json).expect("the same shape"), refusal);
    }
    let none = wit(&samples::module()).expect_err("a module has no WIT");
    assert_eq!(none.reason, Reason::NoWit);
}
