//! The parameters of the query, and the grammar of those that are no type of this crate.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use wreg_oci::{Digest, RepositoryName, Tag, name::Namespace};

use super::{Parameter, model};
use crate::SigningKeyAction;

/// A comparison of a version requirement, as the crate `semver` reads it: `^1.2`, `>=1.0.0-rc.1`, `1.*`.
macro_rules! comparison {
    () => {
        r"(=|>|>=|<|<=|~|\^)? *(0|[1-9][0-9]{0,17})(\.(0|[1-9][0-9]{0,17})(\.(0|[1-9][0-9]{0,17})(-(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(\.(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?|\.[*xX])?|\.[*xX](\.[*xX])?)?"
    };
}
/// What an interface, a package or a world is looked for by.
macro_rules! name {
    () => {
        r"[A-Za-z0-9_:/.-]{1,255}"
    };
}

const REQUIREMENT_PATTERN: &str = concat!("^( *[*xX] *| *", comparison!(), " *(, *", comparison!(), " *){0,9})?$");
const NAMED_PATTERN: &str = concat!("^", name!(), "(@", comparison!(), ")?$");
const NAMES_PATTERN: &str = concat!("^( *", name!(), " *(, *", name!(), " *){0,9})?$");
/// The rank and the name that a result has.
const SEARCH_CURSOR_PATTERN: &str = r"^-?[0-9]{1,18}:[a-z0-9]+([._/-][a-z0-9]+)*$";

pub(super) const LIMIT: Parameter = optional("n", "At most this many; 1000 in any case.", |_| {
    number(0, u64::MAX >> 1)
});
pub(super) const LAST: Parameter = optional("last", "Only what comes after this name.", any_text);
pub(super) const REPOSITORY_NAME: Parameter = required("repository", "The repository.", text::<RepositoryName>);
pub(super) const NAMESPACE_NAME: Parameter = required("namespace", "The namespace.", text::<Namespace>);
pub(super) const REFERENCE: Parameter = required(
    "reference",
    "A tag or the digest of a manifest.",
    |generator| json_schema!({ "anyOf": [text::<Tag>(generator), text::<Digest>(generator)] }),
);
pub(super) const WAIT: Parameter = optional(
    "wait",
    "Seconds that the answer may take, 30 at the most, if more is to come.",
    |_| number(0, 1),
);
pub(super) const ACTION: Parameter = required("action", "What is to happen.", model::<SigningKeyAction>);
pub(super) const TAG: Parameter = required("tag", "The tag.", text::<Tag>);
pub(super) const REQUIREMENT: Parameter = optional(
    "req",
    "A version requirement as Cargo has it; any version if it is left out or empty.",
    |_| matching(REQUIREMENT_PATTERN),
);
pub(super) const AFTER: Parameter = optional(
    "after",
    "Only changes with higher numbers. A stream begins with what is new if it is left out; the header `Last-Event-ID` goes before it.",
    model::<i64>,
);
pub(super) const DELETED_LAST: Parameter = optional("last", "The `next` of the page before.", any_text);
pub(super) const ID: Parameter = required("id", "The id of a token.", any_text);
pub(super) const DRY_RUN: Parameter = optional("dry_run", "Whether nothing is to be removed.", model::<bool>);
pub(super) const COLLECTION_CURSOR: Parameter = optional("cursor", "The `next` of the part before.", |_| {
    matching(r"^(followers|purge|links|blobs|bytes)(\|[^|\u0000]*){3}$")
});
pub(super) const DEEP: Parameter = optional("deep", "Whether all bytes are read and hashed.", model::<bool>);
pub(super) const REPAIR: Parameter = optional("repair", "Whether what can be made good is.", model::<bool>);

/// The conditions of a search.
pub(super) const SEARCHED: &[Parameter] = &[
    optional(
        "q",
        "Words, all of which are in the name, the description or the like.",
        any_text,
    ),
    several(
        "exports",
        "An interface or a package with a requirement, such as `wasi:http/incoming-handler@^0.2`.",
    ),
    several("imports", "The same, of what is imported."),
    several("world", "The same, of the world that it targets."),
    optional(
        "imports_only",
        "Names and packages, separated by commas: nothing else is imported.",
        |_| matching(NAMES_PATTERN),
    ),
    optional("language", "A language that it was made from.", without_nul),
    optional("license", "A part of its licence.", without_nul),
    optional("kind", "`module`, `component` or `wit-package`.", without_nul),
    optional("max_size", "The most bytes that its WebAssembly has.", |_| {
        number(0, u64::MAX)
    }),
    optional("n", "At most this many: 20 if it is left out, 100 in any case.", |_| {
        number(0, u64::MAX)
    }),
    optional("cursor", "What the `Link` to the next page has.", |_| {
        matching(SEARCH_CURSOR_PATTERN)
    }),
];

/// The schema of a type, in place: tools that make requests do not follow references everywhere.
fn text<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    T::json_schema(generator)
}

fn any_text(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string" })
}

fn without_nul(_: &mut SchemaGenerator) -> Schema {
    matching(r"^[^\u0000]*$")
}

fn matching(pattern: &str) -> Schema {
    json_schema!({ "type": "string", "pattern": pattern })
}

fn number(least: u64, most: u64) -> Schema {
    json_schema!({ "type": "integer", "minimum": least, "maximum": most })
}

const fn optional(name: &'static str, meaning: &'static str, model: super::Model) -> Parameter {
    Parameter {
        name,
        meaning,
        required: false,
        repeated: false,
        model,
    }
}

const fn required(name: &'static str, meaning: &'static str, model: super::Model) -> Parameter {
    Parameter {
        required: true,
        ..optional(name, meaning, model)
    }
}

const fn several(name: &'static str, meaning: &'static str) -> Parameter {
    Parameter {
        repeated: true,
        ..optional(name, meaning, |_| matching(NAMED_PATTERN))
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, string::string_regex};

    use super::*;

    fn unanchored(pattern: &str) -> &str {
        pattern.trim_start_matches('^').trim_end_matches('$')
    }

    proptest! {
        #[test]
        fn what_a_requirement_is_described_as_is_one(
            text in string_regex(unanchored(REQUIREMENT_PATTERN)).expect("a pattern")
        ) {
            prop_assert!(text.is_empty() || text.parse::<semver::VersionReq>().is_ok(), "{text:?}");
        }
    }
}
