//! The gate's yes and no.

use wreg_component::{Invalid, Kind, LooksLike, Reason, Valid, Validator, validate};

use crate::samples;

fn kind(bytes: &[u8]) -> Kind {
    validate(bytes).expect("the sample is valid").kind
}

/// Validates `bytes` as they would arrive, `piece` of them at a time.
fn in_pieces(bytes: &[u8], piece: usize) -> Result<Valid, Invalid> {
    let mut validator = Validator::new();
    for piece in bytes.chunks(piece) {
        validator.push(piece)?;
    }
    validator.finish()
}

/// **W02** A core module, a component and a WIT package → each told for what it is, from the bytes alone.
#[test]
fn modules_components_and_wit_packages_are_told_apart() {
    assert_eq!(kind(&samples::module()), Kind::Module);
    assert_eq!(kind(&samples::component()), Kind::Component);
    assert_eq!(kind(&samples::wit_package(samples::WIT)), Kind::WitPackage);
    assert_eq!(kind(&samples::wat("(component)")), Kind::Component);
}

#[test]
fn a_component_with_another_export_beside_component_types_is_no_wit_package() {
    let text = r#"(component
        (type (export "a") (component))
        (core module (export "b")))"#;
    assert_eq!(kind(&samples::wat(text)), Kind::Component);
}

#[test]
fn the_size_is_that_of_the_whole_file() {
    let bytes = samples::component();
    assert_eq!(validate(&bytes).expect("valid").size, bytes.len() as u64);
}

#[test]
fn the_answer_does_not_depend_on_how_the_bytes_arrive() {
    let broken = {
        let mut bytes = samples::component();
        let last = bytes.len() - 1;
        bytes[last] ^= 0x55;
        bytes
    };
    for bytes in [
        samples::module(),
        samples::component(),
        samples::wit_package(samples::WIT),
        broken,
        b"hello".to_vec(),
    ] {
        for piece in [1, 2, 3, 7, 64, 1000] {
            assert_eq!(in_pieces(&bytes, piece), validate(&bytes), "in pieces of {piece}");
        }
    }
}

/// **W01** Every prefix of a valid component → refused as cut off, unless it ends between two sections and is whole so far.
#[test]
fn every_prefix_of_a_component_is_refused_or_is_a_component_itself() {
    let bytes = samples::component();
    let mut whole = 0;
    for length in 0..bytes.len() {
        match validate(&bytes[..length]) {
            Ok(valid) => {
                assert_eq!((valid.kind, valid.size), (Kind::Component, length as u64));
                whole += 1;
            }
            Err(invalid) if length == 0 => assert_eq!(invalid.reason, Reason::NotWasm(LooksLike::Empty)),
            Err(invalid) => {
                assert_eq!(invalid.reason, Reason::Truncated, "after {length} bytes: {invalid}");
                assert_eq!(invalid.offset, Some(length as u64));
            }
        }
    }
    assert!(
        whole < 25,
        "a component has a few dozen sections, and {whole} prefixes passed"
    );
}

/// **W01** A module that ends before the code of its functions → refused.
#[test]
fn every_prefix_of_a_module_is_refused_or_is_a_module_itself() {
    let bytes = samples::module();
    for length in 0..bytes.len() {
        match validate(&bytes[..length]) {
            Ok(valid) => assert_eq!((valid.kind, valid.size), (Kind::Module, length as u64)),
            Err(invalid) => assert!(
                matches!(
                    invalid.reason,
                    Reason::Truncated | Reason::Malformed | Reason::NotWasm(LooksLike::Empty)
                ),
                "after {length} bytes: {invalid}"
            ),
        }
    }
}

/// **W01** A file that is not WebAssembly → refused, and told what it looks like instead.
/// **W08** A gzip, tar or zip file → named for what it is, never unpacked.
#[test]
fn what_is_not_wasm_is_refused_by_name() {
    let mut tar = vec![b'a'; 2048];
    tar[257..262].copy_from_slice(b"ustar");
    let table: [(&[u8], LooksLike); 5] = [
        (b"\x1f\x8b\x08\0\0\0\0\0", LooksLike::Gzip),
        (b"PK\x03\x04\x14\0", LooksLike::Zip),
        (&tar, LooksLike::Tar),
        (b"(module)", LooksLike::Wat),
        (b"\x7fELF\x02\x01\x01\xc8\0\0\0\0", LooksLike::Precompiled),
    ];
    for (bytes, looks_like) in table {
        for piece in [1, 5000] {
            let invalid = in_pieces(bytes, piece).expect_err("not WebAssembly");
            assert_eq!(invalid.reason, Reason::NotWasm(looks_like));
            assert!(invalid.message.contains("not "), "{invalid}");
        }
    }
}

#[test]
fn an_invalid_instruction_is_refused_with_its_place() {
    let bytes = samples::wat("(module (func (result i32) i64.const 1))");
    let invalid = validate(&bytes).expect_err("the types differ");
    assert_eq!(invalid.reason, Reason::Malformed);
    assert!(invalid.offset.is_some_and(|at| at > 8 && at < bytes.len() as u64));
    assert!(invalid.message.contains("type mismatch"), "{invalid}");
}

#[test]
fn bytes_behind_the_end_are_refused() {
    let mut bytes = samples::component();
    bytes.extend_from_slice(&samples::component());
    assert_eq!(validate(&bytes).expect_err("two components").reason, Reason::Malformed);
}

#[test]
fn a_validator_that_failed_stays_failed() {
    let mut validator = Validator::new();
    let first = validator.push(&[b'x'; 600]).expect_err("not WebAssembly");
    assert_eq!(validator.push(&samples::component()), Err(first.clone()));
    assert_eq!(validator.finish(), Err(first));
}

#[test]
fn a_message_is_one_short_printable_line() {
    let name = format!("a\u{1b}[2J\n{}", "x".repeat(50_000));
    let bytes = samples::wat(
        &format!("(module (func) (export {name:?} (func 0)) (export {name:?} (func 0)))").replace("\\u{1b}", "\\1b"),
    );
    let invalid = validate(&bytes).expect_err("an export twice");
    assert!(invalid.message.len() <= 1100, "{} bytes", invalid.message.len());
    assert!(!invalid.message.chars().any(char::is_control));
}
