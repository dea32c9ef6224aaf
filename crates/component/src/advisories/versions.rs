//! Which versions of a package an advisory is about.
//!
//! Versions are compared by precedence alone. What Cargo does with pre-releases when it chooses one is no help here: that `>= 1.0.0` is
//! patched says something of 1.1.0-alpha.

use std::cmp::Ordering;

use semver::{BuildMetadata, Comparator, Op, Prerelease, Version, VersionReq};

use super::InvalidAdvisory;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Versions {
    /// Those that are listed, and those in a range.
    Listed { ranges: Vec<Range>, exact: Vec<Version> },
    /// All but those that one of these allows.
    Except(Vec<VersionReq>),
}

/// A range of OSV: what happens to versions in their order.
///
/// Source: OSV schema, "Evaluation".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Range {
    /// Sorted.
    events: Vec<(Version, Event)>,
    limits: Vec<Version>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    Introduced,
    Fixed,
    LastAffected,
}

impl Versions {
    pub(super) fn contains(&self, version: &Version) -> bool {
        match self {
            Self::Listed { ranges, exact } => {
                exact.iter().any(|one| one.cmp_precedence(version).is_eq())
                    || ranges.iter().any(|range| range.contains(version))
            }
            Self::Except(requirements) => !requirements.iter().any(|requirement| allows(requirement, version)),
        }
    }
}

impl Range {
    pub(super) fn new(mut events: Vec<(Version, Event)>, limits: Vec<Version>) -> Self {
        events.sort_by(|(one, _), (other, _)| one.cmp_precedence(other));
        Self { events, limits }
    }

    fn contains(&self, version: &Version) -> bool {
        let below = |limit: &Version| version.cmp_precedence(limit).is_lt();
        let mut affected = false;
        for (at, event) in &self.events {
            match (event, version.cmp_precedence(at)) {
                (Event::Introduced, Ordering::Equal | Ordering::Greater) => affected = true,
                (Event::Fixed, Ordering::Equal | Ordering::Greater) | (Event::LastAffected, Ordering::Greater) => {
                    affected = false;
                }
                _ => {}
            }
        }
        affected && (self.limits.is_empty() || self.limits.iter().any(below))
    }
}

/// A version; what lacks its last parts is filled up with zeros, and `0` is the lowest of all.
pub(super) fn version(text: &str) -> Result<Version, InvalidAdvisory> {
    let filled = match text {
        "0" => "0.0.0-0".to_owned(),
        _ => match text.matches('.').count() {
            0 => format!("{text}.0.0"),
            1 => format!("{text}.0"),
            _ => text.to_owned(),
        },
    };
    Version::parse(text)
        .or_else(|_| Version::parse(&filled))
        .map_err(|_| InvalidAdvisory::Version(super::short(text)))
}

/// A requirement of versions.
pub(super) fn requirement(text: &str) -> Result<VersionReq, InvalidAdvisory> {
    VersionReq::parse(text).map_err(|_| InvalidAdvisory::Version(super::short(text)))
}

fn allows(requirement: &VersionReq, version: &Version) -> bool {
    requirement
        .comparators
        .iter()
        .all(|comparator| fits(comparator, version))
}

/// Whether a version is within one bound. Pre-releases of the version at which a bound ends are beyond it: it is better to warn of one too
/// many than of one too few.
fn fits(comparator: &Comparator, version: &Version) -> bool {
    let Comparator {
        op,
        major,
        minor,
        patch,
        pre,
    } = comparator;
    let major = *major;
    let whole = patch.is_some();
    let low = Version {
        pre: pre.clone(),
        ..Version::new(major, minor.unwrap_or(0), patch.unwrap_or(0))
    };
    let after_major = || Version::new(major.saturating_add(1), 0, 0);
    // After all that have the same parts as the bound.
    let after = || minor.map_or_else(after_major, |minor| Version::new(major, minor.saturating_add(1), 0));
    let compatible = || match (major, *minor, *patch) {
        (1.., ..) | (0, None, _) => after_major(),
        (0, Some(0), Some(patch)) => Version::new(0, 0, patch.saturating_add(1)),
        (0, Some(minor), _) => Version::new(0, minor.saturating_add(1), 0),
    };
    let at_least = |bound: &Version| version.cmp_precedence(bound).is_ge();
    let before = |bound: &Version| version.cmp_precedence(&first_of(bound)).is_lt();
    match op {
        Op::Exact if whole => version.cmp_precedence(&low).is_eq(),
        Op::Greater if whole => version.cmp_precedence(&low).is_gt(),
        Op::Greater => at_least(&after()),
        Op::GreaterEq => at_least(&low),
        Op::Less => version.cmp_precedence(&low).is_lt(),
        Op::LessEq if whole => version.cmp_precedence(&low).is_le(),
        Op::LessEq => before(&after()),
        Op::Exact | Op::Tilde | Op::Wildcard => at_least(&low) && before(&after()),
        Op::Caret => at_least(&low) && before(&compatible()),
        _ => false,
    }
}

