//! Search among heads: by words, through each database's own full-text search, and by what they import and export.
//!
//! This is the one file beside `mod.rs` where the two databases differ. On both a query's words are made of letters and digits alone, and
//! each finds all words that begin with it.

use std::fmt::Write as _;

use sqlx::FromRow;
use wreg_api::{Found, RepositoryPattern};

use super::{
    Dialect, Metadata, Result, Tx,
    heads::{Direction, Words},
    on_db, parse,
    repositories::Visible,
    unsigned,
};
use crate::clock::Millis;

/// How many names with their versions a pattern can stand for.
const MAX_NAMES: usize = 500;

/// How many matches of words are ranked. The rest of a word that is everywhere is not looked at.
const MAX_RANKED: usize = 5000;

/// Of how many heads a condition must be true for it to be looked up head by head, in the order in which they are shown: then a page is full
/// soon. Of fewer the list is made first.
const MANY: i64 = 2000;

/// Which names: one, or all that begin so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NamePattern {
    /// This one.
    Exactly(String),
    /// `wasi:http/` and whatever follows.
    Below(String),
}

/// A name with a version of it that somebody imports or exports.
pub(crate) type NamedVersion = (String, String);

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    /// Words, all of which must be found; letters and digits alone.
    pub(crate) words: Vec<String>,
    /// For each of these, one of the names with versions must be imported, exported or targeted.
    pub(crate) having: Vec<(Direction, Vec<NamedVersion>)>,
    /// If given, nothing but these is imported.
    pub(crate) imports_only: Option<Vec<NamePattern>>,
    pub(crate) language: Option<String>,
    pub(crate) license: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) max_size: Option<i64>,
    /// Where the page before ended.
    pub(crate) after: Option<(i64, String)>,
    pub(crate) limit: usize,
}

#[derive(FromRow)]
struct FoundRow {
    repository: String,
    tag: String,
    manifest: String,
    kind: String,
    world: Option<String>,
    description: Option<String>,
    licenses: Option<String>,
    languages: String,
    size: i64,
    updated_at: Millis,
    rank: i64,
}

impl FoundRow {
    fn found(self) -> Result<(i64, Found)> {
        let found = Found {
            repository: parse(&self.repository, "heads", "repository")?,
            tag: parse(&self.tag, "heads", "tag")?,
            digest: parse(&self.manifest, "heads", "manifest")?,
            kind: self.kind,
            world: self.world,
            description: self.description,
            licenses: self.licenses,
            languages: self.languages.split_whitespace().map(str::to_owned).collect(),
            size: unsigned(self.size, "heads", "size")?,
            updated_at: self.updated_at,
        };
        Ok((self.rank, found))
    }
}

/// Something bound to a query.
enum Bound {
    Text(String),
    Number(i64),
}

/// A query in the making.
#[derive(Default)]
struct Statement {
    conditions: Vec<String>,
    bounds: Vec<Bound>,
}

impl Statement {
    fn text(&mut self, text: impl Into<String>) -> String {
        self.bounds.push(Bound::Text(text.into()));
        format!("${}", self.bounds.len())
    }

    fn number(&mut self, number: i64) -> String {
        self.bounds.push(Bound::Number(number));
        format!("${}", self.bounds.len())
    }

    fn visible(&mut self, visible: &Visible) {
        let Visible::PublicAnd(patterns) = visible else {
            return;
        };
        let mut any = vec![
            "EXISTS (SELECT 1 FROM repositories r WHERE r.name = h.repository AND r.visibility = 'public')".to_owned(),
        ];
        for pattern in patterns {
            any.push(match pattern {
                RepositoryPattern::All => "TRUE".to_owned(),
                RepositoryPattern::One(name) => format!("h.repository = {}", self.text(name.as_str())),
                RepositoryPattern::Below(parent) => {
                    let (from, to) = (self.text(format!("{parent}/")), self.text(format!("{parent}0")));
                    format!("(h.repository > {from} AND h.repository < {to})")
                }
            });
        }
        self.conditions.push(format!("({})", any.join(" OR ")));
    }

    fn having(&mut self, direction: Direction, names: &[NamedVersion], many: bool) {
        let mut any = Vec::new();
        for (name, version) in names {
            let (name, version) = (self.text(name), self.text(version));
            any.push(format!("(i.name = {name} AND i.version = {version})"));
        }
        if any.is_empty() {
            any.push("FALSE".to_owned());
        }
        let (direction, any) = (direction.as_str(), any.join(" OR "));
        self.conditions.push(if many {
            format!("EXISTS (SELECT 1 FROM head_items i WHERE i.repository = h.repository AND i.direction = '{direction}' AND ({any}))")
        } else {
            format!("h.repository IN (SELECT i.repository FROM head_items i WHERE i.direction = '{direction}' AND ({any}))")
        });
    }

