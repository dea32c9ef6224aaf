//! WIT text.

use wreg_component::{Reason, wit};

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