/// The lowest pre-release of a version.
fn first_of(version: &Version) -> Version {
    Version {
        pre: Prerelease::new("0").unwrap_or(Prerelease::EMPTY),
        build: BuildMetadata::EMPTY,
        ..*version
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Version {
        version(text).expect("a version")
    }

    #[test]
    fn requirements_hold_for_what_they_name() {
        for (text, allowed, refused) in [
            (">= 1.2.3", "1.2.3 1.3.0-alpha 2.0.0 1.2.3+b", "1.2.2 1.2.3-rc.1 0.9.0"),
            ("> 1.2.3", "1.2.4 1.2.4-alpha", "1.2.3 1.2.3-alpha 1.2.3+b"),
            ("> 1.2", "1.3.0", "1.2.9 1.3.0-alpha"),
            ("< 1.2.3", "1.2.2 1.2.3-alpha 0.1.0", "1.2.3 1.3.0"),
            ("<= 1.2", "1.2.9 0.1.0", "1.3.0 1.3.0-alpha"),
            ("<= 1.2.3", "1.2.3", "1.2.4-alpha"),
            ("=1.2.3", "1.2.3", "1.2.4 1.2.3-alpha"),
            ("=1.2", "1.2.0 1.2.9", "1.3.0 1.3.0-0"),
            ("^1.2.3", "1.2.3 1.9.0 1.3.0-alpha", "2.0.0 2.0.0-alpha 1.2.2"),
            ("^0.2.3", "0.2.3 0.2.9", "0.3.0 0.3.0-alpha"),
            ("^0.0.3", "0.0.3", "0.0.4 0.0.4-a"),
            ("^0.0", "0.0.1 0.0.9", "0.1.0"),
            ("^0", "0.9.0", "1.0.0"),
            ("~1.2.3", "1.2.9", "1.3.0"),
            ("~1", "1.9.0", "2.0.0"),
            ("1.*", "1.9.0", "2.0.0"),
            ("*", "1.9.0 2.0.0-alpha", ""),
            (">= 1.0.0, < 1.5.0", "1.4.9", "1.5.0 0.9.0"),
        ] {
            let requirement = requirement(text).expect("a requirement");
            for (versions, expected) in [(allowed, true), (refused, false)] {
                for version in versions.split_whitespace() {
                    assert_eq!(allows(&requirement, &parsed(version)), expected, "{text} and {version}");
                }
            }
        }
    }

    #[test]
    fn ranges_hold_for_what_lies_in_them() {
        use Event::{Fixed, Introduced, LastAffected};
        let range = |events: &[(&str, Event)], limits: &[&str]| {
            let events = events.iter().map(|(at, event)| (parsed(at), *event)).collect();
            Range::new(events, limits.iter().map(|limit| parsed(limit)).collect())
        };
        for (range, inside, outside) in [
            (range(&[("0", Introduced)], &[]), "0.0.0-0 0.0.1 9.9.9", ""),
            (
                range(&[("0", Introduced), ("1.2", Fixed)], &[]),
                "0.1.0 1.2.0-rc.1",
                "1.2.0 1.2.0+b",
            ),
            (
                range(
                    &[
                        ("2.0.0", Introduced),
                        ("1.5.0", Fixed),
                        ("1.0.0", Introduced),
                        ("2.1.0", LastAffected),
                    ],
                    &[],
                ),
                "1.0.0 1.4.9 2.0.0 2.1.0 2.1.0+b",
                "0.9.0 1.5.0 1.9.9 2.1.1",
            ),
            (range(&[("1.0.0", Introduced)], &["1.2.0", "1.1.0"]), "1.1.9", "1.2.0"),
            (range(&[("1.0.0", Fixed)], &[]), "", "0.9.0 1.0.0"),
        ] {
            for (versions, expected) in [(inside, true), (outside, false)] {
                for version in versions.split_whitespace() {
                    assert_eq!(range.contains(&parsed(version)), expected, "{range:?} and {version}");
                }
            }
        }
        assert!(version("one").is_err() && version("").is_err() && version("1.2.3.4").is_err());
    }
}
