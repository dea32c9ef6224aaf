//! `wreg push`.

use wreg_harness::{
    RegistryProcess,
    fixtures::{self, wat},
};
use wreg_oci::Digest;

use crate::wreg::User;

#[test]
fn a_push_prints_where_the_artifact_is_and_nothing_else() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    let repository = format!("{}/acme/hello", registry.address());
    let file = user.file("hello.wasm", wat::component());
    let run = user.run(&["push", &file, &format!("{repository}:1.0.0")]).yes();
    assert!(run.line().starts_with(&format!("{repository}@sha256:")), "{run:?}");
    assert_eq!(run.stderr, "");
    assert_eq!(user.run(&["tags", &repository]).yes().line(), "1.0.0");
}

#[test]
fn the_same_component_gives_the_same_digest_from_anywhere() {
    let registry = RegistryProcess::start();
    let reference = format!("{}/acme/hello:1.0.0", registry.address());
    let bytes = wat::described_component();
    let (one, two) = (User::of(&registry), User::of(&registry));
    let (first, second) = (
        one.file("hello.wasm", &bytes),
        two.file("target/release/other-name.wasm", &bytes),
    );
    let pushed = one.run(&["push", &first, &reference]).yes().line();
    assert_eq!(two.run(&["push", &second, &reference]).yes().line(), pushed);
    assert_eq!(
        two.run_with_input(&["push", "-", &reference], &bytes).yes().line(),
        pushed
    );
    let json = two.run(&["push", &second, &reference, "--format", "json"]).yes().json();
    assert_eq!((&json["reference"], &json["existed"]), (&pushed.into(), &true.into()));
}

#[test]
fn the_time_is_written_only_where_the_environment_names_it() {
    let registry = RegistryProcess::start();
    let reference = format!("{}/acme/hello:latest", registry.address());
    let user = User::of(&registry);
    let file = user.file("hello.wasm", wat::component());
    let plain = user.run(&["push", &file, &reference]).yes().line();
    let inspected = user.run(&["inspect", &reference, "--format", "json"]).yes().json();
    assert!(inspected.get("created").is_none(), "{inspected}");
    assert_eq!(inspected["annotations"], serde_json::json!({}));

    let dated = User::of(&registry).with("SOURCE_DATE_EPOCH", "1767225600");
    dated.file("hello.wasm", wat::component());
    let pushed = dated.run(&["push", &file, &reference]).yes().line();
    assert_ne!(pushed, plain);
    assert_eq!(dated.run(&["push", &file, &reference]).yes().line(), pushed);
    let inspected = user.run(&["inspect", &reference, "--format", "json"]).yes().json();
    assert_eq!(inspected["created"], "2026-01-01T00:00:00Z");
    assert_eq!(
        inspected["annotations"]["org.opencontainers.image.created"],
        "2026-01-01T00:00:00Z"
    );

    let wrong = User::of(&registry).with("SOURCE_DATE_EPOCH", "yesterday");
    wrong.file("hello.wasm", wat::component());
    wrong
        .run(&["push", &file, &reference])
        .unknown()
        .saying("SOURCE_DATE_EPOCH is \"yesterday\"");
}

#[test]
fn annotations_come_from_the_component_and_from_the_command_line() {
    let registry = RegistryProcess::start();
    let reference = format!("{}/acme/hello:1.2.3", registry.address());
    let user = User::of(&registry);
    let file = user.file("demo.wasm", wat::described_component());
    let given = [
        "--annotation",
        "org.opencontainers.image.licenses=MIT",
        "--annotation",
        "org.opencontainers.image.revision=",
        "--annotation",
        "example.team=blue=green",
    ];
    user.run(&[&["push", &file, &reference][..], &given].concat()).yes();
    let inspected = user.run(&["inspect", &reference, "--format", "json"]).yes().json();
    assert_eq!(
        inspected["annotations"],
        serde_json::json!({
            "example.team": "blue=green",
            "org.opencontainers.image.authors": "Ada Lovelace",
            "org.opencontainers.image.description": "Adds two numbers.",
            "org.opencontainers.image.licenses": "MIT",
            "org.opencontainers.image.source": "https://example.com/demo.git",
            "org.opencontainers.image.url": "https://example.com/demo",
            "org.opencontainers.image.version": "1.2.3",
        })
    );
    assert_eq!(
        inspected["layers"][0]["annotations"]["org.opencontainers.image.title"],
        "hello.wasm"
    );
    user.run(&["push", &file, &reference, "--annotation", "nothing"])
        .ended_in_usage("NAME=VALUE");
}

#[test]
fn a_core_module_is_accepted_and_marked_as_one() {
    let registry = RegistryProcess::start();
    let reference = format!("{}/acme/module:1.0.0", registry.address());
    let user = User::of(&registry);
    let file = user.file("module.wasm", wat::module());
    user.run(&["push", &file, &reference]).yes();
    let inspected = user.run(&["inspect", &reference, "--format", "json"]).yes().json();
    assert_eq!(inspected["wasm"]["kind"], "module");
    assert_eq!(inspected["wasm_from"], "config");
    assert_eq!(inspected["artifact_type"], "application/vnd.wasm.config.v0+json");
}

