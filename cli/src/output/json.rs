//! The envelope of every JSON result: one object on one line, with `"schema"` first.
//!
//! The number grows when a member changes its meaning or goes away. New members may come without notice.

use serde::Serialize;

use crate::error::CliError;

/// The version of all result models together.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Envelope<'a, T> {
    schema: u32,
    #[serde(flatten)]
    result: &'a T,
}

#[derive(Serialize)]
struct Failed<'a> {
    error: ErrorModel<'a>,
}

#[derive(Serialize)]
struct ErrorModel<'a> {
    /// `no`, `usage`, `failed` or `interrupted`.
    kind: &'a str,
    message: String,
    /// Nearest first.
    causes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

/// `result` as one line.
pub(super) fn result(result: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Envelope { schema: SCHEMA, result })
}

/// `error` as one line: what a program gets where it expected a result.
pub(super) fn error(error: &CliError) -> Result<String, serde_json::Error> {
    result(&Failed {
        error: ErrorModel {
            kind: error.kind().as_str(),
            message: error.to_string(),
            causes: error.causes(),
            hint: error.advice(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_a_result_of_its_own_shape() {
        let error = CliError::no("not valid")
            .because(std::io::Error::other("why"))
            .hint("do this");
        assert_eq!(
            super::error(&error).expect("plain data"),
            r#"{"schema":1,"error":{"kind":"no","message":"not valid","causes":["why"],"hint":"do this"}}"#
        );
    }
}
