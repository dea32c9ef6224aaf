//! Files that are larger than what the gate may hold.

use wreg_component::{Invalid, Kind, MAX_PENDING, Reason, Valid, Validator, validate};

use crate::samples;

const MIB: usize = 1 << 20;
const MODULE: &[u8] = b"\0asm\x01\0\0\0";
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// Pushes pieces until one is refused, and gives the most bytes that the validator held at a time.
fn push<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Result<Valid, Invalid>, usize) {
    let mut validator = Validator::new();
    let mut most = 0;
    for piece in pieces {
        if let Err(invalid) = validator.push(piece) {
            return (Err(invalid), most);
        }
        most = most.max(validator.pending());
    }
    (validator.finish(), most)
}

/// The head of a section with `size` bytes of content.
fn head(id: u8, size: usize) -> Vec<u8> {
    [vec![id], samples::leb(u32::try_from(size).expect("small"))].concat()
}

/// **W05** A custom section of 64 MiB → passed over; no more than its name is held.
#[test]
fn a_huge_custom_section_is_not_held() {
    let piece = vec![0xa5; 100_003];
    let size = 64 * MIB;
    let name = b"\x04blob";
    let start = [COMPONENT, &head(0, size), name].concat();
    let rest = size - name.len();
    let pieces = std::iter::once(start.as_slice())
        .chain(std::iter::repeat_n(piece.as_slice(), rest / piece.len()))
        .chain([&piece[..rest % piece.len()]]);
    let (answer, most) = push(pieces);
    let valid = answer.expect("a custom section may hold anything");
    assert_eq!((valid.kind, valid.size), (Kind::Component, (start.len() + rest) as u64));
    assert!(most <= 200_000, "held {most} bytes");
}

/// **W05** A custom section whose name is not UTF-8 → refused, large or small.
#[test]
fn the_name_of_a_huge_custom_section_counts() {
    let content = [b"\x02\xff\xfe".as_slice(), &vec![0; MIB]].concat();
    let bytes = [MODULE, &samples::section(0, &content)].concat();
    assert_eq!(validate(&bytes).expect_err("not UTF-8").reason, Reason::Malformed);
}

#[test]
fn a_huge_custom_section_that_is_cut_off_is_refused() {
    let bytes = [MODULE, &samples::section(0, &vec![0; MIB])].concat();
    let invalid = validate(&bytes[..bytes.len() - 1]).expect_err("a byte is missing");
    assert_eq!(invalid.reason, Reason::Truncated);
}

#[test]
fn what_follows_a_huge_custom_section_is_still_validated_at_its_own_offset() {
    let custom = samples::section(0, &vec![0; MIB]);
    let tail = &samples::module()[8..];
    let inner = [MODULE, &custom, tail, &custom].concat();
    assert!(validate(&inner).is_ok());
    validate(&[COMPONENT, &samples::section(1, &inner), &custom].concat()).expect("valid");

    let broken = [MODULE, &custom, &[99, 0]].concat();
    let invalid = validate(&broken).expect_err("no section has this number");
    assert_eq!(invalid.offset, Some(broken.len() as u64));
}

#[test]
fn a_huge_custom_section_may_not_reach_out_of_its_module() {
    let custom = samples::section(0, &vec![0; MIB]);
    let mut module = [MODULE, &custom].concat();
    let end = module.len() - 10;
    let spilled = module.split_off(end);
    let bytes = [COMPONENT, &samples::section(1, &module), &spilled].concat();
    assert_eq!(
        validate(&bytes).expect_err("longer than its module").reason,
        Reason::Malformed
    );
}

/// A module with one memory and these data segments, each with its offset expression.
fn with_data(segments: &[(&[u8], Vec<u8>)]) -> Vec<u8> {
    let mut content = samples::leb(u32::try_from(segments.len()).expect("few"));
    for (before, data) in segments {
        content.extend_from_slice(before);
        content.extend(samples::leb(u32::try_from(data.len()).expect("small")));
        content.extend_from_slice(data);
    }
    [
        MODULE,
        &samples::section(5, &[1, 0, 1]),
        &samples::section(11, &content),
    ]
    .concat()
}

/// An active segment at an address that the expression gives as an i32, and a passive one.
const ACTIVE: &[u8] = &[0, 0x41, 8, 0x0b];
const PASSIVE: &[u8] = &[1];

#[test]
fn a_huge_data_section_is_not_held() {
    let bytes = with_data(&[
        (ACTIVE, vec![7; 20 * MIB]),
        (PASSIVE, vec![8; 20 * MIB]),
        (ACTIVE, vec![]),
    ]);
    for piece in [4096, 1_000_003] {
        let (answer, most) = push(bytes.chunks(piece));
        assert_eq!(answer.expect("valid").kind, Kind::Module);
        assert!(most <= 1024, "held {most} bytes");
    }
    assert!(validate(&bytes).is_ok());
}

