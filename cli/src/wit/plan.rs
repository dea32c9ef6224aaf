//! What a lock should say: for each package that is wanted the version that the lock has, or the newest that is allowed.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use semver::Version;
use wreg_oci::{Host, version};

use super::{
    lock::{Entry, LOCK, Lock},
    name::PackageName,
    project::Wanted,
    registries::{Mapping, Registries},
    source::{Offered, Sources},
};
use crate::error::CliError;

/// How many registries' answers are waited for at once.
pub(super) const AT_ONCE: usize = 8;

/// How many versions, and how many differences, a sentence lists.
const MAX_LISTED: usize = 5;

/// Which entries of a lock stay if they fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    All,
    Nothing,
}

/// The way to a lock.
pub(crate) struct Plan {
    steps: Vec<Step>,
    /// Entries of the lock that nothing wants, in words.
    unwanted: Vec<String>,
    has_lock: bool,
}

struct Step {
    wanted: Wanted,
    mapping: Mapping,
    /// Whether the user's configuration names the registry; otherwise the lock does.
    is_configured: bool,
    kept: Option<Entry>,
}

/// A package that is fixed, and where it is.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) mapping: Mapping,
    pub(crate) entry: Entry,
}

impl Plan {
    /// Compares what is wanted with what `lock` says.
    pub(crate) fn new(
        wanted: Vec<Wanted>,
        registries: &Registries,
        lock: Option<&Lock>,
        keep: Keep,
    ) -> Result<Self, CliError> {
        let entries = lock.map(Lock::entries).unwrap_or_default();
        let mut steps = Vec::new();
        for wanted in wanted {
            let configured = registries.of(&wanted.package);
            let is_configured = configured.is_some();
            let mapping = configured.or_else(|| in_lock(entries, &wanted.package));
            let mapping = mapping.ok_or_else(|| {
                CliError::usage(format!("no registry is configured for {}", wanted.package)).hint(
                    "set WREG_REGISTRY, or name the registry of its namespace in wkg's configuration: `wreg lock --help` shows how",
                )
            })?;
            let fitting = entries
                .iter()
                .filter(|entry| keep == Keep::All && fits(entry, &wanted, &mapping.name));
            // The version that the text names before another build of it.
            let kept = fitting
                .min_by_key(|entry| wanted.exact.as_ref() != Some(&entry.version))
                .cloned();
            steps.push(Step {
                wanted,
                mapping,
                is_configured,
                kept,
            });
        }
        let is_unwanted = |entry: &&Entry| !steps.iter().any(|step| fits(entry, &step.wanted, &step.mapping.name));
        let unwanted = entries.iter().filter(is_unwanted);
        Ok(Self {
            unwanted: unwanted
                .map(|entry| words(&entry.package, &entry.requirement, entry.registry.as_ref()))
                .collect(),
            has_lock: lock.is_some(),
            steps,
        })
    }

    /// The registries that the user's configuration names, by their addresses.
    pub(crate) fn hosts(&self) -> Vec<Host> {
        let configured = self.steps.iter().filter(|step| step.is_configured);
        let addresses = configured.filter_map(|step| {
            let metadata = step.mapping.metadata.as_ref();
            let address = metadata.and_then(|metadata| metadata.oci_registry());
            address.unwrap_or(&step.mapping.name).parse().ok()
        });
        addresses.collect()
    }

    /// Whether the lock says all of it, and nothing else. Otherwise the error says what it does not.
    pub(crate) fn check(&self) -> Result<(), CliError> {
        if !self.has_lock {
            return Err(CliError::no(format!("there is no {LOCK}")).hint("`wreg lock` makes it"));
        }
        let missing = self.steps.iter().filter(|step| step.kept.is_none()).map(|step| {
            let words = words(&step.wanted.package, &step.wanted.requirement, Some(&step.mapping.name));
            format!("{words} is not in it")
        });
        let unwanted = self.unwanted.iter().map(|words| format!("{words} is not wanted"));
        let differences: Vec<_> = missing.chain(unwanted).collect();
        if differences.is_empty() {
            return Ok(());
        }
        let more = differences.len().saturating_sub(MAX_LISTED);
        let mut listed = differences.into_iter().take(MAX_LISTED).collect::<Vec<_>>().join("; ");
        if more > 0 {
            listed = format!("{listed}; and {more} more");
        }
        Err(CliError::no(format!("{LOCK} is not up to date: {listed}")).hint("`wreg lock` brings it up to date"))
    }

    /// What is still missing, if it cannot be asked for.
    pub(crate) fn check_offline(&self) -> Result<(), CliError> {
        match self.steps.iter().find(|step| step.kept.is_none()) {
            None => Ok(()),
            Some(Step { wanted, .. }) => Err(CliError::no(format!(
                "{LOCK} does not say which version of {} to use, and offline it cannot be found out",
                wanted.package
            ))
            .hint("run `wreg lock` where the registry can be reached")),
        }
    }

    /// Finds the versions of all that is not fixed yet.
    pub(crate) async fn resolve(self, sources: &Sources<'_>) -> Result<Vec<Resolved>, CliError> {
        let resolved = self.steps.into_iter().map(|step| step.resolve(sources));
        stream::iter(resolved).buffered(AT_ONCE).try_collect().await
    }
}

