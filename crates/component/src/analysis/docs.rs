//! The documentation in WIT text.

use crate::text::printable;

/// The longest documentation kept, in bytes.
const MAX_DOCS: usize = 64 << 10;

/// What the documentation comments in `wit` say, on one line. The printer writes each as lines that begin with `///`, and nothing
/// else so.
pub(super) fn words(wit: &str) -> String {
    let mut words = String::new();
    for line in wit.lines().filter_map(|line| line.trim_start().strip_prefix("///")) {
        for word in line.split_whitespace() {
            if !words.is_empty() {
                words.push(' ');
            }
            words.push_str(word);
        }
        if words.len() > MAX_DOCS {
            break;
        }
    }
    printable(&words, MAX_DOCS)
}
