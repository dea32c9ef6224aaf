//! Whether a new version breaks more than its number says, and whom.

use std::sync::Arc;

use wreg_api::{ComponentFinding, ComponentFindingCode, Version};
use wreg_component::{Comparison, Wit};
use wreg_oci::{Digest, RepositoryName, Tag, TagOrDigest, version};

use super::super::{Error, Registry, Result};
use crate::{
    analyser::{Compared, Texts},
    auth::permit::CatalogPermit,
    metadata::{
        heads::Direction,
        search::{NamePattern, Query},
    },
};

/// How many changes a finding tells in full.
const MAX_CHANGES: usize = 5;
/// How many repositories a finding names.
const MAX_DEPENDENTS: usize = 5;

impl Registry {
    /// What a layer breaks as the version that `tag` is; nothing for a tag that is none, or whose WIT is not known.
    pub(super) async fn breaks(
        &self,
        sees: &CatalogPermit,
        repository: &RepositoryName,
        tag: &Tag,
        layer: &Digest,
    ) -> Result<Option<ComponentFinding>> {
        let Some(version) = version::of_tag(tag) else {
            return Ok(None);
        };
        let versions = self.metadata.list_versions(repository).await?;
        let Some(before) = predecessor(&versions, &version) else {
            return Ok(None);
        };
        let selector = TagOrDigest::Tag(before.tag.clone());
        let Some(old) = self.metadata.find_component(repository, &selector).await? else {
            return Ok(None);
        };
        if old.layer == *layer {
            return Ok(None);
        }
        let Some(comparison) = self.compared(&old.layer, layer).await? else {
            return Ok(None);
        };
        if comparison.is_enough(&before.version, &version) {
            return Ok(None);
        }
        let dependents = self.dependents(sees, repository, &comparison).await?;
        Ok(Some(finding(before, &version, &comparison, &dependents)))
    }

    /// What changed between two layers, if both have WIT that can be compared. Compared by a process, and kept for a while.
    async fn compared(&self, old: &Digest, new: &Digest) -> Result<Option<Arc<Comparison>>> {
        let key = (old.clone(), new.clone());
        if let Some(known) = self.analyses.compared.get(&key) {
            return Ok(known);
        }
        let (Some(old), Some(new)) = (self.wit_of(old).await?, self.wit_of(new).await?) else {
            return Ok(None);
        };
        let compared = self.analyses.analyser.compare(&Texts { old, new }).await?;
        let comparison = match compared {
            Compared::Comparison(comparison) => Some(Arc::new(comparison)),
            Compared::Incomparable(_) => None,
        };
        self.analyses.compared.insert(key, comparison.clone());
        Ok(comparison)
    }

    /// The whole WIT text of a layer.
    async fn wit_of(&self, layer: &Digest) -> Result<Option<String>> {
        let wit = self
            .metadata
            .find_analysis(layer, 0)
            .await?
            .and_then(|record| record.wit);
        let wit: Option<Wit> = wit
            .map(|wit| serde_json::from_str(&wit))
            .transpose()
            .map_err(|error| Error::Unavailable(error.into()))?;
        Ok(wit.filter(|wit| !wit.truncated).map(|wit| wit.text))
    }

    /// Other repositories whose components import what breaks, as far as the caller may know of them.
    async fn dependents(
        &self,
        sees: &CatalogPermit,
        repository: &RepositoryName,
        comparison: &Comparison,
    ) -> Result<Vec<RepositoryName>> {
        let mut names: Vec<_> = comparison
            .changes
            .iter()
            .filter(|change| change.breaking)
            .filter_map(|change| interface(&change.at, repository))
            .collect();
        names.sort();
        names.dedup();
        let mut having = Vec::new();
        for name in names.into_iter().take(MAX_CHANGES) {
            let items = self
                .metadata
                .list_items(Direction::Import, &NamePattern::Exactly(name))
                .await?;
            having.extend(items.iter().map(|item| item.id));
        }
        if having.is_empty() {
            return Ok(Vec::new());
        }
        let query = Query {
            having: vec![having],
            limit: MAX_DEPENDENTS + 2,
            ..Query::default()
        };
        let found = self.metadata.search(sees.visible(), &query).await?;
        let others = found.into_iter().map(|(_, found)| found.repository);
        Ok(others.filter(|other| other != repository).collect())
    }
}