impl Step {
    async fn resolve(self, sources: &Sources<'_>) -> Result<Resolved, CliError> {
        let Self {
            wanted, mapping, kept, ..
        } = self;
        if let Some(entry) = kept {
            return Ok(Resolved { mapping, entry });
        }
        let offered = sources.versions(&mapping, &wanted.package).await?;
        let version = choose(&wanted, &offered).ok_or_else(|| none_fits(&wanted, offered, &mapping))?;
        let layer = sources.release(&mapping, &wanted.package, &version).await?;
        let entry = Entry {
            package: wanted.package,
            registry: Some(mapping.name.clone()),
            requirement: wanted.requirement,
            version,
            digest: layer.digest,
        };
        Ok(Resolved { mapping, entry })
    }
}

/// The version that is named, if it is there; else the highest that is allowed. None that is yanked.
fn choose(wanted: &Wanted, offered: &[Offered]) -> Option<Version> {
    let versions = offered.iter().filter(|offered| !offered.is_yanked);
    let versions: Vec<_> = versions.map(|offered| &offered.version).collect();
    let named = wanted.exact.as_ref().filter(|exact| versions.contains(exact));
    let highest = || version::highest(&versions, &wanted.requirement).map(|place| versions[place]);
    named.or_else(highest).cloned()
}

fn none_fits(wanted: &Wanted, mut offered: Vec<Offered>, mapping: &Mapping) -> CliError {
    offered.sort_by(|one, other| other.version.cmp(&one.version));
    let newest = offered.iter().take(MAX_LISTED).map(|offered| {
        let yanked = if offered.is_yanked { " (yanked)" } else { "" };
        format!("{}{yanked}", offered.version)
    });
    let newest: Vec<_> = newest.collect();
    let there = if newest.is_empty() {
        "no version".to_owned()
    } else {
        newest.join(", ")
    };
    CliError::no(format!(
        "{} has no version of {} that {} allows; the newest there: {there}",
        mapping.name, wanted.package, wanted.requirement
    ))
}

/// Whether `entry` answers what is wanted.
fn fits(entry: &Entry, wanted: &Wanted, registry: &str) -> bool {
    entry.package == wanted.package
        && entry.registry.as_deref() == Some(registry)
        && entry.requirement == wanted.requirement
        && version::highest(&[&entry.version], &wanted.requirement).is_some()
}

/// The registry that the lock names for a package for which none is configured.
fn in_lock(entries: &[Entry], package: &PackageName) -> Option<Mapping> {
    let mut entries = entries.iter().filter(|entry| entry.package == *package);
    entries.find_map(|entry| entry.registry.clone()).map(Mapping::from)
}

fn words(package: &PackageName, requirement: &semver::VersionReq, registry: Option<&String>) -> String {
    let of = registry.map_or_else(String::new, |registry| format!(" of {registry}"));
    format!("{package} {requirement}{of}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wit::project::exactly;

    fn wanted(requirement: &str) -> Wanted {
        Wanted {
            package: "acme:hello".parse().expect("a name"),
            requirement: requirement.parse().expect("a requirement"),
            exact: None,
        }
    }

    /// What is chosen of these versions, of which those with a `!` are yanked.
    fn chosen(wanted: &Wanted, texts: &[&str]) -> Option<String> {
        let offered = texts.iter().map(|text| Offered {
            version: text.trim_end_matches('!').parse().expect("a version"),
            is_yanked: text.ends_with('!'),
        });
        choose(wanted, &offered.collect::<Vec<_>>()).map(|version| version.to_string())
    }

    #[test]
    fn the_highest_version_that_is_allowed_is_chosen() {
        let there = ["1.10.0", "2.0.0-rc.1", "1.9.0", "1.2.0", "0.9.0", "1.11.0!"];
        for (requirement, version) in [
            ("*", Some("1.10.0")),
            ("^1", Some("1.10.0")),
            ("~1.2", Some("1.2.0")),
            ("<1.10", Some("1.9.0")),
            ("=2.0.0-rc.1", Some("2.0.0-rc.1")),
            ("=1.11.0", None),
            ("^2", None),
        ] {
            assert_eq!(
                chosen(&wanted(requirement), &there).as_deref(),
                version,
                "{requirement}"
            );
        }
    }

    #[test]
    fn the_build_that_is_named_is_chosen() {
        let named = |text: &str| {
            let version: Version = text.parse().expect("a version");
            Wanted {
                requirement: exactly(&version),
                exact: Some(version),
                ..wanted("*")
            }
        };
        let there = ["1.0.0", "1.0.0+a", "1.0.0+b"];
        assert_eq!(chosen(&named("1.0.0"), &there).as_deref(), Some("1.0.0"));
        assert_eq!(chosen(&named("1.0.0+a"), &there).as_deref(), Some("1.0.0+a"));
        assert_eq!(chosen(&named("1.0.0+c"), &there).as_deref(), Some("1.0.0+b"));
    }
}
