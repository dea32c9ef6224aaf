//! What real toolchains make.

use std::num::NonZeroUsize;

use wreg_component::{Analysis, Kind, analyse, validate};
use wreg_harness::fixtures;

#[expect(clippy::disallowed_methods, reason = "a file of known size")]
fn read(name: &str) -> Option<Vec<u8>> {
    Some(std::fs::read(fixtures::path(name)?).expect("it can be read"))
}

fn look(bytes: &[u8], threads: usize) -> Analysis {
    let threads = NonZeroUsize::new(threads).expect("some");
    analyse(bytes, threads).expect("toolchains make valid files")
}

#[test]
fn what_real_toolchains_make_is_analysed() {
    // Whether WIT can be written of it, a language or tool that it names, and how many core modules are in it at least.
    let table = [
        ("javascript.wasm", true, "JavaScript", 1),
        ("javascript-web.wasm", true, "JavaScript", 1),
        ("python.wasm", true, "wit-component", 10),
        ("rust.wasm", true, "Rust", 3),
        ("c.wasm", true, "wit-component", 3),
        ("go.wasm", true, "Go", 3),
        ("esbuild.wasm", false, "Go", 1),
    ];
    for (name, has_wit, maker, modules) in table {
        let Some(bytes) = read(name) else { return };
        let seen = look(&bytes, 4);
        let inspection = &seen.inspection;
        assert_eq!(inspection.kind, validate(&bytes).expect("valid").kind, "{name}");
        assert_eq!(seen.wit.is_some(), has_wit, "{name}");
        assert_eq!(inspection.kind == Kind::Module, !has_wit, "{name}");
        let mut makers = inspection
            .languages()
            .chain(inspection.tools())
            .chain(inspection.sdks());
        assert!(
            makers.any(|one| one.name == maker),
            "{name}: {:?}",
            inspection.producers
        );
        assert!(seen.modules.len() >= modules, "{name}: {:?}", seen.modules);
        let space = seen.space;
        assert_eq!(
            space.code + space.data + space.custom + space.rest,
            bytes.len() as u64,
            "{name}"
        );
        assert!(space.code > space.rest, "{name}: {space:?}");
        let json = serde_json::to_string(&seen).expect("plain data");
        assert_eq!(serde_json::from_str::<Analysis>(&json).expect("the same shape"), seen);
    }
}
