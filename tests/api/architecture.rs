//! Who may import whom, inside the server. Across crates Cargo keeps it; in here this test does.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A layer's folder, and what its files must not name.
const RULES: [(&str, &[&str]); 7] = [
    (
        "http",
        &["crate::metadata", "crate::storage", "sqlx", "aws_sdk_s3", "std::fs"],
    ),
    (
        "domain",
        &[
            "crate::http",
            "crate::app",
            "axum",
            "hyper",
            "sqlx",
            "aws_sdk_s3",
            "std::fs",
        ],
    ),
    (
        "metadata",
        &[
            "crate::storage",
            "crate::domain",
            "crate::http",
            "crate::auth",
            "axum",
            "hyper",
        ],
    ),
    (
        "storage",
        &[
            "crate::metadata",
            "crate::domain",
            "crate::http",
            "crate::auth",
            "axum",
            "hyper",
            "sqlx",
        ],
    ),
    (
        "auth",
        &[
            "crate::http",
            "crate::domain",
            "crate::storage",
            "axum",
            "hyper",
            "sqlx",
        ],
    ),
    (
        "config",
        &["crate::http", "crate::metadata", "crate::storage", "axum", "sqlx"],
    ),
    (
        "../../crates/oci/src",
        &["tokio", "axum", "sqlx", "reqwest", "std::fs", "std::net::Tcp"],
    ),
];

#[test]
fn layers_name_only_those_below_them() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut broken = Vec::new();
    for (layer, forbidden) in RULES {
        let files = rust_files(&source.join(layer));
        assert!(!files.is_empty(), "no files in {layer}");
        for file in files {
            let text = fs::File::open(&file)
                .and_then(std::io::read_to_string)
                .expect("source is text");
            // Tests at the end of a file may look around; prose may name anything.
            let code = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]"));
            for (number, line) in code
                .enumerate()
                .filter(|(_, line)| !line.trim_start().starts_with("//"))
            {
                let line = expand(line);
                broken.extend(
                    forbidden
                        .iter()
                        .filter(|name| names(&line, name))
                        .map(|name| format!("{}:{}: {name}", file.display(), number + 1)),
                );
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// An import in a `use crate::{…}` list stands on a line of its own, without `crate::`: the names of layers are unique enough.
fn expand(line: &str) -> String {
    let trimmed = line.trim_start();
    let layer = ["http", "domain", "metadata", "storage", "auth", "app"]
        .iter()
        .find(|layer| trimmed.starts_with(&format!("{layer}::")));
    if layer.is_some() {
        format!("crate::{trimmed}")
    } else {
        line.replace("use crate::{", "use crate::").clone()
    }
}

fn names(line: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back().is_some_and(is_word);
        let after = line[at + name.len()..].chars().next().is_some_and(is_word);
        !before && (!after || name.ends_with("Tcp"))
    })
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
