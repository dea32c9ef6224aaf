//! Resources, which are known by where they are and not by what they are.

use super::{Row, check};

pub(super) const RESOURCES: &[Row] = &[
    Row {
        old: "world root { export files: interface { } }",
        new: "world root { export files: interface { resource file { constructor(name: string); read: func() -> list<u8>; } } }",
        says: "minor
                 * export files: the resource `file` is new",
    },
    Row {
        old: "world root { export files: interface { resource file { constructor(name: string); read: func() -> list<u8>; } } }",
        new: "world root { export files: interface { } }",
        says: "major
                 ! export files: the resource `file` is gone",
    },
    Row {
        old: "world root { import files: interface { count: func(); } }",
        new: "world root { import files: interface { count: func(); resource file { read: func(); } } }",
        says: "major
                 ! import files: the resource `file` is new",
    },
    Row {
        old: "world root { import files: interface { count: func(); resource file { read: func(); } } }",
        new: "world root { import files: interface { count: func(); } }",
        says: "minor
                 * import files: the resource `file` is gone",
    },
    Row {
        old: "world root { export files: interface { resource file { read: func(); } } }",
        new: "world root { export files: interface { resource file { constructor(); read: func(); open: static func() -> file; close: async func(); } } }",
        says: "minor
                 * export files: the constructor of `file` is new: `constructor()`
                 * export files: the method `file.close` is new: `async func()`
                 * export files: the static function `file.open` is new: `func() -> file`",
    },
    Row {
        old: "world root { import files: interface { resource file { constructor(); read: func(); } } }",
        new: "world root { import files: interface { resource file { open: static func() -> file; read: func(); } } }",
        says: "major
                 ! import files: the static function `file.open` is new: `func() -> file`
                 * import files: the constructor of `file` is gone",
    },
    Row {
        old: "world root { export files: interface { resource file { constructor(name: string); read: func(count: u32) -> list<u8>; open: static func() -> file; } } }",
        new: "world root { export files: interface { resource file { constructor(path: string) -> result<file>; read: async func(count: u64) -> list<u8>; open: static func() -> option<file>; } } }",
        says: "major
                 ! export files: the constructor of `file` calls its parameter `path: string`, which was `name: string`
                 ! export files: the constructor of `file` returns `result<file>` instead of `file`
                 ! export files: the method `file.read` is async now
                 ! export files: the method `file.read` takes `count: u64` instead of `count: u32`
                 ! export files: the static function `file.open` returns `option<file>` instead of `file`",
    },
    Row {
        old: "world root { export files: interface { resource file; take: func(it: file); lend: func(it: borrow<file>); } }",
        new: "world root { export files: interface { resource file; take: func(it: borrow<file>); lend: func(it: file); } }",
        says: "major
                 ! export files: the function `lend` takes `it: file` instead of `it: borrow<file>`
                 ! export files: the function `take` takes `it: borrow<file>` instead of `it: file`",
    },
    Row {
        old: "world root { export files: interface { resource file; type size = u32; } }",
        new: "world root { export files: interface { record file { size: u32 } resource size; } }",
        says: "major
                 ! export files: the type `file` is `record { size: u32 }` instead of `resource`
                 ! export files: the type `size` is `resource` instead of `u32`",
    },
    // On one track a resource is the same.
    Row {
        old: "world root { export acme:a/reader; }
              package acme:a { interface reader { use wasi:io/streams@0.2.0.{input-stream}; read: func() -> input-stream; } }
              package wasi:io@0.2.0 { interface streams { resource input-stream; } }",
        new: "world root { export acme:a/reader; }
              package acme:a { interface reader { use wasi:io/streams@0.2.6.{input-stream}; read: func() -> input-stream; } }
              package wasi:io@0.2.6 { interface streams { resource input-stream; } }",
        says: "minor
                 * import wasi:io/streams: version 0.2.6 instead of 0.2.0",
    },
    // The resource that a component exports is another one than the one that it imports.
    Row {
        old: "world root { import acme:a/types; export acme:a/handler; }
              package acme:a { interface types { resource request; }
                               interface handler { use types.{request}; handle: func(it: request); } }",
        new: "world root { export acme:a/types; export acme:a/handler; }
              package acme:a { interface types { resource request; }
                               interface handler { use types.{request}; handle: func(it: request); } }",
        says: "major
                 ! export acme:a/handler: the type `request` is `export acme:a/types.{request}` instead of `import acme:a/types.{request}`
                 * export acme:a/types is new
                 * import acme:a/types is gone",
    },
    Row {
        old: "world root { import acme:a/types; export acme:a/handler; }
              package acme:a { interface types { resource request; }
                               interface handler { use types.{request}; handle: func(it: request); } }",
        new: "world root { import acme:a/types; export acme:a/types; export acme:a/handler; }
              package acme:a { interface types { resource request; }
                               interface handler { use types.{request}; handle: func(it: request); } }",
        says: "major
                 ! export acme:a/handler: the type `request` is `export acme:a/types.{request}` instead of `import acme:a/types.{request}`
                 * export acme:a/types is new",
    },
    Row {
        old: "world root { resource file { read: func(); } import run: func(it: borrow<file>); }",
        new: "world root { resource file { read: func() -> u32; write: func(); } import run: func(it: borrow<file>); }",
        says: "major
                 ! import method file.read: it returns `u32` now, and returned nothing
                 ! import method file.write is new: `func()`",
    },
];

#[test]
fn what_a_resource_is_and_does() {
    check(RESOURCES);
}
