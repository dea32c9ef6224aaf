//! Manifests: image manifests and indexes, read without ambiguity.
//!
//! Sources: OCI image specification, "Image Manifest" and "Image Index"; OCI distribution specification, "Pushing Manifests".
//! The bytes are what counts and are stored as they came; this is what a registry must know of them. Every text is exactly one
//! shape, image or index: one byte string readable as both is CVE-2021-41190.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde_json::{Map, Value};

use crate::{
    descriptor::{Annotations, Descriptor, annotations, media_type},
    digest::{Digest, InvalidDigest},
    json,
    media_type::MediaType,
};

/// The largest manifest, in bytes. The specification asks registries to take at least this much.
pub const MAX_LEN: usize = 4 * 1024 * 1024;

/// What a manifest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Its own media type: the `Content-Type` that it came with.
    pub media_type: MediaType,
    /// The type of the artifact, as far as the manifest itself names one.
    pub artifact_type: Option<MediaType>,
    /// The manifest that this one is about.
    pub subject: Option<Descriptor>,
    /// Its annotations.
    pub annotations: Annotations,
    /// What it is made of.
    pub content: Content,
}

/// The two shapes of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// An image manifest, or another one that names blobs.
    Image {
        /// The config; every image manifest has one, other types may not.
        config: Option<Descriptor>,
        /// The layers, or an artifact's blobs.
        layers: Vec<Descriptor>,
    },
    /// An index.
    Index {
        /// The manifests that it lists.
        manifests: Vec<Descriptor>,
    },
}

impl Manifest {
    /// Reads a manifest of type `media_type`, the `Content-Type` without parameters.
    pub fn parse(bytes: &[u8], content_type: &MediaType) -> Result<Self, InvalidManifest> {
        const NAMES: [&str; 9] = [
            "schemaVersion",
            "mediaType",
            "artifactType",
            "subject",
            "annotations",
            "config",
            "layers",
            "manifests",
            "blobs",
        ];
        let at = Location::Manifest;
        let value = json::parse(bytes).map_err(|error| InvalidManifest::Json(error.to_string()))?;
        let members = object(&value, at, &NAMES)?;
        match media_type(members, "mediaType", at)? {
            Some(inside) if inside != *content_type => {
                return Err(InvalidManifest::MediaType {
                    inside,
                    content_type: content_type.clone(),
                });
            }
            _ => {}
        }
        let known = content_type.is_image() || content_type.is_index();
        match members.get("schemaVersion") {
            Some(version) if version.as_u64() == Some(2) => {}
            None if !known => {}
            _ => return Err(at.wrong("schemaVersion", "the number 2")),
        }
        let subject = members.get("subject").filter(|subject| !subject.is_null());
        Ok(Self {
            media_type: content_type.clone(),
            artifact_type: media_type(members, "artifactType", at)?,
            subject: subject
                .map(|subject| Descriptor::parse(subject, Location::Subject))
                .transpose()?,
            annotations: annotations(members, at)?,
            content: Content::parse(members, content_type)?,
        })
    }

    /// The type by which referrers are filtered: its artifact type, else the media type of its config.
    pub fn effective_artifact_type(&self) -> Option<&MediaType> {
        match (&self.artifact_type, &self.content) {
            (Some(artifact_type), _) => Some(artifact_type),
            (
                None,
                Content::Image {
                    config: Some(config), ..
                },
            ) => Some(&config.media_type),
            (None, _) => None,
        }
    }

    /// The blobs that it names, config first, each digest once.
    pub fn blobs(&self) -> Vec<&Descriptor> {
        match &self.content {
            Content::Image { config, layers } => once_each(config.iter().chain(layers)),
            Content::Index { .. } => Vec::new(),
        }
    }

    /// The manifests that it lists, each digest once. Its subject is not among them: that may be missing.
    pub fn manifests(&self) -> Vec<&Descriptor> {
        match &self.content {
            Content::Image { .. } => Vec::new(),
            Content::Index { manifests } => once_each(manifests.iter()),
        }
    }
}

fn once_each<'a>(descriptors: impl Iterator<Item = &'a Descriptor>) -> Vec<&'a Descriptor> {
    let mut seen = BTreeSet::new();
    descriptors
        .filter(|descriptor| seen.insert(&descriptor.digest))
        .collect()
}

