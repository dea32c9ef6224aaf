//! Who may name whom. Source is read as text, so that a path counts however it is written: in a list of imports, in the middle of an
//! expression, through `super`. Between crates Cargo keeps the rule, and what Cargo is told is read here.

mod source;

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use self::source::paths_in;

/// The layers of the server, and the parts of it that each may name besides itself.
const LAYERS: [(&str, &[&str]); 9] = [
    ("http", &["app", "auth", "clock", "domain", "metrics"]),
    (
        "domain",
        &["analyser", "auth", "clock", "metadata", "signer", "storage", "witness"],
    ),
    ("signer", &["auth", "clock", "metadata"]),
    ("witness", &["clock"]),
    ("analyser", &[]),
    ("auth", &["clock", "metadata"]),
    ("metadata", &["clock"]),
    ("storage", &[]),
    ("config", &["domain", "storage", "witness"]),
];

/// What is known to some layers only. Where there are none, it is the business of the files beside the layers alone.
const KNOWN_TO: [(&str, &[&str]); 19] = [
    ("axum", &["http"]),
    ("http", &["http"]),
    ("http_body", &["http"]),
    ("http_body_util", &["http"]),
    ("hyper", &["http"]),
    ("hyper_util", &["http"]),
    ("tower", &["http"]),
    ("tower_service", &["http"]),
    ("sqlx", &["metadata"]),
    // In `storage` its tests alone fetch what a URL leads to.
    ("reqwest", &["storage", "witness"]),
    ("aws_config", &["storage"]),
    ("aws_sdk_s3", &["storage"]),
    ("jsonwebtoken", &["auth"]),
    ("toml", &["config"]),
    ("std::env", &["config"]),
    ("std::fs", &["auth", "config", "storage"]),
    ("tokio::fs", &["storage"]),
    ("anyhow", &[]),
    ("prometheus_client", &[]),
];

/// Crates that only turn bytes into facts.
const PURE: [&str; 4] = ["crates/api", "crates/component", "crates/oci", "crates/trust"];
/// What those never name.
const WORLD: [&str; 10] = [
    "std::env",
    "std::fs",
    "std::net::TcpListener",
    "std::net::TcpStream",
    "std::net::UdpSocket",
    "std::process",
    "tokio",
    "hyper",
    "reqwest",
    "sqlx",
];

/// The folders of the workspace, and which of wreg's own crates each may depend on.
const CRATES: [(&str, &[&str]); 10] = [
    ("registry", &["wreg-api", "wreg-component", "wreg-oci", "wreg-trust"]),
    (
        "cli",
        &["wreg-api", "wreg-client", "wreg-component", "wreg-oci", "wreg-trust"],
    ),
    ("crates/api", &["wreg-oci"]),
    ("crates/client", &["wreg-api", "wreg-oci", "wreg-trust"]),
    ("crates/component", &["wreg-oci"]),
    ("crates/oci", &[]),
    ("crates/trust", &["wreg-oci"]),
    ("tests/harness", &[]),
    ("bench", &["wreg-harness", "wreg-oci", "wreg-trust"]),
    ("xtask", &[]),
];

#[test]
fn layers_name_only_those_below_them() {
    let mut broken = Vec::new();
    for named in paths_in(&root().join("registry/src")) {
        let Some((layer, below)) = LAYERS.iter().find(|(layer, _)| {
            let part = named.file.iter().next().and_then(|part| Path::new(part).file_stem());
            part.is_some_and(|part| part == *layer)
        }) else {
            continue;
        };
        let allowed = match named.path.split("::").collect::<Vec<_>>()[..] {
            // `pub(crate)`
            ["crate"] => true,
            ["crate", part, ..] => part == *layer || below.contains(&part),
            _ => KNOWN_TO
                .iter()
                .all(|(known, to)| to.contains(layer) || !leads_into(&named.path, known)),
        };
        if !allowed {
            broken.push(format!(
                "registry/src/{}:{}: {layer} must not name {}",
                named.file.display(),
                named.line,
                named.path
            ));
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn crates_without_io_name_nothing_that_does_any() {
    let mut broken = Vec::new();
    for folder in PURE {
        let named = paths_in(&root().join(folder).join("src"));
        let outside = named
            .iter()
            .filter(|named| WORLD.iter().any(|world| leads_into(&named.path, world)));
        broken.extend(outside.map(|named| {
            format!(
                "{folder}/src/{}:{}: must not name {}",
                named.file.display(),
                named.line,
                named.path
            )
        }));
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn crates_depend_only_on_those_below_them() {
    let mut broken = Vec::new();
    let members = manifest(&root())["workspace"]["members"]
        .as_array()
        .expect("a list")
        .clone();
    for folder in members
        .iter()
        .flat_map(|member| folders(member.as_str().expect("text")))
    {
        let rule = CRATES.iter().find(|(known, _)| root().join(known) == folder);
        let (name, below) = rule.unwrap_or_else(|| panic!("no rule for {}", folder.display()));
        let manifest = manifest(&folder);
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let listed = manifest
                .get(kind)
                .and_then(toml::Value::as_table)
                .into_iter()
                .flat_map(toml::Table::keys);
            for other in listed.filter(|other| other.starts_with("wreg")) {
                let for_tests = kind == "dev-dependencies" && other == "wreg-harness";
                if !for_tests && !below.contains(&other.as_str()) {
                    broken.push(format!("{name}/Cargo.toml: must not depend on {other}"));
                }
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

/// Whether a path is `outer`, or something in it.
fn leads_into(path: &str, outer: &str) -> bool {
    let rest = path.strip_prefix(outer);
    rest.is_some_and(|rest| rest.starts_with("::") || (rest.is_empty() && outer.contains("::")))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
        .to_owned()
}

fn manifest(folder: &Path) -> toml::Table {
    let text = File::open(folder.join("Cargo.toml")).and_then(std::io::read_to_string);
    text.expect("a manifest").parse().expect("TOML")
}

/// The folder of a member, or the folders of `crates/*`.
fn folders(member: &str) -> Vec<PathBuf> {
    match member.strip_suffix("/*") {
        None => vec![root().join(member)],
        Some(folder) => {
            let entries = root().join(folder).read_dir().expect("a folder");
            let folders = entries.map(|entry| entry.expect("an entry").path());
            folders.filter(|folder| folder.join("Cargo.toml").is_file()).collect()
        }
    }
}
