//! Versions of imported and exported interfaces.

use super::{Row, check};

pub(super) const VERSIONS: &[Row] = &[
    Row {
        old: "world root { import wasi:io/streams@0.2.0; } package wasi:io@0.2.0 { interface streams { read: func(); } }",
        new: "world root { import wasi:io/streams@0.2.6; } package wasi:io@0.2.6 { interface streams { read: func(); } }",
        says: "minor
                 * import wasi:io/streams: version 0.2.6 instead of 0.2.0",
    },
    Row {
        old: "world root { import wasi:io/streams@0.2.0; } package wasi:io@0.2.0 { interface streams { read: func(); } }",
        new: "world root { import wasi:io/streams@0.2.6; } package wasi:io@0.2.6 { interface streams { read: func(); skip: func(); } }",
        says: "major
                 ! import wasi:io/streams@0.2.6: the function `skip` is new: `func()`
                 * import wasi:io/streams: version 0.2.6 instead of 0.2.0",
    },
    Row {
        old: "world root { import wasi:io/streams@0.2.6; } package wasi:io@0.2.6 { interface streams { read: func(); skip: func(); } }",
        new: "world root { import wasi:io/streams@0.2.0; } package wasi:io@0.2.0 { interface streams { read: func(); } }",
        says: "minor
                 * import wasi:io/streams: version 0.2.0 instead of 0.2.6
                 * import wasi:io/streams@0.2.0: the function `skip` is gone",
    },
    Row {
        old: "world root { export acme:a/b@1.2.0; } package acme:a@1.2.0 { interface b { run: func(); } }",
        new: "world root { export acme:a/b@1.3.0; } package acme:a@1.3.0 { interface b { run: func(); stop: func(); } }",
        says: "minor
                 * export acme:a/b: version 1.3.0 instead of 1.2.0
                 * export acme:a/b@1.3.0: the function `stop` is new: `func()`",
    },
    Row {
        old: "world root { export acme:a/b@1.3.0; } package acme:a@1.3.0 { interface b { run: func(); } }",
        new: "world root { export acme:a/b@1.2.0; } package acme:a@1.2.0 { interface b { run: func(); } }",
        says: "minor
                 * export acme:a/b: version 1.2.0 instead of 1.3.0",
    },
    Row {
        old: "world root { import wasi:random/random@0.2.6; import acme:a/b@1.0.0; }
              package wasi:random@0.2.6 { interface random { } } package acme:a@1.0.0 { interface b { } }",
        new: "world root { import acme:a/b@2.0.0; import wasi:random/random@0.2.6; import wasi:random/random@0.3.0; }
              package wasi:random@0.2.6 { interface random { } } package wasi:random@0.3.0 { interface random { } }
              package acme:a@2.0.0 { interface b { } }",
        says: "major
                 ! import acme:a/b: version 2.0.0 instead of 1.0.0, and the two are not compatible
                 ! import wasi:random/random@0.3.0 is new",
    },
];

/// Where versions are more than a name. The oracle takes every version for every other, so it is not asked.
pub(super) const TRACKS: &[Row] = &[
    Row {
        old: "world root { import wasi:io/streams@0.2.6; } package wasi:io@0.2.6 { interface streams { read: func(); } }",
        new: "world root { import wasi:io/streams@0.3.0; } package wasi:io@0.3.0 { interface streams { read: func(); } }",
        says: "major
                 ! import wasi:io/streams: version 0.3.0 instead of 0.2.6, and the two are not compatible",
    },
    Row {
        old: "world root { export acme:a/b@0.0.3; export acme:a/c@0.0.3; } package acme:a@0.0.3 { interface b { } interface c { } }",
        new: "world root { export acme:a/b@0.0.4; export acme:a/c@0.0.3; } package acme:a@0.0.3 { interface c { } } package acme:a@0.0.4 { interface b { } }",
        says: "major
                 ! export acme:a/b: version 0.0.4 instead of 0.0.3, and the two are not compatible",
    },
    Row {
        old: "world root { import wasi:http/types@0.3.0-rc-2026-01-01; } package wasi:http@0.3.0-rc-2026-01-01 { interface types { } }",
        new: "world root { import wasi:http/types@0.3.0; } package wasi:http@0.3.0 { interface types { } }",
        says: "major
                 ! import wasi:http/types: version 0.3.0 instead of 0.3.0-rc-2026-01-01, and the two are not compatible",
    },
    Row {
        old: "world root { export acme:a/b; export acme:c/d@1.0.0; } package acme:a { interface b { } } package acme:c@1.0.0 { interface d { } }",
        new: "world root { export acme:a/b@1.0.0; export acme:c/d; } package acme:a@1.0.0 { interface b { } } package acme:c { interface d { } }",
        says: "major
                 ! export acme:a/b: version 1.0.0 instead of none, and the two are not compatible
                 ! export acme:c/d: no version instead of 1.0.0, and the two are not compatible",
    },
    // On another track it is another one, though everything is called the same.
    Row {
        old: "world root { export acme:a/reader; }
              package acme:a { interface reader { use wasi:io/streams@0.2.6.{input-stream}; read: func() -> list<input-stream>; } }
              package wasi:io@0.2.6 { interface streams { resource input-stream; } }",
        new: "world root { export acme:a/reader; }
              package acme:a { interface reader { use wasi:io/streams@0.3.0.{input-stream}; read: func() -> list<input-stream>; } }
              package wasi:io@0.3.0 { interface streams { resource input-stream; } }",
        says: "major
                 ! export acme:a/reader: the type `input-stream` is `wasi:io/streams@0.3.0.{input-stream}` instead of `wasi:io/streams@0.2.6.{input-stream}`
                 ! import wasi:io/streams: version 0.3.0 instead of 0.2.6, and the two are not compatible",
    },
    // Two versions of one interface on one track: each is matched with itself first.
    Row {
        old: "world root { import acme:a/b@1.0.0; import acme:a/b@1.2.0; }
              package acme:a@1.0.0 { interface b { run: func(); } } package acme:a@1.2.0 { interface b { stop: func(); } }",
        new: "world root { import acme:a/b@1.2.0; } package acme:a@1.2.0 { interface b { stop: func(); } }",
        says: "minor
                 * import acme:a/b@1.0.0 is gone",
    },
    // The interface behind a name of the component's own.
    Row {
        old: "world root { import first: acme:a/b@1.0.0; import second: acme:a/b@1.0.0; }
              package acme:a@1.0.0 { interface b { run: func(); } }",
        new: "world root { import first: acme:a/c@1.1.0; import second: acme:a/b@1.1.0; }
              package acme:a@1.1.0 { interface b { run: func(); } interface c { run: func(); } }",
        says: "minor
                 * import first: it is acme:a/c instead of acme:a/b
                 * import first: version 1.1.0 instead of 1.0.0
                 * import second: version 1.1.0 instead of 1.0.0",
    },
];

#[test]
fn what_a_version_says_of_an_interface() {
    check(VERSIONS);
    check(TRACKS);
}
