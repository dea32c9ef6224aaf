//! Statements that are sent to the database together.
//!
//! On SQLite a statement is a trip to the connection's own thread and back, which takes longer than most statements do: those of a
//! group make it together. On PostgreSQL they are sent one after the other. No statement of a group sees what the answer to another
//! one was, only its effect, in the order in which they were added.

use std::{fmt::Write as _, iter::Peekable};

use futures_util::TryStreamExt as _;
use sqlx::{
    Arguments as _, AssertSqlSafe, Either, Executor as _, FromRow,
    postgres::{PgArguments, PgRow},
    sqlite::{SqliteArguments, SqliteRow},
};

use super::{Dialect, Result, Tx};

/// SQLite numbers at most 32,766 values in a statement, and those of a group are numbered together: a longer one makes several trips.
const VALUES: usize = 4096;
/// Groups of so many values are few and always the same, so that they are kept prepared.
const PREPARED: usize = 256;
/// How many rows a statement of [`Rows`] takes at the most.
const MOST_ROWS: usize = 16;

/// A value of a statement.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
    Number(Option<i64>),
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}

impl From<Option<&str>> for Value {
    fn from(value: Option<&str>) -> Self {
        Self::Text(value.map(str::to_owned))
    }
}

impl From<Option<&[u8]>> for Value {
    fn from(value: Option<&[u8]>) -> Self {
        Self::Bytes(value.map(<[u8]>::to_vec))
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Number(Some(value))
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Number(value)
    }
}

/// Puts values among the arguments of either database.
macro_rules! bind {
    ($values:expr => $arguments:expr) => {
        for value in $values {
            match value {
                Value::Text(value) => $arguments.add(value),
                Value::Bytes(value) => $arguments.add(value),
                Value::Number(value) => $arguments.add(value),
            }
            .map_err(sqlx::Error::Encode)?;
        }
    };
}

struct Statement {
    text: &'static str,
    values: Vec<Value>,
}

/// Some statements.
#[derive(Default)]
pub(crate) struct Group(Vec<Statement>);

impl Group {
    /// Adds a statement, whose values are `$1` and so on.
    pub(super) fn add(&mut self, text: &'static str, values: impl Into<Vec<Value>>) {
        let values = values.into();
        self.0.push(Statement { text, values });
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Sends them. Gives the answers in the order of the statements.
    pub(super) async fn send(self, tx: &mut Tx<'_>) -> Result<Answers> {
        let mut answers = Vec::with_capacity(self.0.len());
        match &mut tx.0 {
            Dialect::Sqlite(connection) => {
                let mut rest = self.0.into_iter().peekable();
                while rest.peek().is_some() {
                    let (text, arguments) = joined(&mut rest)?;
                    let is_usual = arguments.len() <= PREPARED;
                    let query = sqlx::query_with(AssertSqlSafe(text), arguments).persistent(is_usual);
                    let mut told = connection.fetch_many(query);
                    let mut rows = Vec::new();
                    while let Some(next) = told.try_next().await? {
                        match next {
                            Either::Right(row) => rows.push(Row::Sqlite(row)),
                            Either::Left(_) => answers.push(std::mem::take(&mut rows)),
                        }
                    }
                }
            }
            Dialect::Postgres(connection) => {
                for Statement { text, values } in self.0 {
                    let mut arguments = PgArguments::default();
                    bind!(values => arguments);
                    let rows = sqlx::query_with(text, arguments).fetch_all(&mut **connection).await?;
                    answers.push(rows.into_iter().map(Row::Postgres).collect());
                }
            }
        }
        Ok(Answers(answers.into_iter()))
    }
}

/// One text for as many of them as may travel together, in which the values are numbered on.
fn joined(statements: &mut Peekable<impl Iterator<Item = Statement>>) -> Result<(String, SqliteArguments)> {
    let (mut text, mut arguments) = (String::new(), SqliteArguments::default());
    let fits = |before: usize, next: &Statement| before == 0 || before + next.values.len() <= VALUES;
    while let Some(statement) = statements.next_if(|next| fits(arguments.len(), next)) {
        let mut parts = statement.text.split('$');
        text.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            let (number, rest) = part.split_at(end);
            let number: usize = number.parse().unwrap_or_default();
            let _ = write!(text, "${}{rest}", arguments.len() + number);
        }
        text.push_str(";\n");
        bind!(statement.values => arguments);
    }
    Ok((text, arguments))
}

