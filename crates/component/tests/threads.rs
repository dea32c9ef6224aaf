//! Function bodies are validated on several threads, and nobody can tell by the answer.

use std::num::NonZeroUsize;

use wreg_component::{Invalid, Reason, analyse, validate};

use crate::samples;

/// Enough for every thread.
const FUNCTIONS: usize = 300;

/// A body of about 4 KiB, so that the functions together are worth several threads; valid, and returns nothing. Its instructions
/// are the longest that there are, so that they are few.
fn good() -> Vec<u8> {
    let constant = [[0xfd, 0x0c].as_slice(), &[0; 16], &[0x1a]].concat();
    [vec![0], constant.repeat(200), vec![0x0b]].concat()
}

/// An `i32` that nobody takes.
fn wrong_type() -> Vec<u8> {
    vec![0, 0x41, 0, 0x0b]
}

/// An instruction that there is not.
fn unknown() -> Vec<u8> {
    vec![0, 0xff, 0x0b]
}

/// More blocks at a time than are followed.
fn too_deep() -> Vec<u8> {
    [vec![0], [0x02, 0x40].repeat(1_000_001), vec![0x0b; 1_000_002]].concat()
}

/// A valid function that wasmtime 48 does not run unless told to.
fn wide() -> Vec<u8> {
    let multiply = [0x42, 1, 0x42, 2, 0xfc, 0x16, 0x1a, 0x1a];
    [vec![0], multiply.to_vec(), vec![0x0b]].concat()
}

/// A module with these functions, and nothing behind them.
fn module(bodies: &[Vec<u8>]) -> Vec<u8> {
    let count = samples::leb(u32::try_from(bodies.len()).expect("few"));
    let entry = |body: &Vec<u8>| {
        [
            &samples::leb(u32::try_from(body.len()).expect("small")),
            body.as_slice(),
        ]
        .concat()
    };
    let code: Vec<u8> = bodies.iter().flat_map(entry).collect();
    [
        b"\0asm\x01\0\0\0".to_vec(),
        samples::section(1, &[1, 0x60, 0, 0]),
        samples::section(3, &[count.clone(), vec![0; bodies.len()]].concat()),
        samples::section(10, &[count, code].concat()),
    ]
    .concat()
}

/// Functions that are good but for `exceptions`.
fn functions(exceptions: &[(usize, Vec<u8>)]) -> Vec<Vec<u8>> {
    let mut bodies = vec![good(); FUNCTIONS];
    for (place, body) in exceptions {
        bodies[*place].clone_from(body);
    }
    bodies
}

/// What validating in one go from the first byte to the last says, and so every number of threads.
fn answer(bytes: &[u8]) -> Result<(), Invalid> {
    let answer = validate(bytes).map(drop);
    for threads in [1, 4] {
        let threads = NonZeroUsize::new(threads).expect("some");
        assert_eq!(analyse(bytes, threads).map(drop), answer, "on {threads} threads");
    }
    answer
}

fn refusal(bytes: &[u8]) -> Invalid {
    answer(bytes).expect_err("it is not valid")
}

#[test]
fn good_functions_pass() {
    assert_eq!(answer(&module(&functions(&[]))), Ok(()));
}

#[test]
fn of_several_errors_the_first_in_the_file_is_told() {
    for first in [0, 1, 100, FUNCTIONS - 2] {
        let one = refusal(&module(&functions(&[(first, wrong_type())])));
        assert_eq!(one.reason, Reason::Malformed);
        for second in [first + 1, FUNCTIONS - 1] {
            let both = functions(&[(first, wrong_type()), (second, unknown())]);
            assert_eq!(refusal(&module(&both)), one, "at {first} and {second}");
        }
    }
}

#[test]
fn an_error_that_takes_long_to_find_is_told_before_one_behind_it() {
    let both = functions(&[(3, too_deep()), (4, unknown())]);
    assert_eq!(refusal(&module(&both)).reason, Reason::TooLarge);
    let turned = functions(&[(3, unknown()), (20, too_deep())]);
    assert_eq!(refusal(&module(&turned)).reason, Reason::Malformed);
}

#[test]
fn an_error_in_a_function_is_told_before_what_is_wrong_behind_the_code() {
    let one = module(&functions(&[(200, wrong_type())]));
    let expected = refusal(&one);
    for behind in [samples::section(99, &[]), samples::section(11, &[7]), vec![0, 100]] {
        assert_eq!(refusal(&[one.clone(), behind].concat()), expected);
    }
    assert_eq!(refusal(&one[..one.len() - 10_000]), expected);
}

#[test]
fn what_is_wrong_behind_good_functions_is_told() {
    let good = module(&functions(&[]));
    let behind = refusal(&[good.as_slice(), &samples::section(99, &[])].concat());
    assert!(behind.offset > Some(good.len() as u64 - 1), "{behind}");
    assert_eq!(refusal(&good[..good.len() - 10_000]).reason, Reason::Truncated);
}

#[test]
fn an_error_in_an_early_module_is_told_before_one_in_a_late_module() {
    let component = |modules: &[Vec<u8>]| {
        let sections: Vec<u8> = modules.iter().flat_map(|module| samples::section(1, module)).collect();
        [b"\0asm\x0d\0\x01\0".to_vec(), sections].concat()
    };
    let good = module(&functions(&[]));
    let wrong = module(&functions(&[(7, wrong_type())]));
    let unknown = module(&functions(&[(5, unknown())]));
    let expected = refusal(&component(&[good.clone(), wrong.clone()]));
    assert_eq!(refusal(&component(&[good, wrong, unknown])), expected);
}

#[test]
fn more_functions_than_may_wait_are_validated_all_the_same() {
    let many = |wrong: Option<usize>| {
        let mut bodies = vec![vec![0, 0x0b]; 70_000];
        if let Some(place) = wrong {
            bodies[place] = unknown();
        }
        module(&bodies)
    };
    assert_eq!(answer(&many(None)), Ok(()));
    let places = [10, 65_535, 65_536, 69_999];
    let offsets = places.map(|place| refusal(&many(Some(place))).offset);
    assert!(offsets.is_sorted() && offsets[0] < offsets[3], "{offsets:?}");
}

#[test]
fn a_function_that_wasmtime_48_does_not_run_is_found_on_any_thread() {
    let bytes = module(&functions(&[(123, wide())]));
    for threads in [1, 4] {
        let threads = NonZeroUsize::new(threads).expect("some");
        let beyond = analyse(&bytes, threads).expect("valid").inspection.beyond_wasmtime_48;
        assert_eq!(
            beyond.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["wide-arithmetic"]
        );
    }
    let wrong = module(&functions(&[(123, wide()), (124, wrong_type())]));
    assert_eq!(refusal(&wrong).reason, Reason::Malformed);
}
