//! Advisories, and what they are about.

use serde_json::{Value, json};
use wreg_component::{
    Dependency, DependencyKind,
    advisories::{Advisory, Affects, Form, InvalidAdvisory, MAX_ADVISORY, may_be_about},
};

const RUSTSEC: &str = "```toml
[advisory]
id = \"RUSTSEC-2021-0001\"
package = \"mdbook\"
date = \"2021-01-04\"
aliases = [\"CVE-2020-26297\"]
cvss = \"CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:H/I:H/A:H\"
keywords = [\"xss\"]

[affected.functions]
\"mdbook::search\" = [\"< 0.4.5\"]

[versions]
patched = [\">= 0.4.5\"]
unaffected = [\"< 0.1.4\"]
```

# XSS in mdBook's search page

It was possible. See `# not this`.
";

fn dependency(name: &str, version: &str, source: &str) -> Dependency {
    Dependency {
        name: name.to_owned(),
        version: version.to_owned(),
        source: source.to_owned(),
        kind: DependencyKind::Runtime,
    }
}

fn of_crates_io(name: &str, version: &str) -> Dependency {
    dependency(name, version, "crates.io")
}

fn osv() -> Value {
    json!({
        "schema_version": "1.7.0", "id": "GHSA-aaaa-bbbb-cccc", "modified": "2026-01-01T00:00:00Z",
        "aliases": ["RUSTSEC-2026-0001"], "summary": "It reads\nbeyond the end", "details": "…",
        "severity": [{ "type": "CVSS_V3", "score": "CVSS:3.1/AV:N" }],
        "affected": [
            { "package": { "ecosystem": "npm", "name": "demo" }, "ranges": [{ "type": "SEMVER", "events": [{ "introduced": "0" }] }] },
            {
                "package": { "ecosystem": "crates.io", "name": "demo" }, "versions": ["3.1.0"],
                "ranges": [
                    { "type": "SEMVER", "events": [{ "introduced": "0" }, { "fixed": "1.2.0" }] },
                    { "type": "SEMVER", "events": [{ "introduced": "2.0.0" }, { "last_affected": "2.1.0" }] },
                    { "type": "GIT", "repo": "https://acme.example", "events": [{ "introduced": "abcdef" }] }
                ],
                "database_specific": { "informational": "unsound", "source": ["anything"] }
            }
        ],
    })
}

fn parse(form: Form, text: &str) -> Result<Option<Advisory>, InvalidAdvisory> {
    Advisory::parse(form, text.as_bytes())
}

fn parsed(form: Form, text: &str) -> Advisory {
    parse(form, text)
        .expect("it is well-formed")
        .expect("it is about a package")
}

#[test]
fn an_advisory_of_rustsec_is_about_all_versions_but_those_that_it_names() {
    let advisory = parsed(Form::RustSec, RUSTSEC);
    assert_eq!(
        (&*advisory.id, &*advisory.title),
        ("RUSTSEC-2021-0001", "XSS in mdBook's search page")
    );
    assert_eq!(advisory.aliases, ["CVE-2020-26297"]);
    assert!(advisory.is_called("CVE-2020-26297") && !advisory.is_called("CVE-2020-2629"));
    assert_eq!(
        advisory.severity.as_deref(),
        Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:H/I:H/A:H")
    );
    assert_eq!(advisory.packages().collect::<Vec<_>>(), ["mdbook"]);
    let fixed = [">= 0.4.5".to_owned()];
    for (version, expected) in [
        ("0.4.4", Affects::Yes(&fixed)),
        ("0.1.4", Affects::Yes(&fixed)),
        ("0.4.5-rc.1", Affects::Yes(&fixed)),
        ("0.4.5", Affects::No),
        ("0.5.0-alpha", Affects::No),
        ("0.1.3", Affects::No),
        ("four", Affects::Unclear),
    ] {
        assert_eq!(
            advisory.affects(&of_crates_io("mdbook", version)),
            expected,
            "{version}"
        );
    }
    assert_eq!(advisory.affects(&of_crates_io("mdBook", "0.4.4")), Affects::No);
    for source in ["git", "local", "registry", ""] {
        assert_eq!(advisory.affects(&dependency("mdbook", "0.4.4", source)), Affects::No);
    }
}

#[test]
fn an_advisory_without_a_better_version_is_about_all() {
    let advisory = parsed(
        Form::RustSec,
        "```toml\n[advisory]\nid = \"R\"\npackage = \"a\"\ninformational = \"unmaintained\"\n```\n",
    );
    assert_eq!(advisory.affects(&of_crates_io("a", "9.9.9")), Affects::Yes(&[]));
    assert_eq!(advisory.informational.as_deref(), Some("unmaintained"));
}

#[test]
fn an_advisory_of_osv_is_about_the_versions_that_it_names() {
    let advisory = parsed(Form::Osv, &osv().to_string());
    assert_eq!((&*advisory.id, &*advisory.title), ("GHSA-aaaa-bbbb-cccc", "It reads"));
    assert_eq!(advisory.severity.as_deref(), Some("CVSS:3.1/AV:N"));
    assert_eq!(advisory.informational.as_deref(), Some("unsound"));
    let fixed = ["1.2.0".to_owned()];
    for (version, affected) in [
        ("0.1.0", true),
        ("1.1.9", true),
        ("1.2.0-alpha", true),
        ("2.1.0", true),
        ("3.1.0", true),
        ("1.2.0", false),
        ("2.1.1", false),
        ("3.1.1", false),
    ] {
        let expected = if affected { Affects::Yes(&fixed) } else { Affects::No };
        assert_eq!(advisory.affects(&of_crates_io("demo", version)), expected, "{version}");
    }
}

#[test]
fn what_was_withdrawn_or_is_about_something_else_is_passed_over() {
    let mut withdrawn = osv();
    withdrawn["withdrawn"] = json!("2026-02-01T00:00:00Z");
    let mut elsewhere = osv();
    elsewhere["affected"][1]["package"]["ecosystem"] = json!("PyPI");
    let nothing = json!({ "id": "X", "modified": "2026-01-01T00:00:00Z" });
    for text in [withdrawn, elsewhere, nothing] {
        assert_eq!(parse(Form::Osv, &text.to_string()).expect("well-formed"), None);
    }
    for line in ["withdrawn = \"2022-01-01\"", "collection = \"rust\""] {
        let text = RUSTSEC.replacen("keywords", &format!("{line}\nkeywords"), 1);
        assert_eq!(parse(Form::RustSec, &text).expect("well-formed"), None);
    }
}

#[test]
fn what_is_no_advisory_is_refused() {
    let mut texts = vec![
        (Form::Osv, String::new()),
        (Form::Osv, "[]".to_owned()),
        (Form::Osv, "{}".to_owned()),
        (Form::Osv, "[".repeat(500_000)),
        (
            Form::Osv,
            format!("{{\"id\":\"x\",\"affected\":{}", "[".repeat(500_000)),
        ),
        (Form::Osv, " ".repeat(MAX_ADVISORY + 1)),
        (Form::RustSec, String::new()),
        (Form::RustSec, "# A title".to_owned()),
        (Form::RustSec, "```toml\n[advisory]".to_owned()),
        (
            Form::RustSec,
            "```toml\n[advisory]\nid = 1\npackage = \"a\"\n```".to_owned(),
        ),
        (Form::RustSec, format!("```toml\nx = {}\n```", "[".repeat(500_000))),
        (Form::RustSec, format!("```toml\n{}\n```", "[a.b.c.d.e]\n".repeat(2))),
        (Form::RustSec, RUSTSEC.replacen(">= 0.4.5", "at least 0.4.5", 1)),
    ];
    for (path, wrong) in [
        ("/id", json!(1)),
        ("/aliases", json!("one")),
        ("/affected", json!({})),
        ("/affected/1/package", json!("demo")),
        ("/affected/1/ranges/0/events", json!([1])),
        ("/affected/1/ranges/0/events/0/introduced", json!("one")),
        ("/affected/1/ranges/0/events/1/fixed", json!(1.2)),
        ("/affected/1/versions/0", json!("latest")),
    ] {
        let mut text = osv();
        *text.pointer_mut(path).expect(path) = wrong;
        texts.push((Form::Osv, text.to_string()));
    }
    for (form, text) in texts {
        let shown: String = text.chars().take(200).collect();
        assert!(parse(form, &text).is_err(), "{shown}");
    }
}

#[test]
fn texts_and_lists_without_end_are_cut() {
    let mut large = osv();
    large["id"] = json!("\u{1b}[2J\n".to_owned() + &"i".repeat(100_000));
    large["summary"] = json!("t".repeat(100_000));
    large["aliases"] = json!(vec!["a".repeat(2_000); 300]);
    let advisory = parsed(Form::Osv, &large.to_string());
    assert!(advisory.id.len() < 1_100 && !advisory.id.contains(['\u{1b}', '\n']));
    assert!(advisory.title.len() < 310 && advisory.aliases.len() == 100);
    let events: Vec<_> = (0..20_000)
        .map(|at| json!({ "introduced": format!("{at}.0.0") }))
        .collect();
    let mut many = osv();
    many["affected"][1]["ranges"][0]["events"] = json!(events);
    assert_ne!(
        parsed(Form::Osv, &many.to_string()).affects(&of_crates_io("demo", "20000.0.0")),
        Affects::No
    );
}

#[test]
fn files_are_told_by_their_names() {
    for (path, form) in [
        ("RUSTSEC-2021-0001.json", Some(Form::Osv)),
        ("crates.io/GHSA-1.json", Some(Form::Osv)),
        ("crates/mdbook/RUSTSEC-2021-0001.md", Some(Form::RustSec)),
        ("crates/rust/RUSTSEC-2021-0001.md", Some(Form::RustSec)),
        ("advisory-db/rust/std/RUSTSEC-2021-0001.md", None),
        ("README.md", None),
        ("support.toml", None),
        ("json", None),
    ] {
        assert_eq!(Form::of(path), form, "{path}");
    }
    let wanted = |name: &str| name == "mdbook";
    assert!(may_be_about(&RUSTSEC.as_bytes()[..100], wanted));
    assert!(!may_be_about(b"{\"name\": \"mdbook2\"", wanted) && !may_be_about(b"\xff\"", wanted));
}
