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

/// How many items a pattern can stand for.
const MAX_ITEMS: i64 = 500;

/// How many that fit are ranked, those that changed last: of a word that is everywhere, nobody reads on for longer.
const MAX_RANKED: usize = 1000;

/// Of how many heads a condition must be true for it to be looked up head by head, in the order in which they are shown: then a page is full
/// soon. Of fewer the list is made first.
const MANY: i64 = 2000;
/// The same among heads with words, of which most are looked at in vain: a list of numbers is made fast, and looked up faster.
const MANY_WITH_WORDS: i64 = 20_000;

/// Which names: one, or all that begin so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NamePattern {
    /// This one.
    Exactly(String),
    /// `wasi:http/` and whatever follows.
    Below(String),
}

/// Something that heads import, export or target: a name with a version, which is empty if it has none.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Item {
    pub(crate) id: i64,
    pub(crate) version: String,
}

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    /// Words, all of which must be found; letters and digits alone.
    pub(crate) words: Vec<String>,
    /// For each of these, one of the items by their ids.
    pub(crate) having: Vec<Vec<i64>>,
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
struct Statement {
    conditions: Vec<String>,
    bounds: Vec<Bound>,
    /// The id of the head that conditions are about.
    id: &'static str,
    /// Whether they need more of it, as `h`.
    joins: bool,
    /// Whether they ask for items: then most heads may be none.
    asks_for_items: bool,
}

impl Statement {
    fn new(id: &'static str) -> Self {
        Self {
            conditions: Vec::new(),
            bounds: Vec::new(),
            id,
            joins: false,
            asks_for_items: false,
        }
    }

    /// That all conditions are true.
    fn all(&self) -> String {
        if self.conditions.is_empty() {
            return "TRUE".to_owned();
        }
        self.conditions.join(" AND ")
    }

    fn text(&mut self, text: impl Into<String>) -> String {
        self.bounds.push(Bound::Text(text.into()));
        format!("${}", self.bounds.len())
    }

    fn number(&mut self, number: i64) -> String {
        self.bounds.push(Bound::Number(number));
        format!("${}", self.bounds.len())
    }

    /// A condition on a column of the head.
    fn column(&mut self, condition: String) {
        self.joins = true;
        self.conditions.push(condition);
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
        self.column(format!("({})", any.join(" OR ")));
    }

    /// One of these items; of which all heads are listed first where it is so.
    fn having(&mut self, items: &[i64], is_list: bool) {
        self.asks_for_items = true;
        let items: Vec<_> = items.iter().map(|item| self.number(*item)).collect();
        // Without any, no head fits: SQLite takes an empty list, PostgreSQL does not.
        let items = if items.is_empty() {
            "NULL".to_owned()
        } else {
            items.join(", ")
        };
        let id = self.id;
        self.conditions.push(if is_list {
            format!("{id} IN (SELECT i.head FROM head_items i WHERE i.item IN ({items}))")
        } else {
            format!("EXISTS (SELECT 1 FROM head_items i WHERE i.head = {id} AND i.item IN ({items}))")
        });
    }

