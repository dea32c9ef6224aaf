//! Statements that are sent to the database together.
//!
//! On SQLite a statement is a trip to the connection's own thread and back, which takes longer than most statements do: those of a
//! group make it together. On PostgreSQL they are sent one after the other. No statement of a group sees what the answer to another
//! one was, only its effect, in the order in which they were added.

use std::fmt::Write as _;

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

/// A value of a statement.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    Text(&'a str),
    OptionalText(Option<&'a str>),
    Bytes(&'a [u8]),
    OptionalBytes(Option<&'a [u8]>),
    Number(i64),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(value: Option<&'a str>) -> Self {
        Self::OptionalText(value)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(value)
    }
}

impl<'a> From<Option<&'a [u8]>> for Value<'a> {
    fn from(value: Option<&'a [u8]>) -> Self {
        Self::OptionalBytes(value)
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Number(value)
    }
}

/// Puts a value among the arguments of either database.
macro_rules! bind {
    ($arguments:expr, $value:expr) => {
        match $value {
            Value::Text(value) => $arguments.add(value),
            Value::OptionalText(value) => $arguments.add(value),
            Value::Bytes(value) => $arguments.add(value),
            Value::OptionalBytes(value) => $arguments.add(value),
            Value::Number(value) => $arguments.add(value),
        }
        .map_err(sqlx::Error::Encode)?
    };
}

struct Statement<'a> {
    text: &'static str,
    values: Vec<Value<'a>>,
}

/// Some statements.
#[derive(Default)]
pub(super) struct Group<'a>(Vec<Statement<'a>>);

impl<'a> Group<'a> {
    /// Adds a statement, whose values are `$1` and so on, each at most nine of them or named once in their order.
    pub(super) fn add<const N: usize>(&mut self, text: &'static str, values: [Value<'a>; N]) {
        self.add_all(text, values.into());
    }

    /// The same, for as many values as there are.
    pub(super) fn add_all(&mut self, text: &'static str, values: Vec<Value<'a>>) {
        self.0.push(Statement { text, values });
    }

    /// Sends them. Gives the answers in the order of the statements.
    pub(super) async fn send(&self, tx: &mut Tx<'_>) -> Result<Answers> {
        let mut answers = Vec::with_capacity(self.0.len());
        let mut rest = &self.0[..];
        while let Some(first) = rest.first() {
            let mut count = first.values.len();
            let fitting = rest[1..].iter().take_while(|statement| {
                count += statement.values.len();
                count <= VALUES
            });
            let (now, later) = rest.split_at(1 + fitting.count());
            match &mut tx.0 {
                Dialect::Sqlite(connection) => {
                    let (text, arguments, count) = joined(now)?;
                    let query = sqlx::query_with(AssertSqlSafe(text), arguments).persistent(count <= PREPARED);
                    let mut told = connection.fetch_many(query);
                    let mut answer = Answer::default();
                    while let Some(next) = told.try_next().await? {
                        match next {
                            Either::Right(row) => answer.rows.push(Row::Sqlite(row)),
                            Either::Left(done) => {
                                answer.affected = done.rows_affected();
                                answers.push(std::mem::take(&mut answer));
                            }
                        }
                    }
                }
                Dialect::Postgres(connection) => {
                    for statement in now {
                        let mut arguments = PgArguments::default();
                        for value in &statement.values {
                            bind!(arguments, *value);
                        }
                        let query = sqlx::query_with(statement.text, arguments);
                        let mut told = connection.fetch_many(query);
                        let mut answer = Answer::default();
                        while let Some(next) = told.try_next().await? {
                            match next {
                                Either::Right(row) => answer.rows.push(Row::Postgres(row)),
                                Either::Left(done) => answer.affected += done.rows_affected(),
                            }
                        }
                        answers.push(answer);
                    }
                }
            }
            rest = later;
        }
        Ok(Answers(answers.into_iter()))
    }
}

/// One text for all of them, in which the values are numbered on.
fn joined(statements: &[Statement<'_>]) -> Result<(String, SqliteArguments, usize)> {
    let (mut text, mut arguments, mut before) = (String::new(), SqliteArguments::default(), 0);
    for statement in statements {
        let mut parts = statement.text.split('$');
        text.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            let (number, rest) = part.split_at(end);
            let number: usize = number.parse().unwrap_or_default();
            let _ = write!(text, "${}{rest}", before + number);
        }
        text.push_str(";\n");
        before += statement.values.len();
        for value in &statement.values {
            bind!(arguments, *value);
        }
    }
    Ok((text, arguments, before))
}

enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

#[derive(Default)]
struct Answer {
    affected: u64,
    rows: Vec<Row>,
}

/// What the statements of a group have answered; to be taken in their order.
pub(super) struct Answers(std::vec::IntoIter<Answer>);

impl Answers {
    /// How many rows the next statement changed.
    pub(super) fn affected(&mut self) -> u64 {
        self.0.next().map_or(0, |answer| answer.affected)
    }

    /// The rows of the next statement.
    pub(super) fn rows<T>(&mut self) -> Result<Vec<T>>
    where
        T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow>,
    {
        let rows = self.0.next().map(|answer| answer.rows).unwrap_or_default();
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