#[test]
fn a_huge_data_section_is_validated_like_a_small_one() {
    let filler = || vec![0; MIB];
    let wrong: [(&str, &[u8]); 4] = [
        ("an offset of another type", &[0, 0x42, 8, 0x0b]),
        ("a memory that is not there", &[2, 1, 0x41, 8, 0x0b]),
        ("a flag that is not one", &[3]),
        ("an expression without an end", &[0, 0x41, 8, 0x41, 8]),
    ];
    for (what, before) in wrong {
        let small = validate(&with_data(&[(PASSIVE, vec![0; 10]), (before, vec![])])).expect_err(what);
        let large = validate(&with_data(&[(PASSIVE, filler()), (before, vec![])])).expect_err(what);
        assert_eq!(
            (large.reason, small.reason),
            (Reason::Malformed, Reason::Malformed),
            "{what}"
        );
    }
}

#[test]
fn the_number_of_data_segments_must_be_right_in_a_huge_data_section() {
    let whole = with_data(&[(PASSIVE, vec![0; MIB]), (PASSIVE, vec![])]);
    let count_at = whole.len() - MIB - 7;
    assert_eq!(whole[count_at..][..2], [2, 1]);
    for count in [0, 1, 3] {
        let mut bytes = whole.clone();
        bytes[count_at] = count;
        let invalid = validate(&bytes).expect_err("the count differs");
        assert_eq!(invalid.reason, Reason::Malformed, "{count}: {invalid}");
    }
}

#[test]
fn the_data_count_must_agree_with_a_huge_data_section() {
    let content = [
        samples::leb(1),
        vec![1],
        samples::leb(u32::try_from(MIB).expect("small")),
        vec![0; MIB],
    ]
    .concat();
    let with_count = |count| [MODULE, &samples::section(12, &[count]), &samples::section(11, &content)].concat();
    assert!(validate(&with_count(1)).is_ok());
    assert!(validate(&with_count(2)).is_err());
}

#[test]
fn a_huge_data_section_twice_is_refused() {
    let content = [
        samples::leb(1),
        vec![1],
        samples::leb(u32::try_from(MIB).expect("small")),
        vec![0; MIB],
    ]
    .concat();
    let section = samples::section(11, &content);
    assert!(validate(&[MODULE, &section].concat()).is_ok());
    assert!(validate(&[MODULE, &section, &section].concat()).is_err());
}

#[test]
fn more_than_may_be_held_is_refused_before_it_arrives() {
    let bytes = [MODULE, &head(1, MAX_PENDING + 1), &[0; 100]].concat();
    let (answer, most) = push([bytes.as_slice()]);
    assert_eq!(answer.expect_err("too large").reason, Reason::TooLarge);
    assert!(most <= bytes.len());
}

#[test]
fn a_section_that_may_not_be_held_is_refused_however_it_arrives() {
    let elements = |count: usize| {
        let segment = [
            vec![1, 0],
            samples::leb(u32::try_from(count).expect("few")),
            vec![0; count],
        ]
        .concat();
        [
            MODULE,
            &samples::section(1, &[1, 0x60, 0, 0]),
            &samples::section(2, &[1, 0, 0, 0, 0]),
            &samples::section(9, &[vec![2], segment.clone(), segment].concat()),
        ]
        .concat()
    };
    assert!(validate(&elements(100_000)).is_ok());
    let bytes = elements(9_000_000);
    assert_eq!(validate(&bytes).expect_err("too large").reason, Reason::TooLarge);
    let (answer, _) = push(bytes.chunks(1_000_000));
    assert_eq!(answer.expect_err("too large").reason, Reason::TooLarge);
}

#[test]
fn types_by_the_megabyte_are_refused() {
    let types = |count: usize| {
        let content = [
            samples::leb(u32::try_from(count).expect("few")),
            [0x60, 0, 0].repeat(count),
        ]
        .concat();
        [MODULE, &samples::section(1, &content)].concat()
    };
    assert!(validate(&types(100_000)).is_ok());
    assert_eq!(
        validate(&types(1_500_000)).expect_err("too many").reason,
        Reason::TooLarge
    );

    let nested = samples::section(1, &types(700_000));
    assert!(validate(&[COMPONENT, &nested].concat()).is_ok());
    assert_eq!(
        validate(&[COMPONENT, &nested, &nested].concat())
            .expect_err("too many")
            .reason,
        Reason::TooLarge
    );
}

#[test]
fn code_is_held_one_function_at_a_time() {
    let body = [vec![0], vec![1; 50_000], vec![0x0b]].concat();
    let function = [samples::leb(u32::try_from(body.len()).expect("small")), body].concat();
    let content = [samples::leb(100), function.repeat(100)].concat();
    let bytes = [
        MODULE,
        &samples::section(1, &[1, 0x60, 0, 0]),
        &samples::section(3, &[samples::leb(100), vec![0; 100]].concat()),
        &samples::section(10, &content),
    ]
    .concat();
    let (answer, most) = push(bytes.chunks(1000));
    assert_eq!(answer.expect("valid").kind, Kind::Module);
    assert!(most <= 60_000, "held {most} bytes");
}
