//! The number that a release should have.

use semver::{BuildMetadata, Prerelease, Version};

use super::report::{Comparison, Level};

impl Comparison {
    /// The least version that the newer one may have, if the older one is `old`.
    pub fn next_version(&self, old: &Version) -> Version {
        self.level.next_version(old)
    }

    /// Whether `new` says enough of what has changed since `old`.
    pub fn is_enough(&self, old: &Version, new: &Version) -> bool {
        self.level.is_enough(old, new)
    }
}

impl Level {
    /// The least version after `old` for a change of this level.
    ///
    /// From 1.0.0 on it is major, minor or patch, as the level is called. In 0.x a break raises the minor and everything else the
    /// patch number; in 0.0.x each raises the patch number: these are the tracks on which the component model takes one version
    /// for another. A pre-release promises nothing, so after it comes the next of its kind: 1.0.0-rc.1, 1.0.0-rc.2.
    ///
    /// Where nothing changed in the interface it is the next patch, since two releases cannot have the same version.
    pub fn next_version(self, old: &Version) -> Version {
        if !old.pre.is_empty() {
            return Version {
                pre: after_prerelease(&old.pre),
                build: BuildMetadata::EMPTY,
                ..*old
            };
        }
        let major = || Version::new(old.major.saturating_add(1), 0, 0);
        let minor = || Version::new(old.major, old.minor.saturating_add(1), 0);
        let patch = || Version::new(old.major, old.minor, old.patch.saturating_add(1));
        match (self, old.major, old.minor) {
            (Self::Major, 1.., _) => major(),
            (Self::Major, 0, 1..) | (Self::Minor, 1.., _) => minor(),
            _ => patch(),
        }
    }

    /// Whether `new` comes after `old` and is at least [`next_version`](Self::next_version), or a pre-release of it or of what
    /// comes after it. Build metadata counts for nothing. After a pre-release any later version is enough.
    pub fn is_enough(self, old: &Version, new: &Version) -> bool {
        let numbers = |version: &Version| (version.major, version.minor, version.patch);
        new.cmp_precedence(old).is_gt() && (!old.pre.is_empty() || numbers(new) >= numbers(&self.next_version(old)))
    }
}

/// The last identifier raised where it is a number, else followed by `1`: `rc.1` → `rc.2`, `alpha` → `alpha.1`.
fn after_prerelease(pre: &Prerelease) -> Prerelease {
    let (before, last) = pre
        .rsplit_once('.')
        .map_or(("", pre.as_str()), |(before, last)| (before, last));
    let raised = match last.parse::<u64>().ok().and_then(|number| number.checked_add(1)) {
        Some(number) if before.is_empty() => number.to_string(),
        Some(number) => format!("{before}.{number}"),
        None => format!("{pre}.1"),
    };
    // It is made of what a pre-release is made of.
    Prerelease::new(&raised).unwrap_or_else(|_| pre.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().expect("a version")
    }

    #[test]
    fn each_level_raises_its_number() {
        for (old, same, patch, minor, major) in [
            ("1.2.3", "1.2.4", "1.2.4", "1.3.0", "2.0.0"),
            ("1.2.3+build", "1.2.4", "1.2.4", "1.3.0", "2.0.0"),
            ("0.2.6", "0.2.7", "0.2.7", "0.2.7", "0.3.0"),
            ("0.0.3", "0.0.4", "0.0.4", "0.0.4", "0.0.4"),
            ("2.0.0-rc.1", "2.0.0-rc.2", "2.0.0-rc.2", "2.0.0-rc.2", "2.0.0-rc.2"),
            (
                "2.0.0-alpha",
                "2.0.0-alpha.1",
                "2.0.0-alpha.1",
                "2.0.0-alpha.1",
                "2.0.0-alpha.1",
            ),
            ("2.0.0-9", "2.0.0-10", "2.0.0-10", "2.0.0-10", "2.0.0-10"),
        ] {
            let levels = [Level::Same, Level::Patch, Level::Minor, Level::Major];
            for (level, expected) in levels.into_iter().zip([same, patch, minor, major]) {
                let next = level.next_version(&version(old));
                assert_eq!(next, version(expected), "{level} after {old}");
                assert!(level.is_enough(&version(old), &next), "{level} after {old}");
            }
        }
    }

    #[test]
    fn a_version_is_enough_from_the_next_one_on() {
        for (level, old, new, enough) in [
            (Level::Major, "1.2.3", "1.9.0", false),
            (Level::Major, "1.2.3", "2.0.0-rc.1", true),
            (Level::Major, "0.2.6", "0.2.7", false),
            (Level::Major, "0.2.6", "0.3.0", true),
            (Level::Major, "0.2.6", "1.0.0", true),
            (Level::Minor, "1.2.3", "1.2.4", false),
            (Level::Minor, "1.2.3", "1.4.2", true),
            (Level::Patch, "1.2.3", "1.2.4-beta", true),
            (Level::Same, "1.2.3", "1.2.3", false),
            (Level::Same, "1.2.3", "1.2.3+build", false),
            (Level::Same, "1.2.3", "1.2.2", false),
            (Level::Major, "2.0.0-rc.1", "2.0.0", true),
            (Level::Major, "2.0.0-rc.2", "2.0.0-rc.1", false),
        ] {
            assert_eq!(
                level.is_enough(&version(old), &version(new)),
                enough,
                "{level}: {old} → {new}"
            );
        }
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        let old = Version::new(u64::MAX, u64::MAX, u64::MAX);
        assert_eq!(Level::Major.next_version(&old), Version::new(u64::MAX, 0, 0));
        let old = version("1.0.0-18446744073709551615");
        assert_eq!(Level::Same.next_version(&old).pre.as_str(), "18446744073709551615.1");
    }
}