/// A statement about some rows at once: one text for each number of rows, so that all stay prepared.
pub(super) struct Rows([String; MOST_ROWS]);

impl Rows {
    /// In `text`, `{rows}` stands for the rows, each of which is `row`. There every `?` is a value of the row's own; they are numbered on
    /// after the `shared` ones.
    pub(super) fn new(text: &str, row: &str, shared: usize) -> Self {
        Self(std::array::from_fn(|index| {
            let (mut rows, mut number) = (String::new(), shared);
            for at in 0..=index {
                rows.push_str(if at == 0 { "" } else { ", " });
                for (at, part) in row.split('?').enumerate() {
                    if at > 0 {
                        number += 1;
                        let _ = write!(rows, "${number}");
                    }
                    rows.push_str(part);
                }
            }
            text.replace("{rows}", &rows)
        }))
    }

    /// Adds it to a group, for all of these rows: as many statements as [`Self::statements`] says.
    pub(super) fn add(&'static self, group: &mut Group, shared: &[Value], rows: &[Vec<Value>]) {
        for part in rows.chunks(MOST_ROWS) {
            let values: Vec<_> = shared.iter().chain(part.iter().flatten()).cloned().collect();
            group.add(&self.0[part.len() - 1], values);
        }
    }

    /// How many statements so many rows take.
    pub(super) fn statements(rows: usize) -> usize {
        rows.div_ceil(MOST_ROWS)
    }
}

enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// What the statements of a group have answered; to be taken in their order.
pub(crate) struct Answers(std::vec::IntoIter<Vec<Row>>);

impl Answers {
    /// Leaves out the answers of some statements.
    pub(super) fn skip(&mut self, statements: usize) {
        self.0.by_ref().take(statements).for_each(drop);
    }

    /// The rows of the next statement.
    pub(super) fn rows<T>(&mut self) -> Result<Vec<T>>
    where
        T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow>,
    {
        let rows = self.0.next().unwrap_or_default();
        let read = |row: &Row| match row {
            Row::Sqlite(row) => T::from_row(row),
            Row::Postgres(row) => T::from_row(row),
        };
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }

    /// The first row of the next statement, if it has one.
    pub(super) fn row<T>(&mut self) -> Result<Option<T>>
    where
        T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow>,
    {
        Ok(self.rows()?.into_iter().next())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;

    #[test]
    fn rows_are_written_by_as_few_statements_as_can_be() {
        static ROWS: LazyLock<Rows> = LazyLock::new(|| Rows::new("INSERT {rows} END", "($1, ?, 'x', ?)", 1));
        let mut group = Group::default();
        let rows: Vec<_> = (0..18).map(|row| vec![Value::from(row), Value::from(-row)]).collect();
        ROWS.add(&mut group, &[Value::from(100_i64)], &rows);
        assert_eq!(group.len(), Rows::statements(18));
        let [first, second] = &group.0[..] else {
            panic!("two statements")
        };
        assert_eq!(second.text, "INSERT ($1, $2, 'x', $3), ($1, $4, 'x', $5) END");
        assert!(first.text.ends_with("($1, $32, 'x', $33) END"), "{}", first.text);
        assert_eq!((first.values.len(), second.values.len()), (33, 5));
    }

    #[test]
    fn values_are_numbered_on_and_long_groups_are_split() {
        let mut group = Group::default();
        group.add("SELECT $2, $1, $10x", [Value::from(1_i64), Value::from(2_i64)]);
        group.add("SELECT $1", [Value::from("text")]);
        group.add("COMMIT", []);
        group.add("SELECT 1", vec![Value::from(0_i64); VALUES]);
        group.add("SELECT 2", vec![Value::from(0_i64); VALUES + 1]);
        let mut statements = group.0.into_iter().peekable();
        let mut next = || joined(&mut statements).map(|(text, arguments)| (text, arguments.len()));
        let (text, count) = next().expect("it can be sent");
        assert_eq!(
            (text.as_str(), count),
            ("SELECT $2, $1, $10x;\nSELECT $3;\nCOMMIT;\n", 3)
        );
        assert_eq!(next().expect("it can be sent").1, VALUES);
        assert_eq!(
            next().expect("it can be sent").1,
            VALUES + 1,
            "one statement is never split"
        );
    }
}
