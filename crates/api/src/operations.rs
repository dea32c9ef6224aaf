//! What can be asked of `/api/v1/`, one row an operation: the source of the OpenAPI document.

mod parameters;
mod rows;

use schemars::{JsonSchema, Schema, SchemaGenerator};

pub use self::rows::OPERATIONS;

/// The schema of a type or of a text.
pub type Model = fn(&mut SchemaGenerator) -> Schema;

/// A method of a path.
#[derive(Clone, Copy)]
pub struct Operation {
    /// One of the constants of this crate.
    pub path: &'static str,
    /// The method. `GET` stands for `HEAD` too.
    pub method: &'static str,
    /// A name for the functions of generated clients.
    pub id: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// Who may.
    pub access: Access,
    /// The parameters of the query.
    pub parameters: &'static [Parameter],
    /// What has to be sent.
    pub body: Option<Model>,
    /// What is answered.
    pub answer: Answer,
    /// The statuses of errors beside those that come of `access` and `body`, and those that every operation has.
    pub errors: &'static [u16],
}

/// Who may do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Anybody,
    /// Who may read the repository: everybody, if it is public.
    Reader,
    /// Who may change the repository, in the way that the operation is about.
    Writer,
    /// Who has credentials.
    Somebody,
    /// Who administers the server.
    Server,
}

/// A parameter of the query.
#[derive(Clone, Copy)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub meaning: &'static str,
    /// Whether nothing is answered without it.
    pub required: bool,
    /// Whether it can be given several times.
    pub repeated: bool,
    /// What it may be.
    pub model: Model,
}

/// What an operation answers if all is well.
#[derive(Clone, Copy)]
pub enum Answer {
    /// 200 with JSON.
    Json(Model),
    /// 200 with JSON, and a `Link` to the next page if there is one.
    Page(Model),
    /// 201 with JSON.
    Created(Model),
    /// 200 with JSON or, where the client asks for `text/event-stream`, a stream without end.
    Feed(Model),
    /// 200 with lines of JSON, some of them empty.
    Lines,
    /// 200 with text.
    Text,
}

impl Operation {
    /// The statuses of all its errors, in order.
    pub fn all_errors(&self) -> Vec<u16> {
        let of_access: &[u16] = match self.access {
            Access::Anybody | Access::Somebody => &[],
            Access::Reader => &[404],
            Access::Writer => &[403, 404],
            Access::Server => &[403],
        };
        let of_body: &[u16] = if self.body.is_some() { &[413] } else { &[] };
        let of_method: &[u16] = if self.method == "GET" { &[] } else { &[507] };
        let mut all = [EVERYWHERE, of_access, of_body, of_method, self.errors].concat();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// What every operation can come to: a parameter or credentials that cannot be read, wrong credentials, a request that is too long,
/// a body with a content coding, too many wrong credentials, a database that does not answer.
const EVERYWHERE: &[u16] = &[400, 401, 414, 415, 429, 431, 500, 503];

/// The schema of a type.
fn model<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn rows_and_their_names_are_all_different() {
        let rows: BTreeSet<_> = OPERATIONS.iter().map(|row| (row.path, row.method)).collect();
        let names: BTreeSet<_> = OPERATIONS.iter().map(|row| row.id).collect();
        assert_eq!((rows.len(), names.len()), (OPERATIONS.len(), OPERATIONS.len()));
    }
}