    fn imports_only(&mut self, patterns: &[NamePattern]) {
        let mut others = String::new();
        for pattern in patterns {
            let _ = match pattern {
                NamePattern::Exactly(name) => write!(others, " AND i.name <> {}", self.text(name)),
                NamePattern::Below(prefix) => {
                    let (from, to) = (self.text(prefix), self.text(after_all(prefix)));
                    write!(others, " AND NOT (i.name >= {from} AND i.name < {to})")
                }
            };
        }
        self.conditions.push(format!(
            "NOT EXISTS (SELECT 1 FROM head_items i WHERE i.repository = h.repository AND i.direction = 'import'{others})"
        ));
    }
}

/// What follows everything that begins with `prefix` in the order of bytes. Its last character is ASCII punctuation.
fn after_all(prefix: &str) -> String {
    let mut end = prefix.to_owned();
    let last = end.pop().unwrap_or('~');
    end.push(char::from_u32(u32::from(last) + 1).unwrap_or('~'));
    end
}

impl Metadata {
    /// What there is of a pattern among the items of heads: names with their versions, at most 500 of them.
    pub(crate) async fn list_named_versions(
        &self,
        direction: Direction,
        pattern: &NamePattern,
    ) -> Result<Vec<NamedVersion>> {
        // From each to the next one by the index: many heads have the same.
        let (mut name, end) = match pattern {
            NamePattern::Exactly(name) => (name.clone(), format!("{name}\u{1}")),
            NamePattern::Below(prefix) => (prefix.clone(), after_all(prefix)),
        };
        let mut version = String::new();
        let mut found = Vec::new();
        let mut at_least = true;
        while found.len() < MAX_NAMES {
            let compare = if at_least { ">=" } else { ">" };
            let statement = format!(
                "SELECT name, version FROM head_items WHERE direction = $1 AND (name, version) {compare} ($2, $3) AND name < $4
                 ORDER BY name, version LIMIT 1"
            );
            let row: Option<NamedVersion> = on_db!(&*self.db, db => sqlx::query_as(sqlx::AssertSqlSafe(statement))
                .bind(direction.as_str())
                .bind(&name)
                .bind(&version)
                .bind(&end)
                .fetch_optional(db)
                .await)?;
            let Some(next) = row else { break };
            (name, version) = next.clone();
            found.push(next);
            at_least = false;
        }
        Ok(found)
    }

    /// Heads that fit, of `visible` repositories, each with its rank: the lower the better.
    pub(crate) async fn search(&self, visible: &Visible, query: &Query) -> Result<Vec<(i64, Found)>> {
        let mut statement = Statement::default();
        let from = self.words(&mut statement, &query.words);
        statement.visible(visible);
        for (direction, names) in &query.having {
            let many = self.are_many(*direction, names).await?;
            statement.having(*direction, names, many);
        }
        if let Some(patterns) = &query.imports_only {
            statement.imports_only(patterns);
        }
        if let Some(language) = &query.language {
            let language = statement.text(format!("% {} %", escaped(language)));
            statement
                .conditions
                .push(format!("h.languages LIKE {language} ESCAPE '!'"));
        }
        if let Some(license) = &query.license {
            let license = statement.text(format!("%{}%", escaped(&license.to_lowercase())));
            statement
                .conditions
                .push(format!("LOWER(h.licenses) LIKE {license} ESCAPE '!'"));
        }
        if let Some(kind) = &query.kind {
            let kind = statement.text(kind);
            statement.conditions.push(format!("h.kind = {kind}"));
        }
        if let Some(size) = query.max_size {
            let size = statement.number(size);
            statement.conditions.push(format!("h.size <= {size}"));
        }
        let rank = if query.words.is_empty() { "0" } else { "w.rank" };
        if let Some((after, name)) = &query.after {
            let (after, name) = (statement.number(*after), statement.text(name));
            statement.conditions.push(if query.words.is_empty() {
                format!("h.repository > {name} AND {after} = 0")
            } else {
                format!("(w.rank, h.repository) > ({after}, {name})")
            });
        }
        let limit = statement.number(i64::try_from(query.limit).unwrap_or(i64::MAX));
        let conditions = if statement.conditions.is_empty() {
            "TRUE".to_owned()
        } else {
            statement.conditions.join(" AND ")
        };
        let order = if query.words.is_empty() {
            "h.repository"
        } else {
            "w.rank, h.repository"
        };
        let text = format!(
            "SELECT h.repository, h.tag, h.manifest, h.kind, h.world, h.description, h.licenses, h.languages, h.size, h.updated_at,
                CAST({rank} AS BIGINT) AS rank
             FROM {from} WHERE {conditions} ORDER BY {order} LIMIT {limit}"
        );
        let rows: Vec<FoundRow> = on_db!(&*self.db, db => {
            let mut query = sqlx::query_as(sqlx::AssertSqlSafe(text));
            for bound in statement.bounds {
                query = match bound {
                    Bound::Text(text) => query.bind(text),
                    Bound::Number(number) => query.bind(number),
                };
            }
            query.fetch_all(db).await
        })?;
        rows.into_iter().map(FoundRow::found).collect()
    }

