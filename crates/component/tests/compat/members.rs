//! Signatures and types, member by member.

use super::{Row, check};

pub(super) const FUNCTIONS: &[Row] = &[
    Row {
        old: "world root { export run: func(name: string); }",
        new: "world root { export run: func(name: string, times: u32); }",
        says: "major
                 ! export run: it takes `times: u32` now",
    },
    Row {
        old: "world root { export run: func(name: string, times: u32); }",
        new: "world root { export run: func(times: u32); }",
        says: "major
                 ! export run: it takes `name: string` no more",
    },
    Row {
        old: "world root { import run: func(name: string); }",
        new: "world root { import run: func(); }",
        says: "major
                 ! import run: it takes `name: string` no more",
    },
    Row {
        old: "world root { export run: func(name: string, times: u32); }",
        new: "world root { export run: func(who: string, times: u32); }",
        says: "major
                 ! export run: it calls its parameter `who: string`, which was `name: string`",
    },
    Row {
        old: "world root { export run: func(name: string); }",
        new: "world root { export run: func(name: list<string>); }",
        says: "major
                 ! export run: it takes `name: list<string>` instead of `name: string`",
    },
    Row {
        old: "world root { import run: func(name: string, times: u32); }",
        new: "world root { import run: func(times: u32, name: string); }",
        says: "major
                 ! import run: it takes its parameters in another order: `times: u32, name: string`",
    },
    Row {
        old: "world root { export a: func() -> u32; export b: func(); export c: func() -> result<_, string>; }",
        new: "world root { export a: func(); export b: func() -> string; export c: func() -> result<string>; }",
        says: "major
                 ! export a: it returns nothing now, and returned `u32`
                 ! export b: it returns `string` now, and returned nothing
                 ! export c: it returns `result<string>` instead of `result<_, string>`",
    },
    Row {
        old: "world root { import a: func(); export b: async func(); }",
        new: "world root { import a: async func(); export b: func(); }",
        says: "major
                 ! export b: it is async no more
                 ! import a: it is async now",
    },
    Row {
        old: "world root { export a: func(a: stream<u8>) -> future; }",
        new: "world root { export a: func(a: stream<u16>) -> future<string>; }",
        says: "major
                 ! export a: it takes `a: stream<u16>` instead of `a: stream<u8>`
                 ! export a: it returns `future<string>` instead of `future`",
    },
    Row {
        old: "world root { import a: func(a: tuple<u8, option<char>>) -> result<f32, s8>; }",
        new: "world root { import a: func(a: tuple<u8, option<bool>>) -> result<f64, s8>; }",
        says: "major
                 ! import a: it takes `a: tuple<u8, option<bool>>` instead of `a: tuple<u8, option<char>>`
                 ! import a: it returns `result<f64, s8>` instead of `result<f32, s8>`",
    },
];

/// Types that the oracle does not know unless told to.
const NEW_TYPES: &[Row] = &[Row {
    old: "world root { export a: func(a: stream<u8>) -> future; export b: func(a: map<string, u8>, b: list<u8, 4>); }",
    new: "world root { export a: func(a: stream<u16>) -> future<error-context>; export b: func(a: map<u8, u8>, b: list<u8, 8>); }",
    says: "major
                 ! export a: it takes `a: stream<u16>` instead of `a: stream<u8>`
                 ! export a: it returns `future<error-context>` instead of `future`
                 ! export b: it takes `a: map<u8, u8>` instead of `a: map<string, u8>`
                 ! export b: it takes `b: list<u8, 8>` instead of `b: list<u8, 4>`",
}];

