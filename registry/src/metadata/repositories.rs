//! Repositories and their settings.

use sqlx::FromRow;
use wreg_api::{
    ComponentPolicy, ImmutableTags, MissingReferences, Repository, RepositoryPattern, RepositorySettings, Visibility,
};
use wreg_oci::RepositoryName;

use super::{
    Error, Metadata, Operation, Result, Touched, Tx,
    events::{self, Event, Kind},
    group::{Answers, Group},
    namespaces, on_db, parse, text, unsigned,
};
use crate::clock::Millis;

/// The settings that every repository has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Who may pull.
    pub visibility: Visibility,
    /// Which tags keep their manifest.
    pub immutable_tags: ImmutableTags,
    /// What happens to manifests that name content which is not here.
    pub missing_references: MissingReferences,
    /// Whether anything can be deleted.
    pub deletable: bool,
    /// What happens to components that are not what they should be.
    pub components: ComponentPolicy,
}

#[derive(FromRow)]
struct SettingsRow {
    visibility: String,
    immutable_tags: String,
    missing_references: String,
    deletable: bool,
    components: String,
}

impl TryFrom<SettingsRow> for Settings {
    type Error = Error;

    fn try_from(row: SettingsRow) -> Result<Self> {
        Ok(Self {
            visibility: parse(&row.visibility, "repositories", "visibility")?,
            immutable_tags: parse(&row.immutable_tags, "repositories", "immutable_tags")?,
            missing_references: parse(&row.missing_references, "repositories", "missing_references")?,
            deletable: row.deletable,
            components: parse(&row.components, "repositories", "components")?,
        })
    }
}

/// Which repositories somebody sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visible {
    /// Every one.
    All,
    /// The public ones, and those of these patterns: a few, as a token has few scopes.
    PublicAnd(Vec<RepositoryPattern>),
}

impl Visible {
    /// Whether a repository is seen that is not public.
    pub(super) fn includes(&self, name: &RepositoryName) -> bool {
        match self {
            Self::All => true,
            Self::PublicAnd(patterns) => patterns.iter().any(|pattern| pattern.matches(name)),
        }
    }
}

#[derive(FromRow)]
struct RepositoryRow {
    name: String,
    #[sqlx(flatten)]
    settings: SettingsRow,
    created_at: Millis,
    tags: i64,
    manifests: i64,
    size: i64,
}

impl TryFrom<RepositoryRow> for Repository {
    type Error = Error;

    fn try_from(row: RepositoryRow) -> Result<Self> {
        let settings = Settings::try_from(row.settings)?;
        Ok(Self {
            name: parse(&row.name, "repositories", "name")?,
            visibility: settings.visibility,
            immutable_tags: settings.immutable_tags,
            missing_references: settings.missing_references,
            deletable: settings.deletable,
            components: settings.components,
            tags: unsigned(row.tags, "tags", "count")?,
            manifests: unsigned(row.manifests, "manifests", "count")?,
            size: unsigned(row.size, "blobs", "size")?,
            created_at: row.created_at,
        })
    }
}

const WITH_COUNTS: &str = "SELECT r.name, r.visibility, r.immutable_tags, r.missing_references, r.deletable, r.components, r.created_at,
    (SELECT COUNT(*) FROM tags t WHERE t.repository = r.name) AS tags,
    (SELECT COUNT(*) FROM manifests m WHERE m.repository = r.name) AS manifests,
    (SELECT CAST(COALESCE(SUM(b.size), 0) AS BIGINT) FROM repository_blobs rb JOIN blobs b ON b.digest = rb.digest WHERE rb.repository = r.name) AS size
    FROM repositories r";

impl Metadata {
    /// The settings of a repository, if there is one.
    pub async fn find_settings(&self, name: &RepositoryName) -> Result<Option<Settings>> {
        let read = || async {
            let row: Option<SettingsRow> =
                on_db!(&*self.db, db => sqlx::query_as(FIND_SETTINGS).bind(name.as_str()).fetch_optional(db).await)?;
            row.map(Settings::try_from).transpose()
        };
        let Some(facts) = &self.facts else {
            return Box::pin(read()).await;
        };
        facts
            .settings
            .get_or_read(facts.of(name), name, || name.clone(), read)
            .await
    }

