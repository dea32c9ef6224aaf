//! Text for people: columns, sizes, and words from elsewhere made harmless.

use std::{borrow::Cow, fmt};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// How wide the column of labels is.
const LABELS: usize = 12;

/// `text` without what would steer a terminal or turn the direction of writing: whoever made an artifact chose its words.
/// Lines stay lines.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_steering) {
        text.chars()
            .map(|c| if is_steering(c) { char::REPLACEMENT_CHARACTER } else { c })
            .collect::<String>()
            .into()
    } else {
        text.into()
    }
}

fn is_steering(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || (character.is_control() && !matches!(character, '\n' | '\t'))
}

/// `text` on one line, so that it cannot pretend to be a line of ours.
pub(super) fn one_line(text: &str) -> Cow<'_, str> {
    if text.contains(['\n', '\t', '\r']) {
        text.replace(['\n', '\t', '\r'], " ").into()
    } else {
        text.into()
    }
}

/// `18.3 MB`: a size in bytes, rounded to three digits.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 4] = [
        ("TB", 1_000_000_000_000),
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("kB", 1_000),
    ];
    let Some((unit, factor)) = UNITS.into_iter().find(|(_, factor)| bytes >= *factor) else {
        return format!("{bytes} bytes");
    };
    let tenths = (bytes / (factor / 10)).max(10);
    if tenths < 1000 {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    } else {
        format!("{} {unit}", tenths / 10)
    }
}

/// RFC 3339, of milliseconds since 1970-01-01T00:00:00Z; empty for what no calendar has.
pub(crate) fn time(millis: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000).ok();
    time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_default()
}

/// `1 tag`, `2 tags`.
pub(super) fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// One labelled line, and one more for each further value, under the first. Nothing for no value.
pub(super) fn field<T: AsRef<str>>(
    f: &mut fmt::Formatter<'_>,
    label: &str,
    values: impl IntoIterator<Item = T>,
) -> fmt::Result {
    let mut label = label;
    for value in values {
        writeln!(f, "  {label:LABELS$}{}", one_line(value.as_ref()))?;
        label = "";
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1_000, "1.0 kB"),
            (18_345_678, "18.3 MB"),
            (123_456_789, "123 MB"),
            (u64::MAX, "18446744 TB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn words_from_elsewhere_cannot_steer_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\r\u{202e}c\nd"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}c\nd");
        assert_eq!(one_line("a\n  digest sha256:0"), "a   digest sha256:0");
    }
}
