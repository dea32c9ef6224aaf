//! WIT packages: what is implemented by some and called by others.

use super::{Row, check, oracle};

pub(super) const INTERFACES: &[Row] = &[
    Row {
        old: "package acme:hello@1.2.0; interface greet { hello: func(); }",
        new: "package acme:hello@2.0.0; interface greet { hello: func(); }",
        says: "same",
    },
    Row {
        old: "package acme:hello; interface greet { hello: func(); } interface old { }",
        new: "package acme:hello; interface greet { hello: func(); bye: func(); enum tone { warm } resource guest; } interface new { }",
        says: "major
                 ! interface old is gone
                 * interface greet: the function `bye` is new: `func()`
                 * interface greet: the resource `guest` is new
                 * interface greet: the type `tone` is new: `enum { warm }`
                 * interface new is new",
    },
    Row {
        old: "package acme:hello; interface greet { hello: func(name: string); bye: func(); enum tone { warm } resource guest; }",
        new: "package acme:hello; interface greet { hello: func(name: string, times: u32); }",
        says: "major
                 ! interface greet: the function `bye` is gone
                 ! interface greet: the function `hello` takes `times: u32` now
                 ! interface greet: the resource `guest` is gone
                 ! interface greet: the type `tone` is gone",
    },
    Row {
        old: "package acme:hello; interface types { enum tone { warm } } interface greet { use types.{tone}; hello: func(how: tone); }",
        new: "package acme:hello; interface types { enum tone { warm, cold } } interface greet { use types.{tone}; hello: func(how: tone); }",
        says: "major
                 ! interface types: the enum `tone` has the case `cold` now",
    },
    // A type of another package, of which only this package tells.
    Row {
        old:
            "package acme:hello; interface greet { use acme:types/tones@1.0.0.{tone}; hello: func(how: option<tone>); }
              package acme:types@1.0.0 { interface tones { enum tone { warm } } }",
        new:
            "package acme:hello; interface greet { use acme:types/tones@1.1.0.{tone}; hello: func(how: option<tone>); }
              package acme:types@1.1.0 { interface tones { enum tone { warm, cold } } }",
        says: "major
                 ! interface greet: the enum `tone` has the case `cold` now",
    },
    Row {
        old: "package acme:hello; interface greet { use acme:types/tones.{tone}; hello: func(how: option<tone>); }
              package acme:types { interface tones { enum tone { warm } } }",
        new: "package acme:hello; interface greet { use acme:types/tones.{tone}; hello: func(how: option<tone>); }
              package acme:types { interface tones { enum tone { warm, cold } } }",
        says: "major
                 ! interface greet: the enum `tone` has the case `cold` now",
    },
    Row {
        old: "package acme:hello; interface greet { hello: func(); }",
        new: "package acme:salute; interface greet { hello: func(); }",
        says: "major
                 ! package acme:salute was called acme:hello",
    },
    Row {
        old: "world root { }",
        new: "package acme:hello; interface greet { }",
        says: "a component and a WIT package cannot be compared",
    },
];