#[test]
fn several_tags_point_to_one_manifest() {
    let registry = RegistryProcess::start();
    let repository = format!("{}/acme/hello", registry.address());
    let user = User::of(&registry);
    let file = user.file("hello.wasm", wat::component());
    let reference = format!("{repository}:1.0.0");
    let arguments = [
        "push", &file, &reference, "--tag", "latest", "--tag", "1.0.0", "--tag", "1.0", "-v",
    ];
    let run = user
        .run(&arguments)
        .yes()
        .saying("note: the tag latest is not a semantic version");
    assert!(!run.stderr.contains("the tag 1.0.0"), "{run:?}");
    assert_eq!(user.run(&["tags", &repository]).yes().text(), "1.0\n1.0.0\nlatest\n");
    let digest = |tag: &str| {
        user.run(&["inspect", &format!("{repository}:{tag}"), "--format", "json"])
            .json()["digest"]
            .clone()
    };
    assert_eq!(digest("latest"), digest("1.0.0"));
}

#[test]
fn a_digest_in_the_reference_is_the_one_or_nothing_is_pushed() {
    let registry = RegistryProcess::start();
    let repository = format!("{}/acme/hello", registry.address());
    let user = User::of(&registry);
    let file = user.file("hello.wasm", wat::component());
    let other = format!("{repository}@{}", Digest::sha256("other"));
    user.run(&["push", &file, &other]).no().saying("nothing was pushed");
    user.run(&["tags", &repository]).no();
    let pushed = user.run(&["push", &file, &format!("{repository}:1.0.0")]).yes().line();
    assert_eq!(user.run(&["push", &file, &pushed]).yes().line(), pushed);
}

/// **W01** A file that is cut off, has a bit flipped or is no WebAssembly at all, given to push → exit code 1 with the reason; nothing is sent.
#[test]
fn what_is_not_valid_is_not_pushed() {
    let registry = RegistryProcess::start();
    let reference = format!("{}/acme/hello:1.0.0", registry.address());
    let user = User::of(&registry);
    let component = wat::component();
    let mut flipped = component.clone();
    flipped[8] ^= 0x80;
    for (name, bytes, words) in [
        ("cut.wasm", &component[..component.len() - 9], "the file is cut off"),
        ("flipped.wasm", &flipped, "0x"),
        ("text.wasm", b"(component)", "text form"),
        ("empty.wasm", b"", "the file is empty"),
    ] {
        let file = user.file(name, bytes);
        user.run(&["push", &file, &reference])
            .no()
            .saying(&format!("{name} is not pushed: "))
            .saying(words);
    }
    user.run(&["push", "missing.wasm", &reference])
        .unknown()
        .saying("No such file");
    assert!(
        user.run(&["repository", "list", &registry.address().to_string()])
            .yes()
            .stdout
            .is_empty()
    );
}

#[test]
fn a_component_whose_config_would_lie_about_it_is_not_pushed() {
    let registry = RegistryProcess::start();
    let reference = format!("{}/acme/hello:1.0.0", registry.address());
    let user = User::of(&registry);
    let long = "a".repeat(2_000);
    let file = user.file(
        "long.wasm",
        wat::encode(&format!("(component (import \"{long}\" (func)))")),
    );
    user.run(&["push", &file, &reference])
        .no()
        .saying("a name that its config cannot say as it is");
    let many: Vec<_> = (0..10_001)
        .map(|number| format!("(import \"a{number}\" (func))"))
        .collect();
    let file = user.file("many.wasm", wat::encode(&format!("(component {})", many.concat())));
    user.run(&["push", &file, &reference])
        .no()
        .saying("more imports or exports than its config can name");
    user.run(&["pull", &reference]).no();
}

#[test]
fn who_may_not_push_is_told_what_to_do() {
    let registry = RegistryProcess::start();
    let user = User::new();
    let host = registry.address();
    let file = user.file("hello.wasm", wat::component());
    user.run(&["push", &file, &format!("{host}/acme/hello")])
        .unknown()
        .saying(&format!("wreg login {host}"));
    let wrong = User::new().with("WREG_TOKEN", "wreg_pat_wrong");
    wrong.file("hello.wasm", wat::component());
    let run = wrong.run(&["push", &file, &format!("{host}/acme/hello")]).no();
    assert!(!run.stderr.contains("wreg_pat_wrong"), "{run:?}");
}

#[test]
fn real_components_and_modules_come_back_as_they_were() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    for name in [
        "python.wasm",
        "javascript.wasm",
        "go.wasm",
        "esbuild.wasm",
        "sqlite.wasm",
        "c-module.wasm",
    ] {
        let Some(path) = fixtures::path(name) else { return };
        let reference = format!("{}/real/{}:1.0.0", registry.address(), name.trim_end_matches(".wasm"));
        let pushed = user
            .run(&["push", &path.display().to_string(), &reference])
            .yes()
            .line();
        let run = user.run(&["pull", &reference, "-o", "back.wasm"]).yes();
        assert_eq!(run.line(), pushed);
        assert!(!run.stderr.contains("warning"), "{run:?}");
        assert!(
            user.read("back.wasm") == crate::wreg::read(&path),
            "{name} came back differently"
        );
    }
}