    fn imports_only(&mut self, patterns: &[NamePattern]) {
        self.asks_for_items = true;
        let mut others = String::new();
        for pattern in patterns {
            let _ = match pattern {
                NamePattern::Exactly(name) => write!(others, " AND n.name <> {}", self.text(name)),
                NamePattern::Below(prefix) => {
                    let (from, to) = (self.text(prefix), self.text(after_all(prefix)));
                    write!(others, " AND NOT (n.name >= {from} AND n.name < {to})")
                }
            };
        }
        // The empty text keeps SQLite from beginning with all imports that there are.
        self.conditions.push(format!(
            "NOT EXISTS (SELECT 1 FROM head_items i JOIN items n ON n.id = i.item
                         WHERE i.head = {} AND n.direction || '' = 'import'{others})",
            self.id
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
    /// What there is of a pattern among the items of heads, at most 500.
    pub(crate) async fn list_items(&self, direction: Direction, pattern: &NamePattern) -> Result<Vec<Item>> {
        let (name, end) = match pattern {
            NamePattern::Exactly(name) => (name.clone(), format!("{name}\u{1}")),
            NamePattern::Below(prefix) => (prefix.clone(), after_all(prefix)),
        };
        Ok(on_db!(&*self.db, db => sqlx::query_as(
            "SELECT id, version FROM items WHERE direction = $1 AND name >= $2 AND name < $3
                AND EXISTS (SELECT 1 FROM head_items i WHERE i.item = items.id)
             ORDER BY name, version LIMIT $4",
        )
        .bind(direction.as_str())
        .bind(&name)
        .bind(&end)
        .bind(MAX_ITEMS)
        .fetch_all(db)
        .await)?)
    }

    /// Heads that fit, of `visible` repositories, each with its rank: the lower the better.
    pub(crate) async fn search(&self, visible: &Visible, query: &Query) -> Result<Vec<(i64, Found)>> {
        let mut statement = Statement::new(match &*self.db {
            _ if query.words.is_empty() => "h.id",
            Dialect::Sqlite(_) => "+head_words.rowid",
            Dialect::Postgres(_) => "f.id",
        });
        statement.visible(visible);
        let most = if query.words.is_empty() { MANY } else { MANY_WITH_WORDS };
        for items in &query.having {
            let is_list = self.count(items, most).await? < most;
            statement.having(items, is_list);
        }
        if let Some(patterns) = &query.imports_only {
            statement.imports_only(patterns);
        }
        if let Some(language) = &query.language {
            let language = statement.text(format!("% {} %", escaped(language)));
            statement.column(format!("h.languages LIKE {language} ESCAPE '!'"));
        }
        if let Some(license) = &query.license {
            let license = statement.text(format!("%{}%", escaped(&license.to_lowercase())));
            statement.column(format!("LOWER(h.licenses) LIKE {license} ESCAPE '!'"));
        }
        if let Some(kind) = &query.kind {
            let kind = statement.text(kind);
            statement.column(format!("h.kind = {kind}"));
        }
        if let Some(size) = query.max_size {
            let size = statement.number(size);
            statement.column(format!("h.size <= {size}"));
        }
        let ranked = if query.words.is_empty() {
            None
        } else {
            Some(self.ranked(&mut statement, &query.words))
        };
        let (from, rank, order) = match &ranked {
            Some(ranked) => (
                format!("({ranked}) w JOIN heads h ON h.id = w.id"),
                "w.rank",
                "w.rank, h.repository",
            ),
            None => ("heads h".to_owned(), "CAST(0 AS BIGINT)", "h.repository"),
        };
        if let Some((after, name)) = &query.after {
            let name = statement.text(name);
            let condition = if ranked.is_some() {
                let after = statement.number(*after);
                format!("({order}) > ({after}, {name})")
            } else {
                format!("{order} > {name}")
            };
            statement.conditions.push(condition);
        }
        let limit = statement.number(i64::try_from(query.limit).unwrap_or(i64::MAX));
        let conditions = statement.all();
        let text = format!(
            "SELECT h.repository, h.tag, h.manifest, h.kind, h.world, h.description, h.licenses, h.languages, h.size, h.updated_at,
                {rank} AS rank
             FROM {from} WHERE {conditions} ORDER BY {order} LIMIT {limit}"
        );
        // Each is planned for what is bound to it, and there are more of them than can be kept.
        macro_rules! query {
            () => {{
                let query = sqlx::query_as::<_, FoundRow>(sqlx::AssertSqlSafe(text)).persistent(false);
                statement
                    .bounds
                    .into_iter()
                    .fold(query, |query, bound| match bound {
                        Bound::Text(text) => query.bind(text),
                        Bound::Number(number) => query.bind(number),
                    })
            }};
        }
        let rows = match &*self.db {
            Dialect::Sqlite(pool) => query!().fetch_all(pool).await?,
            Dialect::Postgres(pool) => {
                let mut tx = pool.begin().await?;
                // By default PostgreSQL takes a page here and there to cost four times one after the other, as it did on turning disks, and
                // reads all heads in their order rather than a tenth of them by an index.
                sqlx::query("SET LOCAL random_page_cost = 1.1")
                    .execute(&mut *tx)
                    .await?;
                query!().fetch_all(&mut *tx).await?
            }
        };
        rows.into_iter().map(FoundRow::found).collect()
    }

    /// How many heads have one of these, each counted for all that it has; no more than `most`.
    async fn count(&self, items: &[i64], most: i64) -> Result<i64> {
        let mut found = 0;
        for item in items {
            let (count,): (i64,) = on_db!(&*self.db, db => sqlx::query_as(
                "SELECT COUNT(*) FROM (SELECT 1 AS one FROM head_items WHERE item = $1 LIMIT $2) AS counted",
            )
            .bind(item)
            .bind(most - found)
            .fetch_one(db)
            .await)?;
            found += count;
            if found >= most {
                break;
            }
        }
        Ok(found)
    }

    /// The heads with the words for which all conditions so far are true, each with its rank in millionths.
    fn ranked(&self, statement: &mut Statement, words: &[String]) -> String {
        let conditions = statement.all();
        statement.conditions.clear();
        match &*self.db {
            Dialect::Sqlite(_) => {
                let all: Vec<_> = words.iter().map(|word| format!("\"{word}\"*")).collect();
                let all = statement.text(all.join(" "));
                // The sign of the id keeps SQLite from looking the words up again for each of a list of heads. They come first, in their order
                // by the index, so that no more is read than is ranked.
                let heads = if statement.joins {
                    "CROSS JOIN heads h ON h.id = head_words.rowid"
                } else {
                    ""
                };
                format!(
                    "SELECT head_words.rowid AS id, CAST(bm25(head_words, 8.0, 4.0, 2.0, 1.0) * 1000000 AS INTEGER) AS rank
                     FROM head_words {heads}
                     WHERE head_words MATCH {all} AND {conditions} ORDER BY head_words.rowid DESC LIMIT {MAX_RANKED}"
                )
            }
            Dialect::Postgres(_) => {
                // The sum keeps it from reading all heads from the last one on until enough fit, which can be all.
                let order = if statement.asks_for_items { "f.id + 0" } else { "f.id" };
                let all: Vec<_> = words.iter().map(|word| format!("{word}:*")).collect();
                let all = statement.text(all.join(" & "));
                let heads = if statement.joins {
                    "JOIN heads h ON h.id = f.id"
                } else {
                    ""
                };
                format!(
                    "SELECT id, CAST(-1000000 * ts_rank(words, to_tsquery('simple', {all})) AS BIGINT) AS rank
                     FROM (SELECT f.id, f.words FROM head_words f {heads}
                           WHERE f.words @@ to_tsquery('simple', {all}) AND {conditions} ORDER BY {order} DESC LIMIT {MAX_RANKED}) AS found"
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
