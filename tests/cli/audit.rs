//! `wreg audit`.

use wreg_harness::{RegistryProcess, fixtures::wat};

use crate::wreg::{Run, User};

const PACKAGES: &str = r#"[{"name":"serde","version":"1.0.228","source":"crates.io"},
    {"name":"mdbook","version":"0.4.4","source":"crates.io"},
    {"name":"demo","version":"1.1.0","source":"crates.io","kind":"build"},
    {"name":"fork","version":"0.1.0","source":"git"}]"#;

const RUSTSEC: &str = "```toml
[advisory]
id = \"RUSTSEC-2021-0001\"
package = \"mdbook\"
date = \"2021-01-04\"
aliases = [\"CVE-2020-26297\"]

[versions]
patched = [\">= 0.4.5\"]
```

# XSS in mdBook's search page
";

const OSV: &str = r#"{"id":"GHSA-aaaa-bbbb-cccc","modified":"2026-01-01T00:00:00Z","summary":"It reads beyond the end",
    "database_specific":{"severity":"HIGH"},
    "affected":[{"package":{"ecosystem":"crates.io","name":"demo"},"database_specific":{"informational":"unsound"},
        "ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.2.0"}]}]}]}"#;

/// A user with a database of two advisories in `db`, and a component `hello.wasm` that both are about.
fn user() -> User {
    let user = User::new();
    with_files(&user);
    user
}

fn with_files(user: &User) {
    user.file("db/crates/mdbook/RUSTSEC-2021-0001.md", RUSTSEC);
    user.file("db/osv/GHSA-aaaa-bbbb-cccc.json", OSV);
    user.file("db/README.md", "# Advisories");
    user.file("db/.git/config.json", "no advisory");
    user.file("hello.wasm", wat::component_made_of(PACKAGES));
}

fn audit(user: &User, what: &str, more: &[&str]) -> Run {
    user.run(&[&["audit", what, "--db", "db"][..], more].concat())
}

fn ids(run: &Run) -> Vec<String> {
    let findings = run.json()["findings"].as_array().expect("a list").clone();
    findings
        .iter()
        .map(|finding| finding["id"].as_str().expect("text").to_owned())
        .collect()
}

#[test]
fn advisories_about_a_package_are_found_in_both_forms() {
    let user = user();
    let run = audit(&user, "hello.wasm", &[]);
    assert_eq!((run.code, &*run.stderr), (1, ""));
    assert_eq!(
        run.text(),
        "\
GHSA-aaaa-bbbb-cccc: demo 1.1.0: It reads beyond the end
  kind        unsound
  severity    HIGH
  fixed in    1.2.0
RUSTSEC-2021-0001: mdbook 0.4.4: XSS in mdBook's search page
  also        CVE-2020-26297
  fixed in    >= 0.4.5
hello.wasm: 2 advisories for 3 packages (2 advisories read)
"
    );
    let json = audit(&user, "hello.wasm", &["--format", "json"]).json();
    assert_eq!(
        (&json["packages"], &json["elsewhere"], &json["advisories"]),
        (&3.into(), &1.into(), &2.into())
    );
    assert_eq!(json["findings"][0]["kind"], "build");
    for (ignored, found) in [
        ("CVE-2020-26297", "GHSA-aaaa-bbbb-cccc"),
        ("unsound", "RUSTSEC-2021-0001"),
    ] {
        let run = audit(&user, "hello.wasm", &["--ignore", ignored, "--format", "json"]);
        assert_eq!(
            (run.code, ids(&run), &run.json()["ignored"]),
            (1, vec![found.to_owned()], &1.into())
        );
    }
    audit(
        &user,
        "hello.wasm",
        &["--ignore", "RUSTSEC-2021-0001", "--ignore", "GHSA-aaaa-bbbb-cccc"],
    )
    .yes();
}

#[test]
fn an_artifact_is_audited_by_its_bytes() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    with_files(&user);
    let reference = format!("{}/acme/hello:1.0.0", registry.address());
    user.run(&["push", "hello.wasm", &reference, "--no-sbom"]).yes();
    let run = audit(&user, &reference, &["--format", "json"]);
    assert_eq!((run.code, ids(&run).len()), (1, 2));
    let other = user.file(
        "other.wasm",
        wat::component_made_of(r#"[{"name":"serde","version":"1.0.228","source":"crates.io"}]"#),
    );
    user.run(&["push", &other, &reference.replace("1.0.0", "1.1.0")]).yes();
    audit(&user, &reference.replace("1.0.0", "1.1.0"), &[]).yes();
    audit(&user, &reference.replace("1.0.0", "9.9.9"), &[]).unknown();
}

#[test]
fn what_cannot_be_told_is_no_answer() {
    let user = user();
    user.file("plain.wasm", wat::component());
    audit(&user, "plain.wasm", &[])
        .unknown()
        .saying("has no list of the packages")
        .saying("hint: `cargo auditable build`");
    user.file("text.wasm", "no WebAssembly");
    audit(&user, "text.wasm", &[]).unknown();
    audit(&user, "absent.lock", &[]).unknown().saying("there is no file");
    user.run(&["audit", "hello.wasm", "--db", "absent"])
        .unknown()
        .saying("cannot read absent");
    user.file("empty/README.md", "# Nothing");
    user.run(&["audit", "hello.wasm", "--db", "empty"])
        .unknown()
        .saying("there are no advisories in empty");
    user.file(
        "odd.wasm",
        wat::component_made_of(r#"[{"name":"mdbook","version":"four","source":"crates.io"}]"#),
    );
    let run = audit(&user, "odd.wasm", &[]);
    assert_eq!(run.code, 2);
    assert!(
        run.text().starts_with("RUSTSEC-2021-0001 may be about mdbook"),
        "{run:?}"
    );
}

#[test]
fn an_advisory_that_cannot_be_read_is_named_and_counts_where_it_may_matter() {
    let user = user();
    user.file(
        "other.wasm",
        wat::component_made_of(r#"[{"name":"serde","version":"1.0.228","source":"crates.io"}]"#),
    );
    user.file(
        "db/osv/half.json",
        r#"{"id":"X","affected":[{"package":{"name":"elsewhere""#,
    );
    user.file("db/osv/large.json", " ".repeat((1 << 20) + 1));
    let run = audit(&user, "other.wasm", &["--format", "json"]).yes();
    assert_eq!(run.json()["unread_count"], 2);
    let run = run
        .saying("half.json is passed over: it is no advisory")
        .saying("large.json is passed over: it is larger than 1 MiB");
    assert!(!run.stderr.contains("README"), "{run:?}");
    user.file(
        "db/osv/serde.json",
        r#"{"id":"X","affected":[{"package":{"name":"serde""#,
    );
    let run = audit(&user, "other.wasm", &[]).saying("not everything could be compared");
    assert_eq!(run.code, 2);
    // What was found counts all the same.
    assert_eq!(audit(&user, "hello.wasm", &[]).code, 1);
}

#[test]
fn a_lock_file_of_cargo_is_audited_and_one_of_wkg_has_no_advisories() {
    let user = user();
    let lock = r#"version = 4
[[package]]
name = "mdbook"
version = "0.4.4"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "00"
dependencies = ["hello"]

[[package]]
name = "demo"
version = "1.1.0"
source = "git+https://acme.example/demo#0123456789"

[[package]]
name = "hello"
version = "0.1.0"
"#;
    user.file("Cargo.lock", lock);
    let run = audit(&user, "Cargo.lock", &["--format", "json"]);
    assert_eq!((run.code, ids(&run)), (1, vec!["RUSTSEC-2021-0001".to_owned()]));
    assert_eq!(
        (&run.json()["packages"], &run.json()["elsewhere"]),
        (&1.into(), &2.into())
    );
    user.file("Cargo.lock", lock.replace("0.4.4", "0.4.5"));
    audit(&user, "Cargo.lock", &[]).yes();
    user.file("wkg.lock", "version = 1\npackages = []\n");
    audit(&user, "wkg.lock", &[])
        .unknown()
        .saying("locks WIT packages")
        .saying("hint: audit the component");
    user.file("other.lock", "[");
    audit(&user, "other.lock", &[]).unknown();
    user.file("other.lock", "a = 1");
    audit(&user, "other.lock", &[]).unknown().saying("lists no packages");
}
