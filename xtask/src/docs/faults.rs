//! `faults.md`: what can go wrong, what the answer is, and the test that shows it, gathered from the tests themselves.
//!
//! A test says which cases it shows in its doc comment, one line each: `/// **H01** case → answer`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use super::waiting;

const FOLDERS: [&str; 5] = ["tests", "registry", "cli", "crates", "bench"];

const LETTERS: [(char, &str); 20] = [
    ('H', "HTTP and connections"),
    ('N', "Names"),
    ('D', "Digests"),
    ('R', "Ranges"),
    ('U', "Uploads"),
    ('M', "Manifests"),
    ('F', "Referrers"),
    ('T', "Lists"),
    ('A', "Authentication"),
    ('J', "Tokens (JWT)"),
    ('W', "Wasm payloads"),
    ('S', "File storage"),
    ('O', "Object storage"),
    ('P', "Database"),
    ('C', "Collection"),
    ('L', "Life cycle"),
    ('K', "The command's own trust"),
    ('V', "Signatures and the log"),
    ('X', "Pages in a browser"),
    ('G', "Copies of other registries"),
];

const INTRODUCTION: &str = "\
<!-- Generated from the tests by `cargo xtask docs`. -->
# Faults

What can go wrong, what wreg answers, and the test that shows it. Every row is taken from the doc comment of a test, so a case
stands here only while a test holds it; what no test shows stands at the end, with the reason. The letter of an id says what it is
about, the number only tells cases apart.
";

/// A case and its answer, in order of the id.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    letter: usize,
    id: String,
    case: String,
    answer: String,
}

/// The tests of each row: name and file.
type Rows = BTreeMap<Row, Vec<(String, String)>>;

/// The text of the page.
pub(super) fn page(root: &Path) -> Result<String> {
    let mut files = Vec::new();
    for folder in FOLDERS {
        collect(&root.join(folder), &mut files)?;
    }
    files.sort();
    let mut rows = Rows::new();
    for file in &files {
        let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
        let name = file.strip_prefix(root)?.display().to_string();
        scan(&name, &text, &mut rows)?;
    }
    let shown: BTreeSet<&str> = rows.keys().map(|row| row.id.as_str()).collect();
    Ok(render(&rows) + &waiting::section(&shown)?)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in folder
        .read_dir()
        .with_context(|| format!("reading {}", folder.display()))?
    {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// Adds the rows of one file.
fn scan(file: &str, text: &str, rows: &mut Rows) -> Result<()> {
    let mut cited = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        let here = || format!("{file}:{}", index + 1);
        if let Some(citation) = line.strip_prefix("/// **").filter(|rest| starts_with_id(rest)) {
            cited.push(row(citation).with_context(|| format!("{}: not `/// **H01** case → answer`", here()))?);
        } else if let Some(name) = function(line) {
            for row in cited.drain(..) {
                rows.entry(row).or_default().push((name.to_owned(), file.to_owned()));
            }
        } else if !cited.is_empty() && !may_stand_between(line) {
            bail!("{}: a case is cited, and no test function follows", here());
        }
    }
    if cited.is_empty() {
        Ok(())
    } else {
        bail!("{file}: a case is cited at the end, and no test function follows")
    }
}

/// Whether this is meant as an id, right or wrong, and not as another word in bold.
fn starts_with_id(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_uppercase())
        && bytes.next().is_some_and(|next| next.is_ascii_digit())
}

/// The row in `H01** case → answer`.
fn row(citation: &str) -> Option<Row> {
    let (id, rest) = citation.split_once("** ")?;
    let (case, answer) = rest.split_once(" → ")?;
    let letter = id.chars().next()?;
    let numbered = id.len() == 3 && id[1..].bytes().all(|byte| byte.is_ascii_digit());
    let letter = LETTERS
        .iter()
        .position(|(known, _)| *known == letter)
        .filter(|_| numbered)?;
    Some(Row {
        letter,
        id: id.to_owned(),
        case: case.trim().to_owned(),
        answer: answer.trim().to_owned(),
    })
}

/// The name in `async fn name(…`.
fn function(line: &str) -> Option<&str> {
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let line = line.strip_prefix("async ").unwrap_or(line);
    let rest = line.strip_prefix("fn ")?;
    rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next()
}

/// Further comments and attributes, of one line or of several.
fn may_stand_between(line: &str) -> bool {
    ["///", "//", "#[", ")]", "reason", "]"]
        .iter()
        .any(|start| line.starts_with(start))
}

fn render(rows: &Rows) -> String {
    let mut page = INTRODUCTION.to_owned();
    for (index, (letter, title)) in LETTERS.into_iter().enumerate() {
        let mut of_letter = rows.iter().filter(|(row, _)| row.letter == index).peekable();
        if of_letter.peek().is_none() {
            continue;
        }
        // Here and below: writing to a string cannot fail.
        let _ = write!(
            page,
            "\n## {letter}: {title}\n\n| id | case | answer | test |\n|---|---|---|---|\n"
        );
        for (Row { id, case, answer, .. }, tests) in of_letter {
            let tests: Vec<_> = tests
                .iter()
                .map(|(name, file)| format!("`{name}` ([{file}](../../{file}))"))
                .collect();
            let cells = [id, case, answer, &tests.join("<br>")].map(|cell| cell.replace('|', "\\|"));
            let _ = writeln!(page, "| {} |", cells.join(" | "));
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    const TESTS: &str = "
        /// **Durable** words first.
        /// **U02** An upload goes on where it was cut off → 202, with the offset.
        /// **H01** A target over 8 KiB | more → 414.
        #[tokio::test]
        async fn a_test_of_two_cases() {}

        /// **U02** An upload goes on where it was cut off → 202, with the offset.
        #[test]
        fn another_test_of_one() {}
    ";

    #[test]
    fn a_case_lists_all_its_tests_and_a_test_may_show_several_cases() -> Result<()> {
        let mut rows = Rows::new();
        scan("tests/api/a.rs", TESTS, &mut rows)?;
        let page = render(&rows);
        let (h, u) = page.split_once("## U: Uploads").context("a table for each letter")?;
        assert!(
            h.contains("| H01 | A target over 8 KiB \\| more | 414. | `a_test_of_two_cases` ([tests/api/a.rs]"),
            "{h}"
        );
        assert!(
            u.contains("`a_test_of_two_cases` ([tests/api/a.rs](../../tests/api/a.rs))<br>`another_test_of_one`"),
            "{u}"
        );
        Ok(())
    }

    #[test]
    fn a_citation_that_is_misspelt_or_stands_over_no_test_is_refused() {
        for text in [
            "/// **H1** a → b\nfn f() {}",
            "/// **Y01** a → b\nfn f() {}",
            "/// **H01** a -> b\nfn f() {}",
            "/// **H01** a → b\nstruct S;",
        ] {
            assert!(scan("a.rs", text, &mut Rows::new()).is_err(), "{text}");
        }
    }
}
