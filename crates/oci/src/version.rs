//! Tags that are versions: `1.2.0`, `v1.2.0`, `1.2.0_build.5`.
//!
//! Source: Semantic Versioning 2.0.0. A tag cannot hold the `+` before build metadata, so that `_`, which no version holds, stands for
//! it, as Helm has it.

use semver::{Version, VersionReq};

use crate::tag::Tag;

/// The version that a tag is: a full semantic version, with an optional `v` before it.
pub fn of_tag(tag: &Tag) -> Option<Version> {
    let text = tag.as_str();
    // Most tags are no versions; this says so of most of them without looking further.
    let text = text.strip_prefix('v').unwrap_or(text);
    if !text.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    Version::parse(&text.replacen('_', "+", 1)).ok()
}

/// The tag that names a version; `None` for one that is too long to be a tag.
pub fn to_tag(version: &Version) -> Option<Tag> {
    version.to_string().replacen('+', "_", 1).parse().ok()
}

/// The highest of these versions that a requirement allows, and its place among them. Pre-releases are allowed by requirements that
/// name one of the same version, and where `*` would otherwise find nothing at all.
pub fn highest(versions: &[&Version], requirement: &VersionReq) -> Option<usize> {
    let best = |allowed: &dyn Fn(&Version) -> bool| {
        let allowed = versions.iter().enumerate().filter(|(_, version)| allowed(version));
        allowed.max_by(|(_, a), (_, b)| a.cmp(b)).map(|(place, _)| place)
    };
    best(&|version| requirement.matches(version)).or_else(|| best(&|_| *requirement == VersionReq::STAR))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tag(text: &str) -> Tag {
        text.parse().expect("a tag")
    }

    #[test]
    fn full_versions_are_versions_and_nothing_else_is() {
        for (text, version) in [
            ("1.2.0", Some("1.2.0")),
            ("v1.2.0", Some("1.2.0")),
            ("1.2.0-rc.1_build.5", Some("1.2.0-rc.1+build.5")),
            ("1.2.0_5", Some("1.2.0+5")),
            ("latest", None),
            ("1.2", None),
            ("1", None),
            ("vv1.2.0", None),
            ("01.2.0", None),
            ("1.2.0_a_b", None),
            ("sha256-1.2.0", None),
        ] {
            let expected = version.map(|version| version.parse().expect("a version"));
            assert_eq!(of_tag(&tag(text)), expected, "{text}");
        }
    }

    #[test]
    fn a_requirement_finds_the_highest_and_a_prerelease_only_where_it_is_asked_for() {
        let all: Vec<Version> = ["0.9.0", "1.2.0", "1.10.0", "2.0.0-rc.1"]
            .map(|version| version.parse().expect("a version"))
            .into();
        let versions: Vec<&Version> = all.iter().collect();
        for (requirement, found) in [
            ("^1.2", Some(2)),
            ("*", Some(2)),
            ("=1.2.0", Some(1)),
            ("2.0.0-rc.1", Some(3)),
            ("^3", None),
        ] {
            let requirement = requirement.parse().expect("a requirement");
            assert_eq!(highest(&versions, &requirement), found, "{requirement}");
        }
        assert_eq!(highest(&versions[3..], &VersionReq::STAR), Some(0));
    }

    proptest! {
        #[test]
        fn a_version_survives_being_a_tag(text in "(0|[1-9][0-9]{0,5})\\.(0|[1-9][0-9]{0,5})\\.(0|[1-9][0-9]{0,5})(-[a-z]{1,8}(\\.[a-z]{1,8})?)?(\\+[a-z0-9]{1,8})?") {
            let version: Version = text.parse().expect("generated from the grammar");
            let tag = to_tag(&version).expect("it is short");
            prop_assert_eq!(of_tag(&tag), Some(version));
        }
    }
}
