//! Search: what it means that something is exported at a version, and pages.

use semver::{Version, VersionReq};
use wreg_api::Found;

use super::{Error, Registry, Result, components::split};
use crate::{
    auth::permit::CatalogPermit,
    metadata::{
        heads::Direction,
        search::{NamePattern, Query},
    },
};

/// The most that one page holds, and what it holds unless less is asked for.
const MAX_PAGE: usize = 100;
const DEFAULT_PAGE: usize = 20;
/// How many words count. More make a sentence, and find nothing.
const MAX_WORDS: usize = 12;
/// How many conditions of one kind can be given.
const MAX_CONDITIONS: usize = 20;

/// What is looked for, as it is asked.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Words.
    pub words: String,
    /// `wasi:http/incoming-handler@^0.2`, `wasi:http@0.2.3`, `wasi:http/types`.
    pub exports: Vec<String>,
    /// The same.
    pub imports: Vec<String>,
    /// The same.
    pub worlds: Vec<String>,
    /// Names and packages, without versions: nothing else is imported.
    pub imports_only: Option<Vec<String>>,
    /// A language, as producers call it.
    pub language: Option<String>,
    /// A part of the licence expression.
    pub license: Option<String>,
    /// `module`, `component` or `wit-package`.
    pub kind: Option<String>,
    /// In bytes.
    pub max_size: Option<u64>,
    /// How many.
    pub n: Option<usize>,
    /// Where the page before ended.
    pub cursor: Option<Cursor>,
}

/// The place of a result: its rank and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(i64, String);

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.0, self.1)
    }
}

impl std::str::FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (rank, name) = text.split_once(':').ok_or(())?;
        let name: wreg_oci::RepositoryName = name.parse().map_err(|_| ())?;
        Ok(Self(rank.parse().map_err(|_| ())?, name.to_string()))
    }
}

/// A page of what was found, and where the next one begins, if there is one.
#[derive(Debug)]
pub struct SearchPage {
    /// What was found.
    pub found: Vec<Found>,
    /// Where the next page begins.
    pub next: Option<Cursor>,
}

impl Registry {
    /// What fits of that which the caller may see.
    pub async fn search(&self, permit: &CatalogPermit, search: Search) -> Result<SearchPage> {
        let limit = search.n.unwrap_or(DEFAULT_PAGE).min(MAX_PAGE);
        let texts = [&search.language, &search.license, &search.kind];
        if texts.into_iter().flatten().any(|text| text.contains('\0')) {
            // PostgreSQL takes none, and nothing that is there has one.
            return Err(Error::SearchInvalid("a condition holds a NUL".to_owned()));
        }
        let mut having = Vec::new();
        for (direction, asked) in [
            (Direction::Export, &search.exports),
            (Direction::Import, &search.imports),
            (Direction::World, &search.worlds),
        ] {
            if asked.len() > MAX_CONDITIONS {
                return Err(Error::SearchInvalid("there are too many conditions".to_owned()));
            }
            for asked in asked {
                having.push(self.items(direction, asked).await?);
            }
        }
        let imports_only = search.imports_only.as_ref().map(|names| {
            let names = names.iter().filter(|name| !name.is_empty());
            if names.clone().count() > MAX_CONDITIONS {
                return Err(Error::SearchInvalid("there are too many conditions".to_owned()));
            }
            names.map(|name| pattern(name)).collect::<Result<Vec<_>>>()
        });
        let query = Query {
            words: split(&search.words).take(MAX_WORDS).map(str::to_owned).collect(),
            having,
            imports_only: imports_only.transpose()?,
            language: search.language.map(|language| language.to_lowercase()),
            license: search.license,
            kind: search.kind,
            max_size: search.max_size.map(|size| i64::try_from(size).unwrap_or(i64::MAX)),
            after: search.cursor.map(|Cursor(rank, name)| (rank, name)),
            limit: limit + 1,
        };
        let mut found = self.metadata.search(permit.visible(), &query).await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more);
        Ok(SearchPage {
            next: next.map(|(rank, last)| Cursor(*rank, last.repository.to_string())),
            found: found.into_iter().map(|(_, found)| found).collect(),
        })
    }

    /// The items that something asked for stands for, by their ids.
    async fn items(&self, direction: Direction, asked: &str) -> Result<Vec<i64>> {
        let (name, requirement) = asked.split_once('@').unwrap_or((asked, "*"));
        let requirement: VersionReq = requirement.parse().map_err(|error| {
            Error::SearchInvalid(format!("{asked:?} names no version that can be looked for: {error}"))
        })?;
        let items = self.metadata.list_items(direction, &pattern(name)?).await?;
        let any = requirement == VersionReq::STAR;
        let fits = |version: &str| {
            any || version
                .parse::<Version>()
                .is_ok_and(|version| requirement.matches(&version))
        };
        let fitting = items.into_iter().filter(|item| fits(&item.version));
        Ok(fitting.map(|item| item.id).collect())
    }
}

/// A package stands for all that is in it.
fn pattern(name: &str) -> Result<NamePattern> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_:/.".contains(c);
    if name.is_empty() || name.len() > 255 || !name.chars().all(is_name) {
        return Err(Error::SearchInvalid(format!(
            "{name:?} is no name of an interface or a package"
        )));
    }
    let name = name.strip_suffix("/").unwrap_or(name);
    Ok(if name.contains(':') && !name.contains('/') {
        NamePattern::Below(format!("{name}/"))
    } else {
        NamePattern::Exactly(name.to_owned())
    })
}
