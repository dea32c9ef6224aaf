//! Files made to hurt whoever reads them.

use std::num::NonZeroUsize;

use wreg_component::{Reason, analyse, inspect, validate, wit, wit_folder};

use crate::samples;

const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// A component in a component, and so on, `depth` deep.
fn nested(depth: usize) -> Vec<u8> {
    let mut bytes = COMPONENT.to_vec();
    for _ in 0..depth {
        let section = samples::section(4, &bytes);
        bytes = [COMPONENT, &section].concat();
    }
    bytes
}

/// A component with `count` empty components beside each other in it.
fn beside_each_other(count: usize) -> Vec<u8> {
    [COMPONENT.to_vec(), samples::section(4, COMPONENT).repeat(count)].concat()
}

/// A component with a type of a component, that has a type of a component, and so on, `depth` deep.
fn nested_types(depth: usize) -> Vec<u8> {
    let mut declared = vec![0x41, 0];
    for _ in 0..depth {
        declared = [&[0x41, 1, 1], declared.as_slice()].concat();
    }
    [
        COMPONENT.to_vec(),
        samples::section(7, &[&[1], declared.as_slice()].concat()),
    ]
    .concat()
}

fn refused(bytes: &[u8], reason: Reason) {
    for answer in [
        validate(bytes).map(drop),
        inspect(bytes).map(drop),
        wit(bytes).map(drop),
        analyse(bytes, NonZeroUsize::MIN).map(drop),
    ] {
        assert_eq!(answer.expect_err("the gate is for everybody").reason, reason);
    }
}

#[test]
fn components_nested_deeper_than_a_hundred_are_refused() {
    assert!(validate(&nested(100)).is_ok());
    refused(&nested(101), Reason::TooLarge);
    refused(&nested(20_000), Reason::TooLarge);
    let message = validate(&nested(101)).expect_err("too deep").message;
    assert!(message.contains("nested more than 100 deep"), "{message}");
}

#[test]
fn components_beside_each_other_by_the_thousand_are_refused() {
    assert!(validate(&beside_each_other(900)).is_ok());
    refused(&beside_each_other(20_000), Reason::Malformed);
    let message = validate(&beside_each_other(1_000)).expect_err("too many").message;
    assert!(
        message.contains("modules and components count exceeds limit of 1000"),
        "{message}"
    );
}

#[test]
fn types_nested_by_the_thousand_are_refused() {
    assert!(validate(&nested_types(20)).is_ok());
    refused(&nested_types(100_000), Reason::Malformed);
}

#[test]
fn what_is_nested_as_deep_as_is_allowed_is_analysed_and_printed() {
    for allowed in [nested(100), beside_each_other(900), nested_types(20)] {
        let analysis = analyse(&allowed, NonZeroUsize::MIN).expect("it is allowed");
        assert!(analysis.wit.is_some());
    }
}

fn refused_as_too_large(what: &str, text: &str) {
    let bytes = samples::wat(text);
    assert!(bytes.len() < 200_000, "{what}: {} bytes", bytes.len());
    assert_eq!(validate(&bytes).expect_err(what).reason, Reason::TooLarge, "{what}");
}

/// `part` for each of `0..count`, where `#` stands for the number.
fn repeat(count: usize, part: &str) -> String {
    (0..count)
        .map(|number| part.replace('#', &number.to_string()))
        .collect()
}

