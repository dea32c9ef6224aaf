//! What search knows of a repository: written down as a job, after everything that may have changed it.

use futures_util::{StreamExt as _, stream};
use wreg_component::{Analysis, Kind};
use wreg_oci::{Digest, RepositoryName};

use super::{
    super::{Registry, Result},
    analyses::{LEASE, outcome},
};
use crate::{
    analyser::Outcome,
    clock::millis,
    metadata::{
        heads::{Candidate, Direction, Head, HeadItem, PutHead, Words, head},
        jobs::Once,
    },
};

/// The longest text of words, in bytes.
const MAX_WORDS: usize = 64 << 10;
/// How many jobs are looked up at a time, and how many are done together: writes of several share a transaction on SQLite.
const AT_ONCE: i64 = 200;
const TOGETHER: usize = 16;

impl Registry {
    /// Does some of what is due. Says whether there was anything.
    pub async fn index_due(&self, owner: &str) -> Result<bool> {
        let due = self
            .metadata
            .list_due_jobs(Once::Index, self.clock.now(), AT_ONCE)
            .await?;
        let is_some = !due.is_empty();
        let jobs: Vec<_> = due.into_iter().map(|name| self.index_one(owner, name)).collect();
        let mut jobs = stream::iter(jobs).buffer_unordered(TOGETHER);
        while let Some(done) = jobs.next().await {
            done?;
        }
        Ok(is_some)
    }

    async fn index_one(&self, owner: &str, name: String) -> Result<()> {
        let now = self.clock.now();
        let until = now.saturating_add(millis(LEASE));
        let repository = Once::Index.subject(&name).and_then(|name| name.parse().ok());
        let claim = self.metadata.take_job(&name, owner, now, until).await?;
        if let (Some(claim), Some(repository)) = (claim, repository) {
            let head = self.find_head(&repository).await?;
            let operation = PutHead {
                claim,
                repository,
                head,
            };
            self.metadata.write(operation).await?;
        }
        Ok(())
    }

    async fn find_head(&self, repository: &RepositoryName) -> Result<Option<Head>> {
        let Some(candidate) = head(self.metadata.list_candidates(repository).await?) else {
            return Ok(None);
        };
        let record = self.metadata.find_analysis(&candidate.layer, 0).await?;
        let Some(Outcome::Analysed(analysis)) = record.as_ref().map(outcome).transpose()? else {
            return Ok(None);
        };
        let description = self.description(repository, &candidate.manifest, &analysis).await?;
        Ok(Some(describe(repository, candidate, &analysis, description)))
    }

    /// What a component does: as its binary says, or else its manifest.
    async fn description(
        &self,
        repository: &RepositoryName,
        manifest: &Digest,
        analysis: &Analysis,
    ) -> Result<Option<String>> {
        if analysis.inspection.metadata.description.is_some() {
            return Ok(analysis.inspection.metadata.description.clone());
        }
        let selector = manifest.clone().into();
        let Some(manifest) = self.metadata.find_manifest(repository, &selector).await? else {
            return Ok(None);
        };
        let manifest = wreg_oci::Manifest::parse(&manifest.content, &manifest.media_type)?;
        let description = manifest.annotations.get("org.opencontainers.image.description");
        Ok(description.map(|text| wreg_component::printable(text)))
    }
}

fn describe(
    repository: &RepositoryName,
    candidate: Candidate,
    analysis: &Analysis,
    description: Option<String>,
) -> Head {
    let inspection = &analysis.inspection;
    let mut items = Vec::new();
    for (direction, names) in [
        (Direction::Import, inspection.import_names()),
        (Direction::Export, inspection.export_names()),
        (Direction::World, inspection.world.iter().map(String::as_str).collect()),
    ] {
        items.extend(names.into_iter().map(|name| item(direction, name)));
    }
    // What a WIT package holds is what others import from it: whoever looks for an interface finds it.
    if let Some(package) = &inspection.package {
        let (name, version) = package.name.split_once('@').unwrap_or((&package.name, ""));
        for (direction, names) in [
            (Direction::Export, &package.interfaces),
            (Direction::World, &package.worlds),
        ] {
            items.extend(names.iter().map(|plain| HeadItem {
                direction,
                name: format!("{name}/{plain}"),
                version: version.to_owned(),
            }));
        }
    }
    let languages = inspection
        .producers
        .iter()
        .filter(|producer| producer.field == "language");
    let mut languages: Vec<_> = languages
        .map(|producer| {
            producer
                .name
                .to_lowercase()
                .split_whitespace()
                .collect::<Vec<_>>()
                .join("-")
        })
        .collect();
    languages.sort();
    languages.dedup();
    let exports = items.iter().filter(|item| item.direction != Direction::Import);
    let words = Words {
        name: words([
            repository.as_str(),
            inspection.metadata.name.as_deref().unwrap_or_default(),
        ]),
        description: words([description.as_deref().unwrap_or_default()]),
        items: words(exports.map(|item| item.name.as_str())),
        docs: words([analysis.docs.as_str()]),
    };
    Head {
        candidate,
        kind: match inspection.kind {
            Kind::Module => "module",
            Kind::Component => "component",
            Kind::WitPackage => "wit-package",
        },
        world: inspection.world.clone(),
        description,
        licenses: inspection.metadata.licenses.clone(),
        languages,
        items,
        words,
    }
}

fn item(direction: Direction, name: &str) -> HeadItem {
    let (name, version) = name.split_once('@').unwrap_or((name, ""));
    HeadItem {
        direction,
        name: name.to_owned(),
        version: version.to_owned(),
    }
}

/// The words of texts: letters and digits, with single spaces between them. Both databases take these for words, and nothing else.
fn words<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut all = String::new();
    for text in texts {
        for word in split(text) {
            if all.len() + word.len() > MAX_WORDS {
                return all;
            }
            all.push_str(word);
            all.push(' ');
        }
    }
    all
}

/// The words of a text.
pub(in super::super) fn split(text: &str) -> impl Iterator<Item = &str> {
    // PostgreSQL's tokens are at most 2 KiB long.
    text.split(|character: char| !character.is_alphanumeric())
        .filter(|word| (1..=100).contains(&word.len()))
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn words_are_letters_and_digits() {
        assert_eq!(
            words(["acme/hello-world", "Größe: 10% *\"x\" 漢字"]),
            "acme hello world Größe 10 x 漢字 "
        );
        assert_eq!(words(["a".repeat(101).as_str()]), "");
        assert!(words([&*"word ".repeat(100_000)]).len() <= super::MAX_WORDS + 1);
    }
}