impl Content {
    fn parse(members: &Map<String, Value>, content_type: &MediaType) -> Result<Self, InvalidManifest> {
        let at = Location::Manifest;
        let config = members.get("config").filter(|config| !config.is_null());
        let manifests = descriptors(members, "manifests", Location::Child)?;
        let layers = descriptors(members, "layers", Location::Layer)?;
        let blobs = descriptors(members, "blobs", Location::Layer)?;
        if manifests.is_some() && (config.is_some() || layers.is_some() || blobs.is_some()) {
            return Err(InvalidManifest::Ambiguous);
        }
        if content_type.is_index() || (manifests.is_some() && !content_type.is_image()) {
            let manifests = manifests.ok_or_else(|| at.missing("manifests"))?;
            one_size_each(manifests.iter())?;
            return Ok(Self::Index { manifests });
        }
        let config = config
            .map(|config| Descriptor::parse(config, Location::Config))
            .transpose()?;
        if content_type.is_image() && (config.is_none() || layers.is_none()) {
            return Err(at.missing(if config.is_none() { "config" } else { "layers" }));
        }
        let layers: Vec<_> = layers.into_iter().chain(blobs).flatten().collect();
        one_size_each(config.iter().chain(&layers))?;
        Ok(Self::Image { config, layers })
    }
}

/// Who looks at one descriptor of some content only must not be told another size than who looks at the next.
fn one_size_each<'a>(descriptors: impl Iterator<Item = &'a Descriptor>) -> Result<(), InvalidManifest> {
    let mut sizes = BTreeMap::new();
    for descriptor in descriptors {
        if *sizes.entry(&descriptor.digest).or_insert(descriptor.size) != descriptor.size {
            return Err(InvalidManifest::Sizes(descriptor.digest.clone()));
        }
    }
    Ok(())
}

fn descriptors(
    members: &Map<String, Value>,
    name: &'static str,
    at: fn(usize) -> Location,
) -> Result<Option<Vec<Descriptor>>, InvalidManifest> {
    let items = match members.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(Location::Manifest.wrong(name, "an array of descriptors")),
    };
    items
        .iter()
        .enumerate()
        .map(|(index, item)| Descriptor::parse(item, at(index)))
        .collect::<Result<_, _>>()
        .map(Some)
}

/// The members of an object, none of which may be a known name in other letters: Go's parsers would take `MediaType` for
/// `mediaType`, others would not.
pub(crate) fn object<'a>(
    value: &'a Value,
    at: Location,
    names: &[&'static str],
) -> Result<&'a Map<String, Value>, InvalidManifest> {
    let members = value.as_object().ok_or(InvalidManifest::NotAnObject(at))?;
    for name in members.keys() {
        if let Some(known) = names
            .iter()
            .find(|known| known.eq_ignore_ascii_case(name) && **known != name)
        {
            return Err(at.wrong(known, "spelled in exactly these letters"));
        }
    }
    Ok(members)
}

/// Which part of a manifest an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    /// The manifest itself.
    Manifest,
    /// `subject`.
    Subject,
    /// `config`.
    Config,
    /// An element of `layers` (or `blobs`), counted from 0.
    Layer(usize),
    /// An element of `manifests`, counted from 0.
    Child(usize),
}

impl Location {
    pub(crate) fn missing(self, name: &'static str) -> InvalidManifest {
        InvalidManifest::Missing(self, name)
    }

    pub(crate) fn wrong(self, name: &'static str, expected: &'static str) -> InvalidManifest {
        InvalidManifest::Wrong(self, name, expected)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manifest => f.write_str("the manifest"),
            Self::Subject => f.write_str("subject"),
            Self::Config => f.write_str("config"),
            Self::Layer(index) => write!(f, "layers[{index}]"),
            Self::Child(index) => write!(f, "manifests[{index}]"),
        }
    }
}

