//! Text that comes out of a binary, made short and printable: whoever wrote the binary chose every byte of it, and it ends
//! on terminals, in JSON and on web pages.

/// The longest name kept, in bytes.
pub(crate) const MAX_NAME: usize = 1024;

/// The longest free text kept, in bytes: descriptions, authors, messages.
pub(crate) const MAX_TEXT: usize = 4096;

/// What stands at the end of a text that was cut.
const ELLIPSIS: char = '…';

/// A free text of somebody else's, on one line, printable, and at most 4 KiB before the ellipsis.
pub fn printable_text(text: &str) -> String {
    printable(text, MAX_TEXT)
}

/// `text` on one line, without control and direction-changing characters, and at most `max` bytes before the ellipsis.
pub(crate) fn printable(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(max));
    for character in text.chars() {
        let shown = match character {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
            other => visible(other),
        };
        if out.len() + shown.len_utf8() > max {
            out.push(ELLIPSIS);
            break;
        }
        out.push(shown);
    }
    out
}

/// The character itself, line feed and tab included; the replacement character instead of one that shows nothing and
/// changes what is shown around it: other controls, invisible spaces, and the marks that turn the direction of text (Unicode
/// Bidirectional Algorithm, table 1). The joiners, which some scripts cannot be written without, stay.
pub(crate) fn visible(character: char) -> char {
    match character {
        '\n' | '\t' => character,
        '\u{061c}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => char::REPLACEMENT_CHARACTER,
        control if control.is_control() => char::REPLACEMENT_CHARACTER,
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn controls_and_direction_marks_are_replaced() {
        assert_eq!(
            printable("a\u{1b}[31mb\u{202e}c\0", 100),
            "a\u{fffd}[31mb\u{fffd}c\u{fffd}"
        );
    }

    #[test]
    fn lines_become_one_line() {
        assert_eq!(printable("one\ntwo\tthree", 100), "one two three");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(printable("ääää", 5), "ää…");
    }
}
