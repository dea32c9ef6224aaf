//! Reads the paths out of Rust source: enough of the grammar to see every one, and nothing more.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

/// A path that a file names.
pub(super) struct Named {
    /// The file, relative to the folder that was read.
    pub(super) file: PathBuf,
    /// The line, counted from 1.
    pub(super) line: usize,
    /// With `self` and `super` resolved, as in `crate::http::tags` or `std::fs`.
    pub(super) path: String,
}

/// Every path in the files under the source folder of a crate.
pub(super) fn paths_in(source: &Path) -> Vec<Named> {
    let mut named = Vec::new();
    for path in rust_files(source) {
        let file = path.strip_prefix(source).expect("it was found there").to_owned();
        let stem = file.with_extension("");
        let parts = stem
            .iter()
            .map(|part| part.to_str().expect("names are text").to_owned());
        let mut module: Vec<_> = std::iter::once("crate".to_owned()).chain(parts).collect();
        module.pop_if(|last| ["mod", "lib", "main"].contains(&last.as_str()));
        let text = File::open(&path)
            .and_then(std::io::read_to_string)
            .expect("source is text");
        named.extend(paths(&text, module).into_iter().map(|(line, path)| Named {
            file: file.clone(),
            line,
            path,
        }));
    }
    named
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let entries = folder
        .read_dir()
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The paths in the text of a module, with their lines.
fn paths(text: &str, module: Vec<String>) -> Vec<(usize, String)> {
    let code = without_comments_and_literals(text);
    let mut reader = Reader {
        tokens: tokens(&code),
        at: 0,
        found: Vec::new(),
        module,
    };
    let (mut depth, mut inline) = (0, Vec::new());
    while let Some((_, token)) = reader.peek() {
        match token {
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                if inline.pop_if(|opened| *opened == depth).is_some() {
                    reader.module.pop();
                }
            }
            "mod" if reader.tokens.get(reader.at + 2).is_some_and(|(_, token)| *token == "{") => {
                inline.push(depth);
                depth += 1;
                reader.module.push(reader.tokens[reader.at + 1].1.to_owned());
                reader.at += 2;
            }
            _ if is_name(token) => {
                reader.read(&[]);
                continue;
            }
            _ => {}
        }
        reader.at += 1;
    }
    reader.found
}

