//! The gate says yes where wasmparser, shown the whole file at once, says yes: skipping the insides of large sections, and
//! validating types one by one, loses nothing.

use wreg_component::{ACCEPTED, Validator, inspect, validate};

use crate::samples;

fn agrees(bytes: &[u8], piece: usize, what: &str) {
    let expected = wasmparser::Validator::new_with_features(ACCEPTED)
        .validate_all(bytes)
        .is_ok();
    assert_eq!(validate(bytes).is_ok(), expected, "{what}");
    // The same words too, although it tries the features of wasmtime 48 first.
    assert_eq!(inspect(bytes).map(drop), validate(bytes).map(drop), "{what}, inspected");
    let mut validator = Validator::new();
    let pushed = bytes.chunks(piece).try_for_each(|piece| validator.push(piece));
    assert_eq!(
        pushed.and_then(|()| validator.finish()).is_ok(),
        expected,
        "{what}, in pieces of {piece}"
    );
}

/// Compares answers for `sample` with each byte in `places` changed, and with the file cut off there.
fn agrees_around(sample: &[u8], places: impl Iterator<Item = usize>) {
    agrees(sample, 4096, "untouched");
    for at in places {
        for flip in [0x01, 0x02, 0x40, 0x80, 0xff] {
            let mut bytes = sample.to_vec();
            bytes[at] ^= flip;
            agrees(&bytes, 1 + at % 5000, &format!("byte {at} xor {flip:#x}"));
        }
        agrees(&sample[..at], 1 + at % 5000, &format!("cut off at {at}"));
    }
}

#[test]
fn small_files_get_the_same_answer() {
    for sample in [
        samples::module(),
        samples::component(),
        samples::wit_package(samples::WIT),
    ] {
        agrees_around(&sample, 0..sample.len());
    }
}

#[test]
fn files_with_large_sections_get_the_same_answer() {
    const SIZE: usize = 70_000;
    let zeros = vec![0; SIZE];
    let custom = samples::section(0, &[b"\x04blob".as_slice(), &zeros].concat());
    let length = samples::leb(u32::try_from(SIZE).expect("small"));
    let segment = |head: &[u8]| [head, &length, &zeros].concat();
    let data = [
        vec![3],
        segment(&[0, 0x41, 8, 0x0b]),
        vec![1, 2, 7, 7],
        segment(&[2, 0, 0x41, 8, 0x0b]),
    ]
    .concat();
    let module = [
        b"\0asm\x01\0\0\0".to_vec(),
        samples::section(5, &[1, 0, 1]),
        samples::section(12, &[3]),
        custom.clone(),
        samples::section(11, &data),
        custom.clone(),
    ]
    .concat();
    let component = [
        b"\0asm\x0d\0\x01\0".to_vec(),
        samples::section(1, &module),
        custom,
        samples::section(1, &module),
    ]
    .concat();
    for sample in [module, component] {
        // Long runs of zeros have no structure: only what is near something else is interesting.
        let near = |at: &usize| {
            sample[at.saturating_sub(2)..sample.len().min(at + 3)]
                .iter()
                .any(|byte| *byte != 0)
        };
        agrees_around(&sample, (0..sample.len()).filter(near));
    }
}