    /// A repository with its counts, if there is one.
    pub async fn find_repository(&self, name: &RepositoryName) -> Result<Option<Repository>> {
        let row: Option<RepositoryRow> = on_db!(&*self.db, db => sqlx::query_as(sqlx::AssertSqlSafe(format!("{WITH_COUNTS} WHERE r.name = $1")))
            .bind(name.as_str())
            .fetch_optional(db)
            .await)?;
        row.map(Repository::try_from).transpose()
    }

    /// At most `limit` of the `visible` repositories by name, those after `after`.
    pub async fn list_repositories(&self, visible: &Visible, after: &str, limit: usize) -> Result<Vec<Repository>> {
        let (names, bounds) = names(visible);
        let statement = format!("{WITH_COUNTS} WHERE r.name IN ({names}) ORDER BY r.name");
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows: Vec<RepositoryRow> = on_db!(&*self.db, db => {
            let query = sqlx::query_as(sqlx::AssertSqlSafe(statement)).bind(text(after)).bind(limit);
            bounds.into_iter().fold(query, sqlx::query::QueryAs::bind).fetch_all(db).await
        })?;
        rows.into_iter().map(Repository::try_from).collect()
    }

    /// At most `limit` names of the `visible` repositories in order, those after `after`.
    pub async fn list_repository_names(
        &self,
        visible: &Visible,
        after: &str,
        limit: usize,
    ) -> Result<Vec<RepositoryName>> {
        let (names, bounds) = names(visible);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows: Vec<(String,)> = on_db!(&*self.db, db => {
            let query = sqlx::query_as(sqlx::AssertSqlSafe(names)).bind(text(after)).bind(limit);
            bounds.into_iter().fold(query, sqlx::query::QueryAs::bind).fetch_all(db).await
        })?;
        rows.into_iter()
            .map(|(name,)| parse(&name, "repositories", "name"))
            .collect()
    }
}

/// The statement for a page of visible names, those after `$1` and `$2` at most, and what is bound from `$3` on.
///
/// Each pattern is a range of names, and each range gives one page at most, by an index: the work is that of a few pages, however many
/// repositories lie between those that somebody sees.
fn names(visible: &Visible) -> (String, Vec<String>) {
    const PAGE: &str = "ORDER BY name LIMIT $2 + 0";
    let Visible::PublicAnd(patterns) = visible else {
        return (
            format!("SELECT name FROM repositories WHERE name > $1 {PAGE}"),
            Vec::new(),
        );
    };
    let mut parts = vec!["visibility = 'public'".to_owned()];
    let mut bounds = Vec::new();
    for pattern in patterns {
        let first = bounds.len() + 3;
        match pattern {
            RepositoryPattern::All => parts.push("TRUE".to_owned()),
            RepositoryPattern::One(name) => {
                bounds.push(name.to_string());
                parts.push(format!("name = ${first}"));
            }
            RepositoryPattern::Below(parent) => {
                // '0' is what follows '/' in the order of bytes.
                bounds.extend([format!("{parent}/"), format!("{parent}0")]);
                parts.push(format!("name > ${first} AND name < ${}", first + 1));
            }
        }
    }
    let ranges = parts
        .iter()
        .map(|part| format!("SELECT name FROM (SELECT name FROM repositories WHERE {part} AND name > $1 {PAGE}) AS r"));
    let ranges = ranges.collect::<Vec<_>>().join(" UNION ");
    (format!("SELECT name FROM ({ranges}) AS visible {PAGE}"), bounds)
}

const FIND_SETTINGS: &str =
    "SELECT visibility, immutable_tags, missing_references, deletable, components FROM repositories WHERE name = $1";

