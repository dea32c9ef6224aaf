//! Components: what they import and export.

use super::{Row, check};

/// Imports and exports come and go, and change their kind.
pub(super) const ITEMS: &[Row] = &[
    Row {
        old: "world root { }",
        new: "world root { import run: func(); }",
        says: "major
                 ! import run is new: `func()`",
    },
    Row {
        old: "world root { import run: func(name: string) -> u32; }",
        new: "world root { }",
        says: "minor
                 * import run is gone",
    },
    Row {
        old: "world root { }",
        new: "world root { export run: async func(); }",
        says: "minor
                 * export run is new: `async func()`",
    },
    Row {
        old: "world root { export run: func(); }",
        new: "world root { }",
        says: "major
                 ! export run is gone",
    },
    Row {
        old: "world root { }",
        new: "world root { import acme:log/sink@1.2.0; } package acme:log@1.2.0 { interface sink { write: func(); } }",
        says: "major
                 ! import acme:log/sink@1.2.0 is new",
    },
    Row {
        old: "world root { import acme:log/sink@1.2.0; } package acme:log@1.2.0 { interface sink { write: func(); } }",
        new: "world root { }",
        says: "minor
                 * import acme:log/sink@1.2.0 is gone",
    },
    Row {
        old: "world root { export acme:log/sink@1.2.0; } package acme:log@1.2.0 { interface sink { write: func(); } }",
        new: "world root { export acme:log/sink@1.2.0; export acme:log/more@1.2.0; }
              package acme:log@1.2.0 { interface sink { write: func(); } interface more { } }",
        says: "minor
                 * export acme:log/more@1.2.0 is new",
    },
    Row {
        old: "world root { export acme:log/sink@1.2.0; } package acme:log@1.2.0 { interface sink { write: func(); } }",
        new: "world root { }",
        says: "major
                 ! export acme:log/sink@1.2.0 is gone",
    },
    Row {
        old: "world root { export run: func(); }",
        new: "world root { export run: interface { start: func(); } }",
        says: "major
                 ! export run: it is an interface instead of a function",
    },
    Row {
        old: "world root { import point: interface { } }",
        new: "world root { record point { x: u32 } }",
        says: "major
                 ! import point: it is a type instead of an interface",
    },
    Row {
        old: "world root { import a: func(); import b: func(); export c: func(); export d: func(); }",
        new: "world root { export d: func(); import b: func(); export c: func(); import a: func(); }",
        says: "same",
    },
];

/// Functions and types of an interface that is imported or exported come and go.
pub(super) const INTERFACES: &[Row] = &[
    Row {
        old: "world root { export acme:hello/greet@1.2.0; }
              package acme:hello@1.2.0 { interface greet { hello: func(name: string) -> string; } }",
        new: "world root { export acme:hello/greet@1.2.0; }
              package acme:hello@1.2.0 { interface greet { hello: func(name: string) -> string; bye: func(); } }",
        says: "minor
                 * export acme:hello/greet@1.2.0: the function `bye` is new: `func()`",
    },
    Row {
        old: "world root { export acme:hello/greet@1.2.0; }
              package acme:hello@1.2.0 { interface greet { hello: func(); bye: func(); } }",
        new: "world root { export acme:hello/greet@1.2.0; }
              package acme:hello@1.2.0 { interface greet { hello: func(); } }",
        says: "major
                 ! export acme:hello/greet@1.2.0: the function `bye` is gone",
    },
    Row {
        old: "world root { import acme:hello/greet@1.2.0; }
              package acme:hello@1.2.0 { interface greet { hello: func(); } }",
        new: "world root { import acme:hello/greet@1.2.0; }
              package acme:hello@1.2.0 { interface greet { hello: func(); bye: func() -> bool; } }",
        says: "major
                 ! import acme:hello/greet@1.2.0: the function `bye` is new: `func() -> bool`",
    },
    Row {
        old: "world root { import acme:hello/greet@1.2.0; }
              package acme:hello@1.2.0 { interface greet { hello: func(); bye: func(); } }",
        new: "world root { import acme:hello/greet@1.2.0; }
              package acme:hello@1.2.0 { interface greet { hello: func(); } }",
        says: "minor
                 * import acme:hello/greet@1.2.0: the function `bye` is gone",
    },
    Row {
        old: "world root { export greet: interface { enum tone { formal, warm } } }",
        new: "world root { export greet: interface { enum tone { formal, warm } record name { first: string, last: option<string> } } }",
        says: "minor
                 * export greet: the type `name` is new: `record { first: string, last: option<string> }`",
    },
    Row {
        old: "world root { export greet: interface { enum tone { formal, warm } } }",
        new: "world root { export greet: interface { } }",
        says: "major
                 ! export greet: the type `tone` is gone",
    },
    Row {
        old: "world root { variant when { now, at(u64) } export run: func(at: when); }",
        new: "world root { type how = list<tuple<u8, string>>; export run: func(); export walk: func(it: how); }",
        says: "major
                 ! export run: it takes `at: when` no more
                 ! import how is new: `list<tuple<u8, string>>`
                 * export walk is new: `func(it: how)`
                 * import when is gone",
    },
];

/// Types that are imported and that no function needs. The oracle makes a component of the newer world, which loses them; a component
/// that does import them must be given them.
const UNUSED: &[Row] = &[
    Row {
        old: "world root { import greet: interface { } }",
        new: "world root { import greet: interface { flags how { soft, slow } } }",
        says: "major
                 ! import greet: the type `how` is new: `flags { soft, slow }`",
    },
    Row {
        old: "world root { import greet: interface { variant when { now, at(u64) } } }",
        new: "world root { import greet: interface { } }",
        says: "minor
                 * import greet: the type `when` is gone",
    },
    Row {
        old: "world root { variant when { now, at(u64) } }",
        new: "world root { type how = list<tuple<u8, string>>; }",
        says: "major
                 ! import how is new: `list<tuple<u8, string>>`
                 * import when is gone",
    },
];

#[test]
fn what_is_imported_and_exported() {
    check(ITEMS);
}

#[test]
fn what_is_in_an_interface_that_is_imported_or_exported() {
    check(INTERFACES);
    check(UNUSED);
}