pub(super) const WORLDS: &[Row] = &[
    Row {
        old: "package acme:hello; world app { export run: func(); }",
        new: "package acme:hello; world app { import log: func(); export run: func(); }",
        says: "minor
                 * world app, import log is new: `func()`",
    },
    Row {
        old: "package acme:hello; world app { import log: func(); export run: func(); }",
        new: "package acme:hello; world app { export run: func(); }",
        says: "major
                 ! world app, import log is gone",
    },
    Row {
        old: "package acme:hello; world app { export run: func(); }",
        new: "package acme:hello; world app { export run: func(); export stop: func(); }",
        says: "major
                 ! world app, export stop is new: `func()`",
    },
    Row {
        old: "package acme:hello; world app { export run: func() -> u32; }",
        new: "package acme:hello; world app { export run: func() -> u64; }",
        says: "major
                 ! world app, export run: it returns `u64` instead of `u32`",
    },
    // One more function is nothing to whoever calls it, and a duty to whoever must bring it.
    Row {
        old: "package acme:hello; interface log { info: func(); } world app { import log; }",
        new: "package acme:hello; interface log { info: func(); warn: func(); } world app { import log; }",
        says: "minor
                 * interface log: the function `warn` is new: `func()`",
    },
    Row {
        old: "package acme:hello; interface greet { hello: func(); } world app { export greet; }",
        new: "package acme:hello; interface greet { hello: func(); bye: func(); } world app { export greet; }",
        says: "major
                 ! world app, export greet: the function `bye` is new: `func()`
                 * interface greet: the function `bye` is new: `func()`",
    },
    Row {
        old: "package acme:hello; world app { import wasi:io/streams@0.2.0; }
              package wasi:io@0.2.0 { interface streams { read: func(); } }",
        new: "package acme:hello; world app { import wasi:io/streams@0.2.6; }
              package wasi:io@0.2.6 { interface streams { read: func(); skip: func(); } }",
        says: "minor
                 * world app, import wasi:io/streams: version 0.2.6 instead of 0.2.0
                 * world app, import wasi:io/streams@0.2.6: the function `skip` is new: `func()`",
    },
];

/// What the oracle has no opinion of, or another one.
pub(super) const MORE: &[Row] = &[
    Row {
        old: "package acme:hello; world app { } world old { }",
        new: "package acme:hello; world app { } world new { }",
        says: "major
                 ! world old is gone
                 * world new is new",
    },
    Row {
        old: "package acme:hello; world app { export run: func(); export stop: func(); }",
        new: "package acme:hello; world app { export run: func(); }",
        says: "major
                 ! world app, export stop is gone",
    },
    Row {
        old: "/// Greets.\n package acme:hello; /// Says things.\n interface greet { hello: func(); enum tone { /// Kind.\n warm } } world app { export greet; }",
        new: "/// Greets.\n package acme:hello; /// Says more.\n interface greet { /// Hi.\n hello: func(); enum tone { /// Nice.\n warm } } /// For all.\n world app { /// Needed.\n export greet; }",
        says: "patch
               * interface greet: its documentation has changed
               * interface greet: the documentation of the enum `tone` has changed
               * interface greet: the documentation of the function `hello` has changed
               * world app: its documentation has changed
               * world app, export greet: its documentation has changed",
    },
    Row {
        old: "package acme:hello@0.1.0; interface greet { @since(version = 0.1.0) a: func(); @unstable(feature = x) b: func(); c: func(); }",
        new: "package acme:hello@0.1.1; interface greet { @since(version = 0.1.0) @deprecated(version = 0.1.1) a: func(); @since(version = 0.1.1) b: func(); @unstable(feature = y) c: func(); }",
        says: "major
                 ! interface greet: the function `c` is unstable now
                 * interface greet: the function `a` is deprecated now
                 * interface greet: the function `b` is unstable no more",
    },
    // What is unstable may change and go.
    Row {
        old: "package acme:hello@0.1.0; interface greet { @unstable(feature = x) a: func(); @unstable(feature = x) b: func(); @unstable(feature = x) record r { a: u8 } }
              @unstable(feature = x) interface more { c: func(); } @unstable(feature = x) world app { import greet; }",
        new: "package acme:hello@0.1.1; interface greet { @unstable(feature = x) a: func(b: u8); @unstable(feature = x) record r { a: u16 } }
              @unstable(feature = x) interface more { } @unstable(feature = x) world app { }",
        says: "minor
                 * interface greet: the function `a` takes `b: u8` now
                 * interface greet: the function `b` is gone
                 * interface greet: the record `r` has `a: u16` instead of `a: u8`
                 * interface more: the function `c` is gone
                 * world app, import greet is gone",
    },
];

#[test]
fn what_a_package_has_for_others() {
    check(INTERFACES);
}

#[test]
fn what_a_world_asks_of_the_components_that_are_made_for_it() {
    check(WORLDS);
    check(MORE);
}

#[test]
fn the_oracle_agrees_on_worlds() {
    oracle::agrees(WORLDS);
}
