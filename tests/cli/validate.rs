//! `wreg validate`.

use wreg_harness::fixtures::{self, wat};

use crate::wreg::User;

#[test]
fn a_component_is_described() {
    let user = User::new();
    let file = user.file("demo.wasm", wat::described_component());
    let run = user.run(&["validate", &file]).yes();
    let text = run.text();
    assert!(text.starts_with("demo.wasm: valid component, "), "{text}");
    assert!(text.contains("  imports     wreg:demo/clock@0.1.0\n"), "{text}");
    assert!(text.contains("  exports     wreg:demo/adder@0.1.0\n"), "{text}");
    assert!(text.contains("  licenses    Apache-2.0 OR MIT\n"), "{text}");
    assert_eq!(run.stderr, "");
}

#[test]
fn text_and_json_say_the_same() {
    let user = User::new();
    let file = user.file("demo.wasm", wat::component());
    let json = user.run(&["validate", &file, "--format", "json"]).yes().json();
    let found = &json["files"][0];
    assert_eq!(json["schema"], 1);
    assert_eq!(
        (&found["verdict"], &found["kind"]),
        (&"valid".into(), &"component".into())
    );
    assert_eq!(
        found["imports"],
        serde_json::json!([{"name": "wreg:demo/clock@0.1.0", "kind": "interface"}])
    );
    assert_eq!(
        found["exports"],
        serde_json::json!([{"name": "wreg:demo/adder@0.1.0", "kind": "interface"}])
    );
    assert_eq!(found["beyond_wasmtime_48"], serde_json::json!([]));
    let text = user.run(&["validate", &file]).yes().text();
    assert!(text.contains(found["digest"].as_str().expect("a digest")), "{text}");
}

#[test]
fn a_core_module_is_called_one() {
    let user = User::new();
    let file = user.file("module.wasm", wat::module());
    assert!(
        user.run(&["validate", &file])
            .yes()
            .text()
            .starts_with("module.wasm: valid core module, ")
    );
}

#[test]
fn a_feature_beyond_wasmtime_48_is_named() {
    let user = User::new();
    let file = user.file("list.wasm", wat::encode("(component (type (list u8 4)))"));
    let run = user.run(&["validate", &file]).yes();
    assert!(
        run.text().contains("needs       component-model-fixed-length-lists"),
        "{}",
        run.text()
    );
}

/// **W01** A file that is not WebAssembly, or a component that is cut off anywhere → the command refuses it with the offset and the reason, exit code 1.
#[test]
fn every_prefix_of_a_component_is_refused_with_a_reason() {
    let user = User::new();
    let component = wat::component();
    let mut arguments = vec!["validate".to_owned(), "--format".to_owned(), "json".to_owned()];
    for length in 0..component.len() {
        arguments.push(user.file(&format!("{length}.wasm"), &component[..length]));
    }
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let run = user.run(&arguments);
    assert_eq!(run.code, 1);
    let json = run.json();
    let files = json["files"].as_array().expect("a list");
    assert_eq!(files.len(), component.len());
    for file in files {
        match file["verdict"].as_str() {
            Some("invalid") => assert!(
                file["message"].as_str().is_some_and(|message| !message.is_empty()),
                "{file}"
            ),
            // What ends where a section ends can be a whole component, a smaller one.
            Some("valid") => assert_eq!(file["file"], format!("{}.wasm", file["size"]), "{file}"),
            _ => panic!("{file}"),
        }
    }
    let refused = files.iter().filter(|file| file["verdict"] == "invalid").count();
    assert!(refused > component.len() * 9 / 10, "{refused}");
    let middle = user.run(&["validate", &format!("{}.wasm", component.len() / 2)]);
    assert_eq!(middle.code, 1);
    assert!(
        middle.text().contains("the file is cut off: it ends after"),
        "{}",
        middle.text()
    );
}

#[test]
fn a_flipped_bit_is_refused_where_it_is() {
    let user = User::new();
    let mut component = wat::component();
    component[8] ^= 0x80;
    let file = user.file("flipped.wasm", component);
    let run = user.run(&["validate", &file]);
    assert_eq!(run.code, 1);
    assert!(run.text().starts_with("flipped.wasm: "), "{}", run.text());
    assert!(run.text().contains("0x"), "{}", run.text());
}

#[test]
fn what_is_not_wasm_is_called_what_it_is() {
    let user = User::new();
    for (name, bytes, words) in [
        ("a.tar.gz", &b"\x1f\x8b\x08\0"[..], "gzip"),
        ("a.wat", b"(module)", "text form (.wat)"),
        ("a.json", b"{}", "JSON"),
        ("a.exe", b"\x7fELF\x02\x01\x01\0", "native program"),
        ("empty", b"", "empty"),
    ] {
        let file = user.file(name, bytes);
        let run = user.run(&["validate", &file]);
        assert_eq!((run.code, run.text().lines().count()), (1, 1), "{run:?}");
        assert!(run.text().contains(words), "{run:?}");
    }
}

#[test]
fn one_invalid_file_among_several_makes_the_answer_no() {
    let user = User::new();
    let (good, bad) = (user.file("good.wasm", wat::module()), user.file("bad.wasm", "bad"));
    let run = user.run(&["validate", &good, &bad]);
    assert_eq!(run.code, 1);
    assert!(
        run.text().contains("good.wasm: valid") && run.text().contains("bad.wasm: not"),
        "{run:?}"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_no_answer() {
    let user = User::new();
    let good = user.file("good.wasm", wat::module());
    let run = user.run(&["validate", "missing.wasm", ".", &good]);
    assert_eq!(run.code, 2);
    assert!(
        run.stderr
            .contains("error: cannot read missing.wasm\n  because: No such file"),
        "{run:?}"
    );
    assert!(run.text().contains("good.wasm: valid core module"), "{run:?}");
}

#[test]
fn a_file_comes_from_stdin_too() {
    let user = User::new();
    let run = user.run_with_input(&["validate", "-"], &wat::component()).yes();
    assert!(run.text().starts_with("stdin: valid component"), "{run:?}");
}

#[test]
fn components_of_real_toolchains_are_valid() {
    let user = User::new();
    for (name, what) in [
        ("python.wasm", "component"),
        ("javascript.wasm", "component"),
        ("rust.wasm", "component"),
        ("c.wasm", "component"),
        ("go.wasm", "component"),
        ("rust-module.wasm", "core module"),
        ("c-module.wasm", "core module"),
        ("go-module.wasm", "core module"),
        ("esbuild.wasm", "core module"),
        ("sqlite.wasm", "core module"),
    ] {
        let Some(path) = fixtures::path(name) else { return };
        let path = path.display().to_string();
        let text = user.run(&["validate", &path]).yes().text();
        assert!(text.starts_with(&format!("{path}: valid {what}, ")), "{text}");
    }
}
