//! The kinds of statements that wreg knows, and what each must have.
//!
//! The shape is checked, not the truth: what a statement of another kind looks like is its own affair.
//!
//! Source: SLSA 1.0, "Build: Provenance"; CycloneDX 1.6, JSON schema; SPDX 2.3, JSON schema, and 3.0, "Serialization"; the short names are
//! cosign's, `pkg/cosign/attestation`.

use serde_json::Value;

/// SLSA provenance: how something was built.
pub const SLSA_PROVENANCE: &str = "https://slsa.dev/provenance/v1";
/// A CycloneDX document: what something is made from.
pub const CYCLONEDX: &str = "https://cyclonedx.org/bom";
/// An SPDX document, of the same.
pub const SPDX: &str = "https://spdx.dev/Document";

/// A predicate that is not of its kind: a member is missing, or is something else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} must have {path}: {expected}")]
pub struct InvalidPredicate {
    kind: &'static str,
    /// The member, with those around it.
    path: String,
    expected: &'static str,
}

/// The kind with a short name.
pub fn named(name: &str) -> Option<&'static str> {
    match name {
        "slsaprovenance1" => Some(SLSA_PROVENANCE),
        "cyclonedx" => Some(CYCLONEDX),
        "spdxjson" => Some(SPDX),
        _ => None,
    }
}

/// Whether a predicate has what its kind must have. One of a kind that is not known passes.
pub fn check(predicate_type: &str, predicate: &Value) -> Result<(), InvalidPredicate> {
    // Some write the version of the format behind it.
    let is = |kind: &str| {
        let rest = predicate_type.strip_prefix(kind);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("/v"))
    };
    if predicate_type == SLSA_PROVENANCE {
        slsa(&Checked("SLSA provenance", predicate))
    } else if is(CYCLONEDX) {
        cyclonedx(&Checked("a CycloneDX document", predicate))
    } else if is(SPDX) {
        spdx(&Checked("an SPDX document", predicate))
    } else {
        Ok(())
    }
}

fn slsa(checked: &Checked<'_>) -> Result<(), InvalidPredicate> {
    checked.text("/buildDefinition/buildType", "a URI", is_uri)?;
    checked.member("/buildDefinition/externalParameters", "an object", Value::is_object)?;
    checked.text("/runDetails/builder/id", "a URI", is_uri)
}

fn cyclonedx(checked: &Checked<'_>) -> Result<(), InvalidPredicate> {
    checked.text("/bomFormat", "CycloneDX", |text| text == "CycloneDX")?;
    checked.text("/specVersion", "a version, such as 1.6", |text| text.starts_with("1."))?;
    checked.each("/components", &["type", "name"])
}

fn spdx(checked: &Checked<'_>) -> Result<(), InvalidPredicate> {
    // SPDX 3 is a graph in JSON-LD, and has none of what SPDX 2 has.
    if checked.1.get("@context").is_some() {
        return checked.member("/@graph", "an array of objects", |graph| {
            graph
                .as_array()
                .is_some_and(|graph| !graph.is_empty() && graph.iter().all(Value::is_object))
        });
    }
    checked.text("/spdxVersion", "a version, such as SPDX-2.3", |text| {
        text.starts_with("SPDX-")
    })?;
    checked.text("/SPDXID", "SPDXRef-DOCUMENT", |text| text == "SPDXRef-DOCUMENT")?;
    for path in ["/name", "/dataLicense"] {
        checked.text(path, "a text", |_| true)?;
    }
    checked.text("/documentNamespace", "a URI", is_uri)?;
    checked.text("/creationInfo/created", "a time", |_| true)?;
    checked.member("/creationInfo/creators", "an array of texts", |value| {
        let creators = value.as_array();
        creators.is_some_and(|creators| !creators.is_empty() && creators.iter().all(Value::is_string))
    })?;
    checked.each("/packages", &["SPDXID", "name"])
}

fn is_uri(text: &str) -> bool {
    text.split_once(':')
        .is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty())
}

/// A predicate, and what it should be.
struct Checked<'a>(&'static str, &'a Value);

