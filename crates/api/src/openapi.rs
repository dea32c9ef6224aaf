//! The API as an OpenAPI 3.1 document, made from [`OPERATIONS`] and the schemas of the models.

use std::collections::BTreeSet;

use schemars::{
    Schema, SchemaGenerator,
    generate::{Contract, SchemaSettings},
    transform::RecursiveTransform,
};
use serde_json::{Map, Value, json};
use wreg_oci::ErrorBody;

use crate::{
    CheckLine, Event,
    operations::{Access, Answer, OPERATIONS, Operation, Parameter},
};

/// What stands above the operations.
const DESCRIPTION: &str = "What the OCI distribution specification does not cover. Repositories are a parameter, since their names hold \
slashes. What takes GET takes HEAD too. Who sends a parameter twice is understood by the first, except where several are \
asked for. Answers may gain members; unknown members of what is sent are refused.";

/// The document. It is the same at every call.
pub fn openapi() -> Value {
    let (mut sent, mut answered) = (generator(Contract::Deserialize), generator(Contract::Serialize));
    let mut paths = Map::new();
    let mut statuses = BTreeSet::new();
    for row in OPERATIONS {
        statuses.extend(row.all_errors());
        let methods = paths.entry(row.path).or_insert_with(|| json!({}));
        methods[row.method.to_lowercase()] = operation(row, &mut sent, &mut answered);
    }
    let error = answered.subschema_for::<ErrorBody>();
    let responses: Map<_, _> = statuses
        .into_iter()
        .map(|status| (status.to_string(), failure(status, &error)))
        .collect();
    // A type that goes both ways looks the same either way: a test compares them.
    let mut schemas = sent.take_definitions(true);
    schemas.extend(answered.take_definitions(true));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "wreg",
            "description": DESCRIPTION,
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": responses,
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A personal token, or a registry token from `/token`.",
                },
                "basic": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "A personal token as password, with any user name.",
                },
            },
        },
    })
}

fn generator(contract: Contract) -> SchemaGenerator {
    let mut settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(plain));
    settings.contract = contract;
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    settings.into_generator()
}

/// Descriptions are doc comments: what leads to other Rust items in them leads nowhere here.
fn plain(schema: &mut Schema) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace("[`", "`").replace("`]", "`").replace('\n', " ");
    }
}

fn operation(row: &Operation, sent: &mut SchemaGenerator, answered: &mut SchemaGenerator) -> Value {
    let (status, answer) = answer(row.answer, answered);
    let mut responses = Map::from_iter([(status.to_owned(), answer)]);
    for status in row.all_errors() {
        let shared = json!({ "$ref": format!("#/components/responses/{status}") });
        responses.insert(status.to_string(), shared);
    }
    let credentials = [json!({}), json!({ "bearer": [] }), json!({ "basic": [] })];
    let needed = !matches!(row.access, Access::Anybody | Access::Reader);
    let mut operation = json!({
        "operationId": row.id,
        "summary": row.summary,
        "security": credentials[usize::from(needed)..],
        "responses": responses,
    });
    if !row.parameters.is_empty() {
        operation["parameters"] = row.parameters.iter().map(|it| parameter(it, sent)).collect();
    }
    if let Some(model) = row.body {
        operation["requestBody"] =
            json!({ "required": true, "content": { "application/json": { "schema": model(sent) } } });
    }
    operation
}

fn parameter(parameter: &Parameter, generator: &mut SchemaGenerator) -> Value {
    let schema = (parameter.model)(generator);
    let schema = if parameter.repeated {
        json!({ "type": "array", "items": schema, "maxItems": 20 })
    } else {
        schema.to_value()
    };
    json!({
        "name": parameter.name,
        "in": "query",
        "description": parameter.meaning,
        "required": parameter.required,
        "schema": schema,
    })
}

/// The status and what comes with it.
fn answer(answer: Answer, generator: &mut SchemaGenerator) -> (&'static str, Value) {
    let json = |schema: Schema| json!({ "application/json": { "schema": schema } });
    let text = json!({ "schema": { "type": "string" } });
    let mut described = match answer {
        Answer::Json(model) | Answer::Created(model) => json!({ "content": json(model(generator)) }),
        Answer::Page(model) => json!({
            "content": json(model(generator)),
            "headers": { "Link": { "description": "The next page, if there is one.", "schema": { "type": "string" } } },
        }),
        Answer::Feed(model) => {
            let mut content = json(model(generator));
            content["text/event-stream"] = text;
            // What stands in the data of each event.
            json!({ "content": content, "x-data": generator.subschema_for::<Event>() })
        }
        Answer::Lines => json!({
            "content": { "application/x-ndjson": text },
            "x-line": generator.subschema_for::<CheckLine>(),
        }),
        Answer::Text => json!({ "content": { "text/plain": text } }),
    };
    let (status, meaning) = match answer {
        Answer::Created(_) => ("201", "It is made."),
        _ => ("200", "It is done."),
    };
    described["description"] = meaning.into();
    (status, described)
}

/// An answer of 4xx or 5xx.
fn failure(status: u16, error: &Schema) -> Value {
    let (meaning, header) = match status {
        400 => (
            "A parameter, the body or the credentials are missing or not what is expected.",
            None,
        ),
        401 => ("Credentials are needed, or are wrong.", Some("WWW-Authenticate")),
        403 => ("The caller may not do this.", None),
        404 => ("It is not there, or the caller may not know of it.", None),
        409 => ("Something is there that stands against it.", None),
        412 => ("It is no longer as it was.", None),
        413 => ("The body is too large.", None),
        414 => ("The request target is too long.", None),
        415 => ("The body has a content coding.", None),
        429 => ("Wrong credentials came too often.", Some("Retry-After")),
        431 => ("There are too many header fields, or too long ones.", None),
        500 => ("A fault of the server.", None),
        503 => ("The database or the store does not answer.", Some("Retry-After")),
        _ => ("The database or the store is full.", None),
    };
    let mut failure = json!({
        "description": meaning,
        "content": { "application/json": { "schema": error } },
    });
    if let Some(header) = header {
        failure["headers"] = json!({ header: { "schema": { "type": "string" } } });
    }
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One schema has to do for both ways.
    #[test]
    fn a_type_that_goes_both_ways_looks_the_same_either_way() {
        let (mut sent, mut answered) = (generator(Contract::Deserialize), generator(Contract::Serialize));
        for row in OPERATIONS {
            operation(row, &mut sent, &mut answered);
        }
        let (sent, answered) = (sent.take_definitions(true), answered.take_definitions(true));
        let both: Vec<_> = sent.iter().filter(|(name, _)| answered.contains_key(*name)).collect();
        assert!(!both.is_empty());
        for (name, schema) in both {
            assert_eq!(schema, &answered[name], "{name}");
        }
    }

    #[test]
    fn what_is_referred_to_is_there() {
        fn walk(value: &Value, document: &Value) {
            if let Some(to) = value.get("$ref").and_then(Value::as_str) {
                let pointer = to.strip_prefix('#').expect("a reference within the document");
                assert!(document.pointer(pointer).is_some(), "{to}");
            }
            match value {
                Value::Object(members) => members.values().for_each(|value| walk(value, document)),
                Value::Array(items) => items.iter().for_each(|value| walk(value, document)),
                _ => {}
            }
        }
        let document = openapi();
        walk(&document, &document);
        // Two types of one name would show by a number.
        let schemas = document["components"]["schemas"].as_object().expect("an object");
        let numbered: Vec<_> = schemas.keys().filter(|name| name.ends_with(char::is_numeric)).collect();
        assert!(numbered.is_empty(), "{numbered:?}");
    }
}
