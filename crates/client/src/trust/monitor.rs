//! Watching a registry's log: that it goes on from what it was, that its entries are those that its checkpoint covers, and that what the
//! registry shows of some namespaces is what they say.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde::{Deserialize, Serialize};
use wreg_oci::{Digest, Host, RepositoryName, Tag};
use wreg_trust::log::{
    Entry, Frontier, Hash,
    entry::{Op, hashed},
};

use super::{LogReader, Memory, Refuted, memory};
use crate::{Error, Registry};

/// What has been read of a log: kept from one look to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Monitor {
    /// How many entries were read.
    pub size: u64,
    /// The right edge of their tree.
    frontier: Vec<String>,
    /// Where the tags are by the entries, for each repository as the log names it.
    tags: BTreeMap<String, BTreeMap<String, String>>,
}

/// What a look has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watched {
    /// How many entries the log has now.
    pub size: u64,
    /// How many of the new ones are about the namespaces.
    pub own: u64,
    /// What nobody can explain.
    pub findings: Vec<String>,
}

impl Monitor {
    /// What is known of a registry's log from the last time.
    pub async fn load(folder: &Path, host: &Host) -> Result<Self, Error> {
        memory::load_json(folder, host, KIND).await
    }

    /// Keeps it.
    pub async fn store(&self, folder: &Path, host: &Host) -> Result<(), Error> {
        memory::store_json(folder, host, KIND, self).await
    }

    /// Reads on to the end of the log. `Ok(Err)` where the log contradicts itself; then nothing is taken up.
    pub async fn read(
        &mut self,
        reader: &LogReader<'_>,
        memory: &mut Memory,
        names: &Names,
    ) -> Result<Result<Watched, Refuted>, Error> {
        let (_, head) = match reader.follow(memory).await? {
            Ok(found) => found,
            Err(refuted) => return Ok(Err(refuted)),
        };
        let mut next = self.clone();
        let mut watched = Watched {
            size: head.size,
            ..Watched::default()
        };
        let Some(mut frontier) = self.frontier() else {
            return Ok(Err(Refuted("what is kept of the log is damaged".to_owned())));
        };
        if frontier.size() > head.size {
            return Ok(Err(Refuted(format!(
                "the log was rolled back: {} entries were read of it, and it has {} now",
                frontier.size(),
                head.size
            ))));
        }
        while frontier.size() < head.size {
            let entries = match reader.entries(frontier.size(), head.size).await? {
                Ok(entries) => entries,
                Err(refuted) => return Ok(Err(refuted)),
            };
            if entries.is_empty() {
                return Ok(Err(Refuted("the log does not show all of its entries".to_owned())));
            }
            for bytes in entries {
                let place = frontier.size();
                frontier.append(Hash::leaf(&bytes), |_, _| ());
                match Entry::parse(&bytes) {
                    Ok(entry) => next.take(place, &entry, names, &mut watched),
                    Err(_) => watched.findings.push(format!("entry {place} cannot be read")),
                }
            }
        }
        if frontier.root() != head.root {
            return Ok(Err(Refuted(
                "the log was rewritten: its entries are not those that its checkpoint covers".to_owned(),
            )));
        }
        next.size = frontier.size();
        next.frontier = frontier.hashes().iter().map(ToString::to_string).collect();
        *self = next;
        Ok(Ok(watched))
    }

    fn frontier(&self) -> Option<Frontier> {
        let hashes: Option<Vec<Hash>> = self.frontier.iter().map(|hash| hash.parse().ok()).collect();
        Frontier::new(self.size, hashes?)
    }