struct Reader<'a> {
    tokens: Vec<(usize, &'a str)>,
    at: usize,
    module: Vec<String>,
    found: Vec<(usize, String)>,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<(usize, &'a str)> {
        self.tokens.get(self.at).copied()
    }

    /// Reads a path, or several in braces, that go on from `before`.
    fn read(&mut self, before: &[&'a str]) {
        let mut path = before.to_vec();
        while let Some((line, token)) = self.peek() {
            self.at += 1;
            match token {
                "{" => {
                    while let Some((_, token)) = self.peek() {
                        match token {
                            "}" => break,
                            "," => self.at += 1,
                            "as" => self.at += 2,
                            _ => self.read(&path),
                        }
                    }
                    self.at += 1;
                    return;
                }
                _ if is_name(token) || token == "*" => path.push(token),
                _ => return,
            }
            let renamed = self.peek().is_some_and(|(_, token)| token == "as");
            if self.peek().is_some_and(|(_, token)| token == "::") && !self.is_before_generics() {
                self.at += 1;
                continue;
            }
            // Under another name it would be lost from sight: that counts as naming something in it.
            path.extend(renamed.then_some("as"));
            self.found.push((line, self.resolve(&path)));
            return;
        }
    }

    /// At `::` that leads to `<…>` and not to a name.
    fn is_before_generics(&self) -> bool {
        self.tokens.get(self.at + 1).is_some_and(|(_, token)| *token == "<")
    }

    fn resolve(&self, path: &[&str]) -> String {
        let mut module = self.module.clone();
        let mut path = path.iter().copied().peekable();
        match path.next_if(|first| ["self", "super"].contains(first)) {
            None => module.clear(),
            Some("super") => drop(module.pop()),
            Some(_) => {}
        }
        while !module.is_empty() && path.next_if_eq(&"super").is_some() {
            module.pop();
        }
        let path = path.map(str::to_owned);
        module.into_iter().chain(path).collect::<Vec<_>>().join("::")
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|first: char| first == '_' || first.is_alphabetic())
}

/// Names, numbers, `::`, and every other sign by itself, with their lines.
fn tokens(code: &str) -> Vec<(usize, &str)> {
    let mut tokens = Vec::new();
    for (index, mut line) in code.lines().enumerate() {
        while let Some(first) = line.chars().next() {
            let word = line
                .find(|sign: char| sign != '_' && !sign.is_alphanumeric())
                .unwrap_or(line.len());
            let sign = if line.starts_with("::") { 2 } else { first.len_utf8() };
            let (token, rest) = line.split_at(if word > 0 { word } else { sign });
            if !first.is_whitespace() {
                tokens.push((index + 1, token));
            }
            line = rest;
        }
    }
    tokens
}

/// The text with blanks for comments, strings and characters; lines stay where they are.
fn without_comments_and_literals(text: &str) -> String {
    let (mut code, mut rest) = (String::new(), text);
    while let Some(first) = rest.chars().next() {
        let after_name = code.ends_with(|last: char| last == '_' || last.is_alphanumeric());
        let length = if after_name { None } else { raw_string(rest) }.or_else(|| comment_or_literal(rest));
        let (blank, length) = length.map_or((false, first.len_utf8()), |length| (true, length));
        let (piece, left) = rest.split_at(length.min(rest.len()));
        code.extend(piece.chars().map(|sign| if blank && sign != '\n' { ' ' } else { sign }));
        rest = left;
    }
    code
}

/// The length of the raw string that begins here.
fn raw_string(text: &str) -> Option<usize> {
    let prefix = ["r", "br", "cr"].into_iter().find(|prefix| {
        text.strip_prefix(*prefix)
            .is_some_and(|rest| rest.trim_start_matches('#').starts_with('"'))
    })?;
    let hashes = text[prefix.len()..].find('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let start = prefix.len() + hashes + 1;
    Some(start + text[start..].find(&end)? + end.len())
}

/// The length of the comment, string or character that begins here.
fn comment_or_literal(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return Some(text.find("*/").map_or(text.len(), |end| end + 2));
    }
    let quote = text.chars().next().filter(|first| ['"', '\''].contains(first))?;
    let mut signs = text.char_indices().skip(1);
    let mut length = 0;
    while let Some((at, sign)) = signs.next() {
        length += 1;
        if sign == quote {
            return Some(at + 1);
        }
        if sign == '\\' {
            signs.next();
        } else if quote == '\'' && length > 1 {
            // A lifetime, and no character.
            return Some(1);
        }
    }
    None
}

#[test]
fn a_path_is_seen_however_it_is_written() {
    let text = r##"
        //! crate::comment::a
        use crate::{auth::{Permit, permit::Pull}, domain::{self, Error as Wrong}, metadata as facts};
        use super::super::storage::*; /* crate::comment::b */
        fn f<'a>(x: &'a crate::app::App) -> Vec<crate::clock::Millis> {
            let _ = ("crate::text::a \" crate::text::b", r#"crate::text::"c"#, 'x', '\'', b'"', "\\");
            ::sqlx::query::<i64>(self::helper()).map(<crate::start::A as super::B>::c)
        }
        mod tests {
            use super::inside;
        }
        $crate::made::by_macro
    "##;
    let module = ["crate", "http", "tags"].map(str::to_owned).to_vec();
    let found: Vec<_> = paths(text, module)
        .into_iter()
        .filter(|(_, path)| path.contains("::"))
        .collect();
    let expected = [
        (3, "crate::auth::Permit"),
        (3, "crate::auth::permit::Pull"),
        (3, "crate::domain::self"),
        (3, "crate::domain::Error::as"),
        (3, "crate::metadata::as"),
        (4, "crate::storage::*"),
        (5, "crate::app::App"),
        (5, "crate::clock::Millis"),
        (7, "sqlx::query"),
        (7, "crate::http::tags::helper"),
        (7, "crate::start::A::as"),
        (7, "crate::http::B"),
        (10, "crate::http::tags::inside"),
        (12, "crate::made::by_macro"),
    ];
    assert_eq!(found, expected.map(|(line, path)| (line, path.to_owned())));
}