#[test]
fn what_would_multiply_in_the_validator_is_refused() {
    let resources = repeat(1000, r#"(export "e#" (type (sub resource)))"#);
    let functions = repeat(1000, r#"(export "e#" (func $f))"#);
    let instances = repeat(600, r#"(instance (instantiate $c (with "f" (func $f))))"#);
    refused_as_too_large(
        "instances",
        &format!(r#"(component (import "f" (func $f)) (component $c (import "f" (func $f)) {functions}) {instances})"#),
    );
    refused_as_too_large(
        "imports",
        &format!(
            "(component (type $t (instance {resources})) {})",
            repeat(600, r#"(import "i#" (instance (type $t)))"#)
        ),
    );
    refused_as_too_large(
        "types",
        &format!(
            "(component (type $t (instance {resources})) {})",
            repeat(
                600,
                r#"(type (component (alias outer 1 $t (type $u)) (export "e" (instance (type $u)))))"#
            )
        ),
    );
    refused_as_too_large(
        "imports of nested components",
        &format!(
            "(component (type $t (instance {resources})) {})",
            repeat(
                600,
                r#"(component (alias outer 1 $t (type $u)) (import "i" (instance (type $u))))"#
            )
        ),
    );
    refused_as_too_large(
        "exports of an instance",
        &format!(
            r#"(component (type $t (instance {resources})) (import "i" (instance $i (type $t))) {})"#,
            repeat(600, r#"(export "e#" (instance $i))"#)
        ),
    );
    refused_as_too_large(
        "instances of modules",
        &format!(
            "(component (core module $m (func) {}) {})",
            repeat(5000, r#"(export "e#" (func 0))"#),
            repeat(150, "(core instance (instantiate $m))")
        ),
    );
    let long = "n".repeat(90_000);
    refused_as_too_large(
        "long names",
        &format!(
            r#"(component (component $c (import "f" (func $f)) (export "{long}" (func $f))) (import "f" (func $f)) {})"#,
            repeat(1000, r#"(instance (instantiate $c (with "f" (func $f))))"#)
        ),
    );
}

/// Whatever follows each back to the one before needs as deep a stack as there are.
#[test]
fn types_that_each_name_the_one_before_are_printed() {
    let chain = |count: usize, first: &str, next: &str| {
        let link = |index: usize| {
            next.replace('#', &index.to_string())
                .replace('@', &(index - 1).to_string())
        };
        format!("(component {first} {})", (1..count).map(link).collect::<String>())
    };
    let aliases = chain(
        20_000,
        r#"(import "t0" (type $t0 (sub resource)))"#,
        r#"(import "t#" (type $t# (eq $t@)))"#,
    );
    let interfaces = chain(
        900,
        r#"(import "a:b/i0" (instance $i0 (export "t" (type (sub resource))))) (alias export $i0 "t" (type $t0))"#,
        r#"(import "a:b/i#" (instance $i# (alias outer 1 $t@ (type $t)) (export "t" (type (eq $t)))))
            (alias export $i# "t" (type $t#))"#,
    );
    for text in [aliases, interfaces] {
        let bytes = samples::wat(&text);
        let printed = wit(&bytes).expect("a valid component");
        assert!(!printed.truncated && printed.text.len() > bytes.len());
    }
}

#[test]
fn operands_and_blocks_without_end_are_refused() {
    let results = "i32 ".repeat(1000);
    refused_as_too_large(
        "operands",
        &format!(
            r#"(module (import "a" "b" (func $f (result {results}))) (func {} unreachable))"#,
            "call $f ".repeat(2000)
        ),
    );
    let body = [vec![0], [0x02, 0x40].repeat(1_000_001), vec![0x0b; 1_000_002]].concat();
    let function = [samples::leb(u32::try_from(body.len()).expect("small")), body].concat();
    let bytes = [
        b"\0asm\x01\0\0\0".as_slice(),
        &samples::section(1, &[1, 0x60, 0, 0]),
        &samples::section(3, &[1, 0]),
        &samples::section(10, &[vec![1], function].concat()),
    ]
    .concat();
    assert_eq!(validate(&bytes).expect_err("blocks").reason, Reason::TooLarge);
}

/// **W01** A valid component with any one byte changed → an answer, never a panic.
#[test]
fn no_flipped_byte_brings_anything_down() {
    for sample in [samples::component(), samples::wit_package(samples::WIT)] {
        for at in 0..sample.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut bytes = sample.clone();
                bytes[at] ^= flip;
                let valid = validate(&bytes).is_ok();
                assert_eq!(inspect(&bytes).is_ok(), valid);
                if valid {
                    let _ = wit(&bytes);
                }
            }
        }
    }
}

#[test]
fn declared_sizes_are_not_believed() {
    for id in [0, 1, 4, 7, 10, 11] {
        for size in [0xffff_ffff, 0x7fff_ffff, 0x0100_0000] {
            for header in [COMPONENT, b"\0asm\x01\0\0\0"] {
                let bytes = [header, &[id], &samples::leb(size), &[1, 2, 3]].concat();
                assert!(validate(&bytes).is_err());
            }
        }
    }
}

#[test]
fn a_text_that_grows_without_end_is_cut() {
    // Each tuple names the one before twice, so that the text of the last mentions the long name 2^13 times.
    let name = "r".repeat(1000);
    let mut text = format!(r#"(component (import "{name}" (type $r (sub resource))) (type $t0 (own $r))"#);
    for level in 1..14 {
        let part = "(type $t# (tuple $t@ $t@))"
            .replace('#', &level.to_string())
            .replace('@', &(level - 1).to_string());
        text.push_str(&part);
    }
    let bytes = samples::wat(&(text + r#"(import "f" (func (param "a" $t13))))"#));
    let printed = wit(&bytes).expect("a valid component");
    assert!(printed.truncated);
    assert!(printed.text.len() <= wreg_component::MAX_WIT_TEXT);
    assert!(printed.text.ends_with('\n') && bytes.len() < 2000);
    assert_eq!(wit_folder(&bytes).expect_err("too long").reason, Reason::NoWit);
}
