//! Pages of a list: the parameters `n` and `last`, and the `Link` header to the next page.
//!
//! Source: OCI distribution specification, "Listing Tags" (end-8), which the catalog follows too.

/// The most entries in one page that a client can ask for. Bigger wishes are cut to it, and a `Link` leads on.
pub const MAX_ENTRIES: usize = 1000;

/// What part of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// At most this many entries, 0 to [`MAX_ENTRIES`]; `None` leaves it to the list: all tags, or one page of repositories.
    pub n: Option<usize>,
    /// Only entries after this one. It need not exist, and any text will do.
    pub last: Option<String>,
}

impl Page {
    /// Reads `n`: digits, at most 2⁶³ − 1.
    pub(crate) fn parse_n(text: &str) -> Result<usize, InvalidPage> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let n: i64 = if digits {
            text.parse().map_err(|_| InvalidPage)?
        } else {
            return Err(InvalidPage);
        };
        Ok(usize::try_from(n).map_or(MAX_ENTRIES, |n| n.min(MAX_ENTRIES)))
    }
}

/// An `n` that is not a number of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("n must be a whole number from 0 on")]
pub struct InvalidPage;

#[cfg(test)]
mod tests {
    use super::*;

    /// **T01** `n` negative, not a number, or beyond 63 bits → refused; a huge one is cut to a page.
    #[test]
    fn n_is_a_number_of_entries() {
        for text in ["", "-1", "abc", "+1", "1.0", "9223372036854775808"] {
            assert_eq!(Page::parse_n(text), Err(InvalidPage), "{text}");
        }
        assert_eq!(Page::parse_n("0"), Ok(0));
        assert_eq!(Page::parse_n("2147483647"), Ok(MAX_ENTRIES));
    }
}
