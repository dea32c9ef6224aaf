//! The 26 rules that clients in use rely on beyond the letter of the specification: one test a rule, named by its number.
//!
//! Most were learnt from the sources of clients; each test says which client falls over without the rule.

mod credentials;
mod manifests;
mod reading;
mod uploads;

use reqwest::Response;

use crate::registry::header;

/// A client goes by exactly these headers.
fn has_headers(answer: &Response, expected: &[(&str, &str)]) {
    for (name, value) in expected {
        assert_eq!(header(answer, name), *value, "{name}");
    }
}

/// A header that the answer must not have.
fn lacks(answer: &Response, name: &str) {
    assert_eq!(answer.headers().get(name), None, "{name}");
}
