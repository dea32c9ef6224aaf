//! What is accepted, and what wasmtime 48 would refuse of it.

use wreg_component::{Feature, Reason, WASMTIME_48, beyond_wasmtime_48, inspect, validate};

use crate::samples;

fn beyond(text: &str) -> Vec<String> {
    let bytes = samples::wat(text);
    validate(&bytes).expect("the sample is accepted");
    let beyond = beyond_wasmtime_48(&bytes);
    assert_eq!(
        inspect(&bytes).expect("the sample is accepted").beyond_wasmtime_48,
        beyond
    );
    beyond.iter().map(Feature::to_string).collect()
}

#[test]
fn ordinary_files_need_nothing_that_wasmtime_48_lacks() {
    assert!(beyond_wasmtime_48(&samples::module()).is_empty());
    assert!(beyond_wasmtime_48(&samples::component()).is_empty());
    assert!(beyond_wasmtime_48(&samples::wit_package(samples::WIT)).is_empty());
}

#[test]
fn the_async_of_wasi_0_3_is_accepted_and_runs_on_wasmtime_48() {
    let text = r#"(component
        (import "wasi:cli/stdout@0.3.0" (instance
            (export "write-via-stream" (func async (param "data" (stream u8)) (result (future u8))))))
        (core module $code (func (export "run") (result i32) i32.const 0) (func (export "done") (param i32 i32 i32) (result i32) i32.const 0))
        (core instance $code (instantiate $code))
        (func (export "run") async
            (canon lift (core func $code "run") async (callback (core func $code "done")))))"#;
    assert!(beyond(text).is_empty());
}

#[test]
fn each_feature_beyond_wasmtime_48_is_named() {
    let table = [
        (
            r#"(component (import "f" (func (param "a" (list u8 4)))))"#,
            "component-model-fixed-length-lists",
        ),
        (
            r#"(component (import "f" (func (param "a" (map string u32)))))"#,
            "component-model-map",
        ),
        (
            r#"(component (import "f" (func (param "a" error-context))))"#,
            "component-model-error-context",
        ),
        (
            r#"(component (import "a" (implements "acme:log/sink@1.0.0") (instance)))"#,
            "component-model-implements",
        ),
        (
            "(component (core func (canon subtask.cancel async)))",
            "component-model-more-async-builtins",
        ),
        (
            "(component (core func (canon thread.index)))",
            "component-model-threading",
        ),
        (
            r#"(component
                (core module $code (func (export "run")))
                (core instance $code (instantiate $code))
                (func (export "run") async (canon lift (core func $code "run") async)))"#,
            "component-model-async-stackful",
        ),
        (
            r"(module (func (param i64 i64 i64 i64) (result i64 i64)
                local.get 0 local.get 1 local.get 2 local.get 3 i64.add128))",
            "wide-arithmetic",
        ),
    ];
    for (text, feature) in table {
        assert_eq!(beyond(text), [feature], "{text}");
    }
}

#[test]
fn several_features_are_named_together() {
    let text = r#"(component
        (import "f" (func (param "a" (list u8 4)) (param "b" (map string u32))))
        (core module (func (param i64 i64) (result i64 i64) local.get 0 local.get 1 i64.mul_wide_u)))"#;
    assert_eq!(
        beyond(text),
        [
            "wide-arithmetic",
            "component-model-fixed-length-lists",
            "component-model-map"
        ]
    );
}

/// **W07** A proposal outside the accepted set → refused as such, with the proposal's name.
#[test]
fn a_feature_that_is_not_accepted_is_named_in_the_refusal() {
    let text = "(module (func try catch_all end))";
    let invalid = validate(&samples::wat(text)).expect_err("legacy exceptions are not accepted");
    let Reason::NeedsFeature(feature) = invalid.reason else {
        panic!("refused for another reason: {invalid}");
    };
    assert_eq!(feature.to_string(), "legacy-exceptions");
    assert!(invalid.message.contains("legacy-exceptions"), "{invalid}");
}

#[test]
fn what_wasmtime_48_runs_is_accepted() {
    assert!(wreg_component::ACCEPTED.contains(WASMTIME_48));
}