    /// Whether many heads have one of these.
    async fn are_many(&self, direction: Direction, names: &[NamedVersion]) -> Result<bool> {
        let mut found = 0;
        for (name, version) in names {
            let (count,): (i64,) = on_db!(&*self.db, db => sqlx::query_as(
                "SELECT COUNT(*) FROM (SELECT 1 AS one FROM head_items WHERE direction = $1 AND name = $2 AND version = $3 LIMIT $4) AS counted",
            )
            .bind(direction.as_str())
            .bind(name)
            .bind(version)
            .bind(MANY)
            .fetch_one(db)
            .await)?;
            found += count;
            if found >= MANY {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Where heads come from: all of them, or those with the words, ranked by them in millionths.
    fn words(&self, statement: &mut Statement, words: &[String]) -> String {
        if words.is_empty() {
            return "heads h".to_owned();
        }
        match &*self.db {
            Dialect::Sqlite(_) => {
                let all: Vec<_> = words.iter().map(|word| format!("\"{word}\"*")).collect();
                let all = statement.text(all.join(" "));
                format!(
                    "(SELECT rowid AS id, CAST(bm25(head_words, 8.0, 4.0, 2.0, 1.0) * 1000000 AS INTEGER) AS rank
                      FROM head_words WHERE head_words MATCH {all} LIMIT {MAX_RANKED}) w JOIN heads h ON h.id = w.id"
                )
            }
            Dialect::Postgres(_) => {
                let all: Vec<_> = words.iter().map(|word| format!("{word}:*")).collect();
                let all = statement.text(all.join(" & "));
                format!(
                    "(SELECT id, CAST(-1000000 * ts_rank(words, to_tsquery('simple', {all})) AS BIGINT) AS rank
                      FROM (SELECT id, words FROM head_words WHERE words @@ to_tsquery('simple', {all}) LIMIT {MAX_RANKED}) AS found) w
                     JOIN heads h ON h.id = w.id"
                )
            }
        }
    }
}

/// For `LIKE … ESCAPE '!'`.
fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut escaped, character| {
        if matches!(character, '%' | '_' | '!') {
            escaped.push('!');
        }
        escaped.push(character);
        escaped
    })
}

/// Makes a head be found by its words.
pub(super) async fn put_words(tx: &mut Tx<'_>, id: i64, words: &Words) -> Result<()> {
    match &mut tx.0 {
        Dialect::Sqlite(connection) => {
            sqlx::query("INSERT INTO head_words (rowid, name, description, items, docs) VALUES ($1, $2, $3, $4, $5)")
                .bind(id)
                .bind(&words.name)
                .bind(&words.description)
                .bind(&words.items)
                .bind(&words.docs)
                .execute(&mut **connection)
                .await?;
        }
        Dialect::Postgres(connection) => {
            sqlx::query(
                "INSERT INTO head_words (id, words) VALUES ($1, setweight(to_tsvector('simple', $2), 'A')
                    || setweight(to_tsvector('simple', $3), 'B') || setweight(to_tsvector('simple', $4), 'C') || setweight(to_tsvector('simple', $5), 'D'))",
            )
            .bind(id)
            .bind(&words.name)
            .bind(&words.description)
            .bind(&words.items)
            .bind(&words.docs)
            .execute(&mut **connection)
            .await?;
        }
    }
    Ok(())
}

/// Takes back what [`put_words`] did.
pub(super) async fn forget_words(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    match &mut tx.0 {
        Dialect::Sqlite(connection) => {
            sqlx::query("DELETE FROM head_words WHERE rowid = $1")
                .bind(id)
                .execute(&mut **connection)
                .await?;
        }
        Dialect::Postgres(connection) => {
            sqlx::query("DELETE FROM head_words WHERE id = $1")
                .bind(id)
                .execute(&mut **connection)
                .await?;
        }
    }
    Ok(())
}
