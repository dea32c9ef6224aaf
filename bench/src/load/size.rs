//! Sizes as people write them: `100KiB`, `32MiB`, `4096`.

use std::{fmt, str::FromStr};

use anyhow::{Context as _, ensure};

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) usize);

const UNITS: [(&str, usize); 3] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

impl FromStr for Size {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unit = UNITS
            .into_iter()
            .find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)));
        let (digits, unit) = unit.unwrap_or((text, 1));
        let number: usize = digits.trim().parse().context("a size is like 100KiB, 32MiB or 4096")?;
        let size = number.saturating_mul(unit);
        ensure!((16..=1 << 30).contains(&size), "a size is between 16 bytes and 1 GiB");
        Ok(Self(size))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS.into_iter().rev().find(|(_, unit)| self.0.is_multiple_of(*unit));
        match unit {
            Some((name, unit)) => write!(f, "{} {name}", self.0 / unit),
            None => write!(f, "{} bytes", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_written() {
        for (text, bytes, shown) in [
            ("100KiB", 102_400, "100 KiB"),
            ("32MiB", 33_554_432, "32 MiB"),
            ("1000", 1000, "1000 bytes"),
        ] {
            let size: Size = text.parse().expect("it is a size");
            assert_eq!((size.0, size.to_string().as_str()), (bytes, shown));
        }
        for text in ["", "KiB", "1kb", "4", "2GiB"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }
}