/// Why bytes are not a manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidManifest {
    /// Not JSON, a name twice, or nested too deeply.
    #[error("the manifest is not unambiguous JSON: {0}")]
    Json(String),
    /// A value that must be an object is not.
    #[error("{0} is not a JSON object")]
    NotAnObject(Location),
    /// A member that must be there is not.
    #[error("{0} has no {1}")]
    Missing(Location, &'static str),
    /// A member is not what it must be.
    #[error("{1} of {0} must be {2}")]
    Wrong(Location, &'static str, &'static str),
    /// A digest is outside the grammar.
    #[error("digest of {0}: {1}")]
    Digest(Location, InvalidDigest),
    /// Two descriptors name the same content with different sizes.
    #[error("the manifest gives {0} two different sizes")]
    Sizes(Digest),
    /// `data` is not the content that the descriptor names, or is over 1 MiB.
    #[error("data of {0} must be base64 of the content that its digest and size name, at most 1 MiB")]
    Data(Location),
    /// The manifest names itself another type than the request does.
    #[error("mediaType is {inside} and the Content-Type is {content_type}: they must be the same")]
    MediaType {
        /// `mediaType` in the manifest.
        inside: MediaType,
        /// The header of the request.
        content_type: MediaType,
    },
    /// It has the members of both shapes.
    #[error("the manifest has both config or layers and manifests: it must be either an image manifest or an index")]
    Ambiguous,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::descriptor::MAX_DATA;

    const EMPTY_CONFIG: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    fn empty(extra: Value) -> Value {
        let mut descriptor =
            json!({"mediaType": "application/vnd.oci.empty.v1+json", "digest": EMPTY_CONFIG, "size": 2});
        if let (Value::Object(descriptor), Value::Object(extra)) = (&mut descriptor, extra) {
            descriptor.extend(extra);
        }
        descriptor
    }

    fn image(config: &Value) -> Value {
        json!({"schemaVersion": 2, "mediaType": MediaType::IMAGE_MANIFEST, "config": config, "layers": []})
    }

    fn parse(manifest: &Value) -> Result<Manifest, InvalidManifest> {
        Manifest::parse(manifest.to_string().as_bytes(), &MediaType::IMAGE_MANIFEST)
    }

    #[test]
    fn an_image_manifest_is_read() {
        let manifest = parse(&image(&empty(json!({"data": "e30=", "x": 1})))).expect("valid");
        assert_eq!(manifest.blobs().len(), 1);
        assert_eq!(manifest.effective_artifact_type(), Some(&MediaType::EMPTY));
    }

    #[test]
    fn a_manifest_of_an_unknown_type_keeps_what_it_names() {
        let content_type: MediaType = "application/vnd.example+json".parse().expect("a type");
        let text = json!({"blobs": [empty(Value::Null)], "config": empty(json!({"size": 2}))}).to_string();
        assert_eq!(
            Manifest::parse(text.as_bytes(), &content_type)
                .expect("valid")
                .blobs()
                .len(),
            1
        );
        let text = json!({"manifests": [empty(Value::Null)]}).to_string();
        assert_eq!(
            Manifest::parse(text.as_bytes(), &content_type)
                .expect("valid")
                .manifests()
                .len(),
            1
        );
    }

    /// **M07** A descriptor whose size is negative, a fraction or beyond 63 bits → refused.
    #[test]
    fn sizes_that_are_no_sizes_are_refused() {
        for size in [
            json!(-1),
            json!(1.5),
            json!(9_223_372_036_854_775_808_u64),
            json!("2"),
            Value::Null,
        ] {
            let error = parse(&image(&empty(json!({"size": size})))).expect_err("invalid");
            assert_eq!(
                error,
                Location::Config.wrong("size", "a number of bytes from 0 to 2^63 - 1")
            );
        }
    }

    /// **M07** Two descriptors of the same content with different sizes → refused.
    #[test]
    fn content_has_one_size() {
        let (one, other) = (empty(Value::Null), empty(json!({"size": 3})));
        let mut manifest = image(&one);
        manifest["layers"] = json!([one, one]);
        assert!(parse(&manifest).is_ok());
        manifest["layers"] = json!([one, other]);
        let digest = EMPTY_CONFIG.parse().expect("a digest");
        assert_eq!(parse(&manifest), Err(InvalidManifest::Sizes(digest)));
    }

    /// **M12** `data` that is no base64, of another size or digest, or over 1 MiB → refused.
    #[test]
    fn data_that_is_not_the_content_is_refused() {
        for data in [
            "e30",
            "e30==",
            "fQ==",
            "e31=",
            &"A".repeat(MAX_DATA.div_ceil(3) * 4 + 4),
        ] {
            let error = parse(&image(&empty(json!({"data": data})))).expect_err("invalid");
            assert_eq!(error, InvalidManifest::Data(Location::Config));
        }
    }

    /// **M02** A known name spelled in other letters, at the top or in a descriptor → refused.
    #[test]
    fn look_alike_names_are_refused() {
        let mut manifest = image(&empty(Value::Null));
        manifest["MediaType"] = json!("application/vnd.oci.image.index.v1+json");
        assert!(parse(&manifest).is_err());
        assert!(parse(&image(&empty(json!({"Digest": EMPTY_CONFIG})))).is_err());
    }

    /// **M03** Both `layers` or `config` and `manifests` → refused, whatever type it claims.
    #[test]
    fn both_shapes_at_once_are_refused() {
        for media_type in [
            "application/vnd.oci.image.manifest.v1+json",
            "application/vnd.oci.image.index.v1+json",
            "application/x+json",
        ] {
            let content_type: MediaType = media_type.parse().expect("a type");
            let text =
                json!({"schemaVersion": 2, "config": empty(Value::Null), "layers": [], "manifests": []}).to_string();
            assert_eq!(
                Manifest::parse(text.as_bytes(), &content_type),
                Err(InvalidManifest::Ambiguous)
            );
        }
    }

    /// **M14** Schema version 1, another one, or none → refused.
    #[test]
    fn other_schema_versions_are_refused() {
        for version in [json!(1), json!(3), json!("2"), Value::Null] {
            let mut manifest = image(&empty(Value::Null));
            manifest["schemaVersion"] = version;
            assert!(parse(&manifest).is_err());
        }
        let none = json!({"config": empty(Value::Null), "layers": []});
        assert!(parse(&none).is_err());
    }
}