/// The version that a new one is compared with: the highest before it on the same track, on which one takes the place of the other.
fn predecessor<'a>(versions: &'a [Version], new: &semver::Version) -> Option<&'a Version> {
    let track = |version: &semver::Version| match (version.major, version.minor) {
        (0, 0) => (0, 0, version.patch),
        (0, minor) => (0, minor, 0),
        (major, _) => (major, 0, 0),
    };
    let earlier = versions.iter().filter(|old| {
        old.version.pre.is_empty()
            && old.marks.yanked.is_none()
            && track(&old.version) == track(new)
            && old.version.cmp_precedence(new).is_lt()
    });
    earlier.max_by(|a, b| a.version.cmp(&b.version))
}

/// The name of the interface that a change is in, without its version: `export acme:hello/greet@1.2.0` and, in a WIT package, whose name
/// is its repository's, `interface greet`.
fn interface(at: &str, repository: &RepositoryName) -> Option<String> {
    if let Some(name) = at.strip_prefix("export ") {
        let name = name.split([',', '@']).next().unwrap_or(name);
        return name.contains(':').then(|| name.to_owned());
    }
    let name = at.strip_prefix("interface ")?.split([',', ' ']).next()?;
    let (namespace, package) = repository.as_str().rsplit_once('/')?;
    let namespace = namespace.rsplit('/').next()?;
    Some(format!("{namespace}:{package}/{name}"))
}

fn finding(
    before: &Version,
    version: &semver::Version,
    comparison: &Comparison,
    dependents: &[RepositoryName],
) -> ComponentFinding {
    let next = comparison.next_version(&before.version);
    let breaking = comparison.changes.iter().filter(|change| change.breaking).count();
    // Where nothing breaks, what was added asks for the number.
    let told: Vec<_> = comparison
        .changes
        .iter()
        .filter(|change| change.breaking || breaking == 0)
        .take(MAX_CHANGES)
        .map(ToString::to_string)
        .collect();
    let all = if breaking == 0 {
        comparison.changes.len()
    } else {
        breaking
    };
    let more = match all - told.len() {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    let verb = if breaking == 0 { "adds to" } else { "breaks" };
    let whom = match dependents {
        [] => String::new(),
        names => {
            let names: Vec<_> = names.iter().take(MAX_DEPENDENTS).map(RepositoryName::as_str).collect();
            format!("; imported by {}", names.join(", "))
        }
    };
    ComponentFinding {
        code: ComponentFindingCode::BreaksCompatibility,
        message: format!(
            "{version} {verb} {}, and should be {next} at least: {}{more}{whom}",
            before.version,
            told.join("; ")
        ),
        offset: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version {
            version: text.parse().expect("a version"),
            tag: text.parse().expect("a tag"),
            digest: Digest::sha256(text),
            created_at: 0,
            size: None,
            marks: wreg_api::Marks::default(),
        }
    }

    #[test]
    fn a_version_is_compared_with_the_one_before_it_on_its_track() {
        let versions = [
            "2.0.0",
            "1.10.0",
            "1.2.0",
            "1.3.0-rc.1",
            "0.3.1",
            "0.2.9",
            "0.0.2",
            "0.0.1",
        ]
        .map(version);
        for (new, expected) in [
            ("1.2.1", Some("1.2.0")),
            ("1.11.0", Some("1.10.0")),
            ("2.0.1", Some("2.0.0")),
            ("3.0.0", None),
            ("1.2.0", None),
            ("0.3.2", Some("0.3.1")),
            ("0.4.0", None),
            ("0.0.3", None),
        ] {
            let new = new.parse().expect("a version");
            let found = predecessor(&versions, &new).map(|found| found.tag.to_string());
            assert_eq!(found.as_deref(), expected, "{new}");
        }
    }

    #[test]
    fn the_interface_of_a_change_is_named_without_its_version() {
        let repository = "mirror/acme/hello".parse().expect("a name");
        for (at, name) in [
            ("export acme:hello/greet@1.2.0", Some("acme:hello/greet")),
            ("export run", None),
            ("interface greet", Some("acme:hello/greet")),
            ("import wasi:io/streams@0.2.6", None),
        ] {
            assert_eq!(interface(at, &repository).as_deref(), name, "{at}");
        }
    }
}
