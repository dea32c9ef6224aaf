//! What no real interface is like: texts that are no WIT, and texts made to cost much.

use wreg_component::{Change, ChangeKind, Incomparable, Level, MAX_CHANGES, MAX_WIT_TEXT, Which, compare, wit};

use super::said;
use crate::samples;

const COMPONENT: &str = "package root:component; world root { }";

/// `part` for each number below `count`, where `#` stands for the number and `@` for the one before.
fn repeat(count: usize, part: &str) -> String {
    let numbers = (1..=count).map(|number| {
        part.replace('#', &number.to_string())
            .replace('@', &(number - 1).to_string())
    });
    numbers.collect()
}

#[test]
fn what_is_no_wit_is_told_with_its_side() {
    for text in [
        "",
        "package",
        "package root:component; world root {",
        "\0",
        "interface a { use b.{c}; }",
    ] {
        let error = compare(text, COMPONENT).expect_err("it is no WIT");
        assert!(
            matches!(error, Incomparable::Unreadable { which: Which::Old, .. }),
            "{error}"
        );
        let error = compare(COMPONENT, text).expect_err("it is no WIT").to_string();
        assert!(
            error.starts_with("the WIT of the newer one cannot be read: "),
            "{error}"
        );
        assert!(!error.contains(char::is_control) && error.len() < 1200, "{error}");
    }
}

#[test]
fn a_text_that_is_too_long_is_not_read() {
    let text = format!("{COMPONENT}{}", " ".repeat(MAX_WIT_TEXT));
    assert_eq!(compare(&text, COMPONENT), Err(Incomparable::TooLarge));
    assert_eq!(compare(COMPONENT, &text), Err(Incomparable::TooLarge));
}

#[test]
fn what_the_parser_would_take_minutes_for_is_not_read() {
    let packages = repeat(5000, "package a:p# { interface i { } }\n");
    assert_eq!(
        compare(&format!("{COMPONENT}{packages}"), COMPONENT),
        Err(Incomparable::TooLarge)
    );
    let worlds = format!(
        "package a:b; world w0 {{ {} }} {}",
        repeat(1000, "import a#: func();"),
        repeat(1000, "world w# { include w@; }")
    );
    assert_eq!(compare(&worlds, &worlds), Err(Incomparable::TooLarge));
    let parameters = format!(
        "package a:b; interface i {{ f: func({}); }}",
        repeat(150_000, "a#: u8,")
    );
    assert_eq!(compare(&parameters, &parameters), Err(Incomparable::TooLarge));
}

#[test]
fn types_nested_without_end_are_not_followed() {
    let nested = |package: &str, named: &str| {
        format!(
            "package a:b; interface i {{ use c:{package}/i.{{t2000 as t}}; f: func(a: t); }}
             package c:{package} {{ interface i {{ record t0 {{ a: {named} }} {} }} }}",
            repeat(2000, "record t# { a: t@ }")
        )
    };
    assert_eq!(
        compare(&nested("d", "u8"), &nested("e", "u8")),
        Err(Incomparable::TooLarge)
    );
}

#[test]
fn a_long_chain_of_names_has_one_end() {
    let chain = |end: &str| {
        format!(
            "package a:b; interface i {{ type t0 = {end}; {} }}",
            repeat(50_000, "type t# = t@;")
        )
    };
    let comparison = compare(&chain("u8"), &chain("u16")).expect("it is long and simple");
    assert_eq!(comparison.level, Level::Major);
}

#[test]
fn types_that_multiply_are_compared_once_for_each_pair() {
    let wide = |package: &str, last: &str| {
        format!(
            "package a:b; interface i {{ use c:{package}/i.{{t100 as t}}; f: func(a: list<t>); }}
             package c:{package} {{ interface i {{ record t0 {{ a: {last} }} {} }} }}",
            repeat(100, "record t# { a: t@, b: t@ }")
        )
    };
    assert_eq!(
        said(&compare(&wide("d", "u8"), &wide("e", "u8")).expect("small")),
        "same"
    );
    let comparison = compare(&wide("d", "u8"), &wide("e", "u16")).expect("small");
    assert_eq!(comparison.level, Level::Major);
}

#[test]
fn a_list_that_is_too_long_is_shortened_says_so_and_begins_with_what_breaks() {
    let with = |functions: &str| format!("package a:b; interface i {{ {functions} }}");
    let old = with("z: func();");
    let comparison = compare(&old, &with(&repeat(30_000, "a#: func();"))).expect("it is long and simple");
    assert_eq!(comparison.changes.len(), MAX_CHANGES);
    assert!(comparison.shortened);
    assert_eq!(comparison.level, Level::Major);
    assert_eq!(
        comparison.changes[0].to_string(),
        "interface i: the function `z` is gone"
    );
    assert_eq!(
        comparison.changes[1].to_string(),
        "interface i: the function `a1` is new: `func()`"
    );
}

#[test]
fn texts_of_changes_are_short() {
    let name = "n".repeat(100_000);
    let old = format!("package a:b; interface i{name} {{ f{name}: func(a{name}: u8); }}");
    let new = format!("package a:b; interface i{name} {{ f{name}: func(a{name}: u16); }}");
    let comparison = compare(&old, &new).expect("it is long and simple");
    let said = comparison.changes[0].to_string();
    assert!(said.len() < 4000 && said.contains('…'), "{said}");
}

#[test]
fn no_changed_byte_brings_anything_down() {
    let text = wit(&samples::component()).expect("a component has text").text;
    let mut compared = 0;
    for at in 0..text.len() {
        for byte in [b'a', b'{', b'}', b';', b'<', b'/', b'0', b' '] {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = byte;
            let Ok(changed) = String::from_utf8(bytes) else {
                continue;
            };
            compared += usize::from(compare(&text, &changed).is_ok());
            if let Err(error) = compare(&changed, &text) {
                assert!(!matches!(error, Incomparable::Failed), "{changed}");
            }
        }
    }
    assert!(compared > 100, "{compared}");
}

#[test]
fn what_the_text_maker_writes_can_be_compared() {
    for bytes in [samples::component(), samples::wit_package(samples::WIT)] {
        let text = wit(&bytes).expect("it has text").text;
        assert_eq!(said(&compare(&text, &text).expect("the text is WIT")), "same");
    }
}

#[test]
fn a_comparison_is_json_that_can_be_read_again() {
    let old = "package a:b; interface i { f: func(a: u8); }";
    let new = "package a:b; interface i { f: func(a: u16); g: func(); }";
    let comparison = compare(old, new).expect("two packages");
    let json = serde_json::to_value(&comparison).expect("plain data");
    let expected = serde_json::json!({
        "level": "major",
        "changes": [
            {
                "kind": "parameter-type-changed", "breaking": true,
                "at": "interface i", "item": "function f", "before": "a: u8", "after": "a: u16",
            },
            {
                "kind": "function-added", "breaking": false,
                "at": "interface i", "item": "function g", "after": "func()",
            },
        ],
        "shortened": false,
    });
    assert_eq!(json, expected);
    assert_eq!(serde_json::from_value(json).ok(), Some(comparison));
    let unknown: Result<Change, _> = serde_json::from_str(r#"{"kind":"x","breaking":true,"at":"y"}"#);
    assert!(unknown.is_err());
    assert_eq!(
        serde_json::to_value(ChangeKind::CasesReordered).ok(),
        Some("cases-reordered".into())
    );
}
