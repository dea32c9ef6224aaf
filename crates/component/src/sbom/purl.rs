//! Package URLs: `pkg:cargo/serde@1.0.228`.
//!
//! Source: package-url/purl-spec, PURL-SPECIFICATION.rst and the type `cargo`.

use crate::analysis::CRATES_IO;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but what the specification leaves as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_').remove(b'~');

/// The URL of a package. Only those of crates.io have one: of the others the list does not say where they are.
pub(super) fn of(name: &str, version: &str, source: &str) -> Option<String> {
    (source == CRATES_IO).then(|| format!("pkg:cargo/{}@{}", encoded(name), encoded(version)))
}

/// What tells a package without an URL from all others.
pub(super) fn unnamed(name: &str, version: &str, source: &str) -> String {
    format!("{}:{}@{}", encoded(source), encoded(name), encoded(version))
}

fn encoded(text: &str) -> impl std::fmt::Display {
    utf8_percent_encode(text, ENCODED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_pretend_to_be_another_package() {
        assert_eq!(
            of("serde", "1.0.0+a", CRATES_IO).as_deref(),
            Some("pkg:cargo/serde@1.0.0%2Ba")
        );
        assert_eq!(
            of("a@1/b?c#d", "1 \u{e4}", CRATES_IO).as_deref(),
            Some("pkg:cargo/a%401%2Fb%3Fc%23d@1%20%C3%A4")
        );
        assert_eq!(of("serde", "1.0.0", "git"), None);
        assert_eq!(unnamed("cargo/serde", "1.0.0", "pkg"), "pkg:cargo%2Fserde@1.0.0");
    }
}