impl Checked<'_> {
    fn member(&self, path: &str, expected: &'static str, is: impl Fn(&Value) -> bool) -> Result<(), InvalidPredicate> {
        if self.1.pointer(path).is_some_and(is) {
            return Ok(());
        }
        Err(InvalidPredicate {
            kind: self.0,
            path: path.trim_start_matches('/').replace('/', "."),
            expected,
        })
    }

    fn text(&self, path: &str, expected: &'static str, is: impl Fn(&str) -> bool) -> Result<(), InvalidPredicate> {
        self.member(path, expected, |value| value.as_str().is_some_and(&is))
    }

    /// Where there is a list, each in it has these texts.
    fn each(&self, path: &str, names: &[&str]) -> Result<(), InvalidPredicate> {
        let has_all = |item: &Value| names.iter().all(|name| item.get(name).is_some_and(Value::is_string));
        match self.1.pointer(path) {
            None => Ok(()),
            Some(_) => self.member(path, "an array of objects with names and types or ids", |list| {
                list.as_array().is_some_and(|list| list.iter().all(has_all))
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn samples() -> [(&'static str, Value); 4] {
        [
            (
                SLSA_PROVENANCE,
                json!({
                    "buildDefinition": { "buildType": "https://acme.example/build", "externalParameters": {} },
                    "runDetails": { "builder": { "id": "https://acme.example/builder" } },
                }),
            ),
            (
                CYCLONEDX,
                json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{ "type": "library", "name": "serde" }] }),
            ),
            (
                SPDX,
                json!({
                    "spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "hello", "dataLicense": "CC0-1.0",
                    "documentNamespace": "https://acme.example/hello",
                    "creationInfo": { "created": "2026-01-01T00:00:00Z", "creators": ["Tool: acme"] },
                    "packages": [{ "SPDXID": "SPDXRef-1", "name": "serde" }],
                }),
            ),
            (
                SPDX,
                json!({ "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": [{ "type": "SpdxDocument" }] }),
            ),
        ]
    }

    /// The paths of all members.
    fn paths(value: &Value, at: &str, found: &mut Vec<String>) {
        for (name, value) in value.as_object().into_iter().flatten() {
            let path = format!("{at}/{name}");
            paths(value, &path, found);
            found.push(path);
        }
    }

    #[test]
    fn what_has_the_shape_of_its_kind_passes_and_nothing_may_be_something_else() {
        for (kind, sample) in samples() {
            assert_eq!(check(kind, &sample), Ok(()));
            let mut found = Vec::new();
            paths(&sample, "", &mut found);
            for path in found.iter().filter(|path| *path != "/@context") {
                for wrong in [json!(null), json!(1), json!([1]), json!([[[]]])] {
                    let mut other = sample.clone();
                    *other.pointer_mut(path).expect("it is there") = wrong.clone();
                    assert!(check(kind, &other).is_err(), "{kind} with {wrong} for {path}");
                }
            }
        }
        for (kind, sample) in samples() {
            assert!(
                samples()
                    .iter()
                    .all(|(other, _)| *other == kind || check(other, &sample).is_err())
            );
        }
    }

    #[test]
    fn a_kind_goes_by_its_name_or_its_uri_with_or_without_a_version() {
        for (name, kind) in [
            ("slsaprovenance1", SLSA_PROVENANCE),
            ("cyclonedx", CYCLONEDX),
            ("spdxjson", SPDX),
        ] {
            assert_eq!(named(name), Some(kind));
            assert!(check(kind, &json!({})).is_err());
        }
        assert!(check("https://cyclonedx.org/bom/v1.6", &json!({})).is_err());
        for other in [
            "https://slsa.dev/provenance/v0.2",
            "https://cyclonedx.org/bomb",
            "https://acme.example/said",
        ] {
            assert_eq!(check(other, &json!({})), Ok(()));
        }
        assert_eq!(named("custom"), None);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = check(SLSA_PROVENANCE, &json!({ "buildDefinition": { "buildType": "a:b" } }));
        assert_eq!(
            error.expect_err("it lacks much").to_string(),
            "SLSA provenance must have buildDefinition.externalParameters: an object"
        );
    }
}