pub(super) const TYPES: &[Row] = &[
    Row {
        old: "world root { export shapes: interface { record point { x: u32, y: u32 } } }",
        new: "world root { export shapes: interface { record point { x: u32, y: u64, z: u32 } } }",
        says: "major
                 ! export shapes: the record `point` has the field `z: u32` now
                 ! export shapes: the record `point` has `y: u64` instead of `y: u32`",
    },
    Row {
        old: "world root { import shapes: interface { record point { x: u32, y: u32 } draw: func(at: point); } }",
        new: "world root { import shapes: interface { record point { x: u32 } draw: func(at: point); } }",
        says: "major
                 ! import shapes: the record `point` has the field `y: u32` no more",
    },
    Row {
        old: "world root { export shapes: interface { record point { x: u32, y: u32 } } }",
        new: "world root { export shapes: interface { record point { y: u32, x: u32 } } }",
        says: "major
                 ! export shapes: the record `point` has its fields in another order: `y: u32, x: u32`",
    },
    Row {
        old: "world root { export shapes: interface { variant shape { dot, circle(u32), square(u32) } } }",
        new: "world root { export shapes: interface { variant shape { dot(u8), circle(u32), line } } }",
        says: "major
                 ! export shapes: the variant `shape` has the case `line` now
                 ! export shapes: the variant `shape` has the case `square(u32)` no more
                 ! export shapes: the variant `shape` has `dot(u8)` instead of `dot`",
    },
    Row {
        old: "world root { export shapes: interface { enum tone { red, green } flags how { soft, slow } } }",
        new: "world root { export shapes: interface { enum tone { red, green, blue } flags how { slow } } }",
        says: "major
                 ! export shapes: the enum `tone` has the case `blue` now
                 ! export shapes: the flags `how` have the flag `soft` no more",
    },
    Row {
        old: "world root { import shapes: interface { enum tone { red, green } flags how { soft } draw: func(in: tone, how: how); } }",
        new: "world root { import shapes: interface { enum tone { green, red } flags how { soft, slow } draw: func(in: tone, how: how); } }",
        says: "major
                 ! import shapes: the enum `tone` has its cases in another order: `green, red`
                 ! import shapes: the flags `how` have the flag `slow` now",
    },
    Row {
        old: "world root { import shapes: interface { enum tone { red, green } flags how { soft, slow } draw: func(in: tone, how: how); } }",
        new: "world root { import shapes: interface { enum tone { red } flags how { slow, soft } draw: func(in: tone, how: how); } }",
        says: "major
                 ! import shapes: the enum `tone` has the case `green` no more
                 ! import shapes: the flags `how` have its flags in another order: `slow, soft`",
    },
    Row {
        old: "world root { export shapes: interface { enum tone { red } type size = u32; type sizes = list<u8>; } }",
        new: "world root { export shapes: interface { variant tone { red } type size = list<u32>; type sizes = list<u16>; } }",
        says: "major
                 ! export shapes: the type `size` is `list<u32>` instead of `u32`
                 ! export shapes: the type `sizes` is `list<u16>` instead of `list<u8>`
                 ! export shapes: the type `tone` is `variant { red }` instead of `enum { red }`",
    },
    Row {
        old: "world root { record point { x: u32 } import run: func(at: point); }",
        new: "world root { record point { x: u64 } import run: func(at: point); }",
        says: "major
                 ! import point: it has `x: u64` instead of `x: u32`",
    },
    // A type that changed is told once, and not again where it is used.
    Row {
        old: "world root { export acme:a/use-it; }
              package acme:a { interface types { record point { x: u32 } type other = point; }
                               interface use-it { use types.{point as place, other}; run: func(at: list<place>) -> other; } }",
        new: "world root { export acme:a/use-it; }
              package acme:a { interface types { record point { x: u32, y: u32 } type other = point; }
                               interface use-it { use types.{point as place, other}; run: func(at: list<place>) -> other; } }",
        says: "major
                 ! import acme:a/types: the record `point` has the field `y: u32` now",
    },
    // A type that was moved, or got another name where nobody can see it, is the same.
    Row {
        old: "world root { export acme:a/use-it; }
              package acme:a { interface use-it { record point { x: u32 } run: func(at: point); } }",
        new: "world root { export acme:a/use-it; }
              package acme:a { interface use-it { use acme:b/types.{place as point}; run: func(at: point); } }
              package acme:b { interface types { type number = u32; record place { x: number } } }",
        says: "major
                 ! import acme:b/types is new",
    },
    Row {
        old: "world root { export acme:a/use-it; }
              package acme:a { interface use-it { record point { x: u32 } run: func(at: point); } }",
        new: "world root { export acme:a/use-it; }
              package acme:a { interface use-it { use acme:b/types.{place as point}; run: func(at: point); } }
              package acme:b { interface types { record place { x: u32, y: u32 } } }",
        says: "major
                 ! export acme:a/use-it: the record `point` has the field `y: u32` now
                 ! import acme:b/types is new",
    },
];

#[test]
fn what_a_function_takes_and_returns() {
    check(FUNCTIONS);
    check(NEW_TYPES);
}

#[test]
fn what_a_type_is() {
    check(TYPES);
}