/// Makes sure that the repository is there, with `defaults` if it has to be made, and gives its settings. From here to the end
/// of the transaction no other one changes this repository: on PostgreSQL its row is locked, on SQLite there is one writer.
pub(super) async fn ensure(
    tx: &mut Tx<'_>,
    name: &RepositoryName,
    defaults: Settings,
    actor: &str,
    now: Millis,
) -> Result<Settings> {
    if let Some(settings) = lock(tx, name).await? {
        return Ok(settings);
    }
    let made = on_db!(tx, db => sqlx::query(
        "INSERT INTO repositories (name, visibility, immutable_tags, missing_references, deletable, created_at, components)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (name) DO NOTHING",
    )
    .bind(name.as_str())
    .bind(defaults.visibility.as_str())
    .bind(defaults.immutable_tags.as_str())
    .bind(defaults.missing_references.as_str())
    .bind(defaults.deletable)
    .bind(now)
    .bind(defaults.components.as_str())
    .execute(db)
    .await
    .map(|done| done.rows_affected() == 1))?;
    if made {
        namespaces::ensure(tx, &name.namespace(), now).await?;
        let event = Event {
            at: now,
            actor,
            kind: Kind::RepositoryCreated,
            repository: Some(name),
            subject: name.as_str(),
            old: None,
            new: Some(defaults.visibility.as_str()),
        };
        events::append(tx, event).await?;
        return Ok(defaults);
    }
    lock(tx, name).await?.ok_or(Error::Lost)
}

/// The settings of a repository, which nobody else changes until the end of the transaction; `None` if there is none.
pub(super) async fn lock(tx: &mut Tx<'_>, name: &RepositoryName) -> Result<Option<Settings>> {
    let mut group = Group::default();
    ask_lock(&mut group, name);
    locked(&mut group.send(tx).await?)
}

/// The same, together with other statements.
pub(super) fn ask_lock(group: &mut Group, name: &RepositoryName) {
    // An update that changes nothing locks the row on PostgreSQL and is free on SQLite, where FOR UPDATE does not exist. Not of the key:
    // SQLite would look through all that refers to it, and PostgreSQL lock out whoever adds such a row.
    group.add(
        "UPDATE repositories SET created_at = created_at WHERE name = $1 RETURNING visibility, immutable_tags, missing_references, deletable, components",
        [name.as_str().into()],
    );
}

/// The answer to that.
pub(super) fn locked(answers: &mut Answers) -> Result<Option<Settings>> {
    answers.row::<SettingsRow>()?.map(Settings::try_from).transpose()
}

/// Changes the settings of a repository, which is made if it is not there.
pub(crate) struct ChangeSettings {
    pub(crate) name: RepositoryName,
    pub(crate) change: RepositorySettings,
    pub(crate) defaults: Settings,
    pub(crate) actor: String,
    pub(crate) now: Millis,
}

impl Operation for ChangeSettings {
    type Output = ();

    fn touched(&self) -> Touched<'_> {
        Touched::Repository(self.name.as_str())
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<()> {
        let old = ensure(tx, &self.name, self.defaults, &self.actor, self.now).await?;
        let new = Settings {
            visibility: self.change.visibility.unwrap_or(old.visibility),
            immutable_tags: self.change.immutable_tags.unwrap_or(old.immutable_tags),
            missing_references: self.change.missing_references.unwrap_or(old.missing_references),
            deletable: self.change.deletable.unwrap_or(old.deletable),
            components: self.change.components.unwrap_or(old.components),
        };
        if new == old {
            return Ok(());
        }
        on_db!(tx, db => sqlx::query(
            "UPDATE repositories SET visibility = $2, immutable_tags = $3, missing_references = $4, deletable = $5, components = $6 WHERE name = $1",
        )
        .bind(self.name.as_str())
        .bind(new.visibility.as_str())
        .bind(new.immutable_tags.as_str())
        .bind(new.missing_references.as_str())
        .bind(new.deletable)
        .bind(new.components.as_str())
        .execute(db)
        .await
        .map(drop))?;
        let (before, after) = (old.to_string(), new.to_string());
        let event = Event {
            at: self.now,
            actor: &self.actor,
            kind: Kind::SettingsChanged,
            repository: Some(&self.name),
            subject: self.name.as_str(),
            old: Some(&before),
            new: Some(&after),
        };
        events::append(tx, event).await
    }
}

/// As events tell it: every setting with its value.
impl std::fmt::Display for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "visibility={} immutable_tags={} missing_references={} deletable={} components={}",
            self.visibility, self.immutable_tags, self.missing_references, self.deletable, self.components
        )
    }
}
