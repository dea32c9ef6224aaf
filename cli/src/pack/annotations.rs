//! Annotations of a manifest, from what the component says of itself.
//!
//! Source: OCI image specification, "Pre-Defined Annotation Keys". The custom sections of a component carry the same names.

use wreg_component::Metadata;
use wreg_oci::Annotations;

/// The annotations of an artifact. `given` wins over what the component says; a name that is given without a value is left out.
pub(crate) fn of(told: &Metadata, created: Option<&str>, given: Vec<(String, String)>) -> Annotations {
    let mut annotations: Annotations = [
        ("authors", told.authors.as_deref()),
        ("created", created),
        ("description", told.description.as_deref()),
        ("licenses", told.licenses.as_deref()),
        ("revision", told.revision.as_deref()),
        ("source", told.source.as_deref()),
        ("url", told.homepage.as_deref()),
        ("version", told.version.as_deref()),
    ]
    .into_iter()
    .filter_map(|(name, text)| Some((format!("org.opencontainers.image.{name}"), text?.to_owned())))
    .collect();
    annotations.extend(given);
    annotations.retain(|_, value| !value.is_empty());
    annotations
}

/// `NAME=VALUE` as typed.
pub(crate) fn parse(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("an annotation is written NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_wins_over_what_the_component_says() {
        let told = Metadata {
            version: Some("1.0.0".to_owned()),
            homepage: Some("https://acme.example".to_owned()),
            licenses: Some("MIT".to_owned()),
            ..Metadata::default()
        };
        let given = [
            "org.opencontainers.image.version=2.0.0",
            "org.opencontainers.image.licenses=",
            "a=b=c",
        ];
        let given = given.map(|text| parse(text).expect("NAME=VALUE")).into();
        let expected = [
            ("a", "b=c"),
            ("org.opencontainers.image.url", "https://acme.example"),
            ("org.opencontainers.image.version", "2.0.0"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        assert_eq!(of(&told, None, given), expected);
    }

    #[test]
    fn an_annotation_without_a_name_is_refused() {
        assert!(parse("=x").is_err());
        assert!(parse("x").is_err());
    }
}