    /// Takes up what an entry says of a tag.
    fn take(&mut self, place: u64, entry: &Entry, names: &Names, watched: &mut Watched) {
        let Some(logged) = &entry.repository else { return };
        let shown = names.of(logged);
        watched.own += u64::from(shown.is_some());
        let (Op::TagPut | Op::TagDelete, Some(tag)) = (entry.op, &entry.tag) else {
            return;
        };
        let tags = self.tags.entry(logged.clone()).or_default();
        let before = match &entry.digest {
            Some(digest) => tags.insert(tag.to_string(), digest.to_string()),
            None => tags.remove(tag.as_str()),
        };
        // Others' tags are theirs to explain; and one whose repository has another name in the log since is not known under it.
        if let Some(repository) = shown
            && before.is_some()
            && before.as_deref() != entry.previous.as_ref().map(Digest::as_str)
        {
            let was = before.unwrap_or_default();
            watched.findings.push(format!(
                "entry {place} moves {repository}:{tag} from {}, and it was at {was}",
                entry.previous.as_ref().map_or("nowhere", Digest::as_str)
            ));
        }
    }

    /// Compares what the registry shows of the repositories with what the log says of them.
    pub async fn compare(&self, registry: &Registry, names: &Names) -> Result<Vec<String>, Error> {
        let mut findings = Vec::new();
        for repository in names.repositories() {
            let said = self.tags_of(repository, names);
            let mut shown = BTreeSet::new();
            for tag in registry.tags(repository).await? {
                if tag.is_attachment() {
                    continue;
                }
                let Some(found) = registry.resolve(repository, &tag.clone().into()).await? else {
                    continue;
                };
                match said.get(tag.as_str()) {
                    Some(digest) if *digest == found.digest.as_str() => {}
                    Some(digest) => findings.push(format!(
                        "{repository}:{tag} is {} at the registry, and {digest} by its log",
                        found.digest
                    )),
                    None => findings.push(format!(
                        "{repository}:{tag} is {} at the registry, and its log knows nothing of it",
                        found.digest
                    )),
                }
                shown.insert(tag.to_string());
            }
            for (tag, digest) in said {
                let is_attachment = tag.parse::<Tag>().is_ok_and(|tag| tag.is_attachment());
                if !shown.contains(tag) && !is_attachment {
                    findings.push(format!(
                        "{repository}:{tag} is {digest} by the log, and the registry does not show it"
                    ));
                }
            }
        }
        Ok(findings)
    }

    /// Where tags are by the log: under the repository's own name, and where that is not there, under its hash.
    fn tags_of(&self, repository: &RepositoryName, names: &Names) -> BTreeMap<&str, &str> {
        let hashed = names.hashed.iter().filter(|(_, name)| *name == repository);
        let known = hashed.map(|(hash, _)| hash.as_str()).chain([repository.as_str()]);
        let tags = known.filter_map(|logged| self.tags.get(logged)).flatten();
        tags.map(|(tag, digest)| (tag.as_str(), digest.as_str())).collect()
    }
}

const KIND: &str = "monitor.json";

/// The repositories that are watched, and what the log calls those that are not public.
#[derive(Debug, Clone, Default)]
pub struct Names {
    repositories: BTreeSet<RepositoryName>,
    hashed: BTreeMap<String, RepositoryName>,
}

impl Names {
    /// Asks a registry for the repositories of some namespaces, or for all that the caller may see.
    pub async fn find(registry: &Registry, namespaces: &[String]) -> Result<Self, Error> {
        let mut names = Self::default();
        for found in registry.repositories().await? {
            let name = found.name;
            let is_wanted =
                |namespace: &String| name.as_str() == namespace || name.as_str().starts_with(&format!("{namespace}/"));
            if !namespaces.is_empty() && !namespaces.iter().any(is_wanted) {
                continue;
            }
            if let Some(salt) = registry.log_salt(&name).await?.salt {
                names.hashed.insert(hashed(&name, &salt), name.clone());
            }
            names.repositories.insert(name);
        }
        Ok(names)
    }

    /// Those that are watched.
    pub fn repositories(&self) -> impl Iterator<Item = &RepositoryName> {
        self.repositories.iter()
    }

    /// The one that the log means by a name or hash.
    fn of(&self, logged: &str) -> Option<&RepositoryName> {
        let plain = || self.repositories.iter().find(|name| name.as_str() == logged);
        self.hashed.get(logged).or_else(plain)
    }
}
